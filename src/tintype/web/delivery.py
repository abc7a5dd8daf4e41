"""Delivery of pictures over ASGI: parse the link, find or make the picture, send it."""

import os
from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO

from tintype.core import Services
from tintype.core.access.metadata_policy import strips_metadata_by_id
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.delivery.variant import Variants, choose_variants, original_tag, stripped
from tintype.core.runtime.record_cache import CachedImage
from tintype.imaging import Format
from tintype.model import ExpiredLink, Forbidden, Image, MethodNotAllowed, NotFound
from tintype.web.body_cache import BodyCache, CachedBody, DeliverySettings
from tintype.web.conditions import ByteRange, byte_range, is_unmodified
from tintype.web.context import Context, Scope
from tintype.web.dialect_routes import DeliveryRequest, DialectRoutes, LinkParser, Receive, RequestTarget
from tintype.web.hosts import Hosts
from tintype.web.picture_response import (
    CORS,
    METHODS,
    PictureResponse,
    header_pairs,
    is_canonical,
    representation_headers,
    validator_headers,
    with_stand_in,
)
from tintype.web.picture_source import PictureSources, Source, sendable_path
from tintype.web.response_cache import (
    EMPTY_BODY,
    CachedResponse,
    CachePolicy,
    Pairs,
    ResponseCache,
    accepted_formats,
)
from tintype.web.unsigned_limits import UnsignedRenderLimit

Send = Callable[[dict[str, Any]], Awaitable[None]]

CHUNK = 256 * 1024
"""Bytes read at once when the server can't send the file itself."""


class Delivery:
    """Answers delivery links, and fills the response cache.

    Args:
        settings: of the caches in memory.
        render_limit: the limit on new renditions by unsigned links.
        hosts: the hosts that are served.
    """

    def __init__(
        self, services: Services, settings: DeliverySettings, render_limit: UnsignedRenderLimit, hosts: Hosts
    ) -> None:
        self._services = services
        self._limits_of_signed = services.unsigned.for_signed()
        self._body_cache = BodyCache(settings)
        self._sources = PictureSources(services, self._body_cache, render_limit)
        self.response_cache = ResponseCache(services, settings, self._body_cache, hosts)

    async def deliver(
        self, context: Context, scope: Scope, receive: Receive, send: Send, routes: DialectRoutes, prefix: str
    ) -> None:
        """Answer a delivery link of a dialect.

        Raises:
            MethodNotAllowed: when it is not GET, HEAD or OPTIONS.
            Invalid: when no picture of this size is made.
            ClientGone: when the client disconnected while its picture was made.
            Error: as the link parser, `find_deliverable`, `rendition` and `byte_range`.
        """
        if context.method == "OPTIONS":
            await _preflight(send)
            return
        if context.method not in METHODS:
            raise MethodNotAllowed("Pictures are read with GET.", METHODS)
        key_generation, requested = await self._parse_link(
            RequestTarget(context.target), routes.link_parsers[prefix]
        )
        record = await _find_image(self._services, routes, requested)
        answer = await self._prepare(
            context, key_generation, requested, record, accepted_formats(scope["headers"])
        )
        self._body_cache.record_request(answer.tag)
        if is_unmodified(context.headers, answer.etag, record.image.modified_at):
            self._cache_response(answer, self._body_cache.get(answer.tag))
            await _start(send, 304, [*validator_headers(answer), self._cache_control(answer)])
            await send(EMPTY_BODY)
            return
        source = await self._sources.open(answer, scope, receive)
        try:
            if source.picture.is_stand_in:
                answer = with_stand_in(answer, source.picture)
            else:
                self._cache_response(answer, source.cached_body)
            await self._send(scope, send, answer, source)
        finally:
            if source.file is not None:
                source.file.close()

    async def _prepare(
        self,
        context: Context,
        key_generation: int,
        requested: DeliveryRequest,
        record: CachedImage,
        formats: frozenset[Format],
    ) -> PictureResponse:
        variants = await self._choose(requested, record.image, formats)
        return PictureResponse(
            context=context,
            key_generation=key_generation,
            requested=requested,
            record=record,
            cache_policy=CachePolicy(requested.max_age, requested.public, requested.expires),
            variants=variants,
            tag=original_tag(record.image) if variants is None else variants.best.tag(record.image),
            formats=formats if variants is not None and variants.varies else None,
        )

    async def _choose(
        self, requested: DeliveryRequest, image: Image, formats: frozenset[Format]
    ) -> Variants | None:
        if requested.recipe is not None:
            limits = self._services.unsigned if requested.any_size else self._limits_of_signed
            return choose_variants(image, limits.fit(image, requested.recipe), formats)
        strips = await strips_metadata_by_id(self._services, image.account_id)
        return stripped(image) if strips else None

    async def _parse_link(
        self, target: RequestTarget, link_parser: LinkParser
    ) -> tuple[int, DeliveryRequest]:
        """The request in a link, and the generation of the keys that verified it."""
        keyring = self._services.keyring
        if keyring.is_stale():
            await self._services.workers.disk(keyring.reload)
        # Read before the link is verified: keys that change meanwhile must count as a newer generation.
        key_generation = keyring.generation
        try:
            return key_generation, link_parser(target)
        except (Forbidden, NotFound):
            # Dialects refuse a signature by either. Another process may have just added the key.
            if not await self._services.workers.disk(keyring.reload):
                raise
        key_generation = keyring.generation
        return key_generation, link_parser(target)

    def _cache_response(self, answer: PictureResponse, cached_body: CachedBody | None) -> None:
        if not (is_canonical(answer) and self._body_cache.seen_twice(answer.tag)):
            return
        validators = validator_headers(answer)
        expires = answer.cache_policy.expires is not None
        if not expires:
            validators.append(self._cache_control(answer))
        ok_headers = (
            []
            if cached_body is None
            else [
                *validators,
                *representation_headers(answer, cached_body.picture, cached_body.picture.size),
            ]
        )
        response = CachedResponse(
            path=answer.context.path,
            record=answer.record,
            key_generation=answer.key_generation,
            etag=answer.etag.encode(),
            cache_policy=answer.cache_policy if expires else None,
            not_modified_headers=validators,
            ok_headers=ok_headers,
            body=cached_body,
        )
        self.response_cache.put(answer.context.link, response, answer.formats)

    async def _send(self, scope: Scope, send: Send, answer: PictureResponse, source: Source) -> None:
        picture, context = source.picture, answer.context
        span = byte_range(
            context.method, context.headers, answer.etag, answer.record.image.modified_at, picture.size
        )
        pairs = representation_headers(answer, picture, span.end - span.start)
        if span.partial:
            fields = f"bytes {span.start}-{span.end - 1}/{span.size}"
            pairs.append((b"content-range", fields.encode()))
        pairs = [*validator_headers(answer), self._cache_control(answer), *pairs]
        await _start(send, 206 if span.partial else 200, pairs)
        if context.method == "HEAD":
            await send(EMPTY_BODY)
        elif source.data is not None:
            await send({"type": "http.response.body", "body": source.data[span.start : span.end]})
        elif not span.partial and (path := sendable_path(scope, picture)) is not None:
            # The server opens the file again, and answers 404 if it was removed in between.
            await send({"type": "http.response.pathsend", "path": path})
        elif source.file is not None:
            await self._send_part(send, source.file, span)

    async def _send_part(self, send: Send, file: BinaryIO, span: ByteRange) -> None:
        start = span.start
        while start < span.end:
            size = min(CHUNK, span.end - start)
            chunk = await self._services.workers.disk(os.pread, file.fileno(), size, start)
            if not chunk:
                raise EOFError("the file is shorter than recorded")
            start += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": start < span.end})

    def _cache_control(self, answer: PictureResponse) -> tuple[bytes, bytes]:
        field = answer.cache_policy.header(self._services.clock())
        if field is None:
            # It expired after the link was parsed.
            raise ExpiredLink("The link has expired.")
        return field


async def _find_image(services: Services, routes: DialectRoutes, requested: DeliveryRequest) -> CachedImage:
    default = routes.links if requested.unsigned else None
    return await find_deliverable(services, routes.name, requested.key, requested.version, default=default)


async def _preflight(send: Send) -> None:
    allowed = {
        "access-control-allow-methods": ", ".join(METHODS),
        "access-control-allow-headers": "Range, If-Range, If-None-Match, If-Modified-Since",
        "access-control-max-age": "86400",
        "allow": ", ".join(METHODS),
    }
    await _start(send, 204, header_pairs(CORS | allowed))
    await send(EMPTY_BODY)


async def _start(send: Send, status: int, pairs: Pairs) -> None:
    await send({"type": "http.response.start", "status": status, "headers": pairs})
