"""Delivery of pictures over ASGI: parse the link, find or make the picture, send it."""

import os
from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import format_datetime
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from tintype.core import Services
from tintype.core.access.metadata_policy import strips_metadata_by_id
from tintype.core.access.quotas import require_seconds
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.delivery.missing_original import missing_original
from tintype.core.delivery.render import (
    Client,
    Picture,
    original,
    rendition,
    touch,
)
from tintype.core.delivery.variant import Variants, choose_variants, original_tag, stripped
from tintype.core.runtime.record_cache import CachedImage
from tintype.imaging import Format, Recipe, spec
from tintype.model import ExpiredLink, Forbidden, Image, MethodNotAllowed, NotFound, no_such_image
from tintype.web.conditions import ByteRange, byte_range, is_unmodified
from tintype.web.context import Context, Scope
from tintype.web.dialect_routes import DeliveryRequest, DialectRoutes, LinkParser, Receive, RequestTarget
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.hosts import Hosts
from tintype.web.response_cache import (
    EMPTY_BODY,
    BodyCache,
    CachedBody,
    CachedResponse,
    CachePolicy,
    DeliverySettings,
    Pairs,
    ResponseCache,
    accepted_formats,
)
from tintype.web.unsigned_limits import UnsignedRenderLimit

Send = Callable[[dict[str, Any]], Awaitable[None]]

CHUNK = 256 * 1024
"""Bytes read at once when the server can't send the file itself."""
TRIES = 3
"""Attempts to make a rendition that is removed before it can be opened."""

METHODS = ("GET", "HEAD", "OPTIONS")

_CORS_ORIGIN = {"access-control-allow-origin": "*"}
_CORS_EXPOSE = {
    "access-control-expose-headers": "Content-Length, Content-Range, ETag, Last-Modified, Request-Id",
    "cross-origin-resource-policy": "cross-origin",
}
CORS = _CORS_ORIGIN | _CORS_EXPOSE
"""Any page may show and read pictures: the link is the permission, cookies are not used."""

_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


class Source(Struct, frozen=True):
    """Where the bytes of a picture come from: memory (`data`), or an open `file`."""

    picture: Picture
    data: bytes | None = None
    cached_body: CachedBody | None = None
    file: BinaryIO | None = None


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
        self._render_limit = render_limit
        self._body_cache = BodyCache(settings)
        self.response_cache = ResponseCache(services, settings, self._body_cache, hosts)

    async def deliver(
        self, context: Context, scope: Scope, receive: Receive, send: Send, routes: DialectRoutes, prefix: str
    ) -> None:
        """Answer a delivery link of a dialect.

        Raises:
            MethodNotAllowed: when it is not GET, HEAD or OPTIONS.
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
        if requested.any_size and requested.recipe is not None:
            self._services.unsigned.require(record.image, requested.recipe)
        answer = await self._prepare(
            context, key_generation, requested, record, accepted_formats(scope["headers"])
        )
        self._body_cache.record_request(answer.tag)
        if is_unmodified(context.headers, answer.etag, record.image.modified_at):
            self._cache_response(answer, self._body_cache.get(answer.tag))
            await _start(send, 304, [*_validator_headers(answer), self._cache_control(answer)])
            await send(EMPTY_BODY)
            return
        source = await self._open_source(answer, scope, receive)
        try:
            if source.picture.is_stand_in:
                answer = _stand_in_headers(answer, source.picture)
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
    ) -> "_Response":
        variants = await self._choose(requested.recipe, record.image, formats)
        return _Response(
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
        self, recipe: Recipe | None, image: Image, formats: frozenset[Format]
    ) -> Variants | None:
        if recipe is not None:
            return choose_variants(image, recipe, formats)
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

    async def _open_source(self, answer: "_Response", scope: Scope, receive: Receive) -> Source:
        """The picture, made if it is not cached; made again if it is removed before it is opened."""
        image, is_original = answer.record.image, answer.variants is None
        cached_body = self._body_cache.get(answer.tag)
        if cached_body is not None:
            # Taken before the await, during which it may be evicted.
            source = Source(cached_body.picture, cached_body.data, cached_body)
            if not is_original:
                await touch(self._services, cached_body.picture)
            return source
        for _ in range(TRIES):
            picture = await self._find_or_make(answer, scope, receive)
            try:
                return await self._read_or_open(picture, answer.record)
            except (FileNotFoundError, EOFError) as lost:
                if is_original:
                    raise await missing_original(self._services, image, str(lost)) from lost
        raise no_such_image()

    async def _find_or_make(self, answer: "_Response", scope: Scope, receive: Receive) -> Picture:
        image = answer.record.image
        if answer.variants is None:
            return original(self._services, image)
        work = rendition(self._services, image, answer.variants, self._client(answer, scope))
        return await cancel_on_disconnect(answer.context, receive, work)

    def _client(self, answer: "_Response", scope: Scope) -> Client:
        """Who pays for a rendition: the client's address for an unsigned link, else the account."""
        image, requested = answer.record.image, answer.requested
        if requested.unsigned:
            return self._render_limit.client(
                self._services, image, requested.recipe, scope, any_size=requested.any_size
            )
        return Client(image.account_id, partial(require_seconds, self._services, image.account_id))

    async def _read_or_open(self, picture: Picture, record: CachedImage) -> Source:
        if not self._body_cache.accepts(picture):
            if picture.data is not None:
                return Source(picture, picture.data)
            if picture.not_cached is not None:
                return Source(picture, file=os.fdopen(os.dup(picture.not_cached.descriptor), "rb"))
            return Source(picture, file=await self._services.workers.disk(_open_whole, picture))
        data = await self._services.workers.disk(_read, picture) if picture.data is None else picture.data
        return Source(picture, data, self._body_cache.put(picture, record, data))

    def _cache_response(self, answer: "_Response", cached_body: CachedBody | None) -> None:
        if not (_is_canonical(answer) and self._body_cache.seen_twice(answer.tag)):
            return
        validators = _validator_headers(answer)
        expires = answer.cache_policy.expires is not None
        if not expires:
            validators.append(self._cache_control(answer))
        ok_headers = (
            []
            if cached_body is None
            else [
                *validators,
                *_representation_headers(answer, cached_body.picture, cached_body.picture.size),
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

    async def _send(self, scope: Scope, send: Send, answer: "_Response", source: Source) -> None:
        picture, context = source.picture, answer.context
        span = byte_range(
            context.method, context.headers, answer.etag, answer.record.image.modified_at, picture.size
        )
        pairs = _representation_headers(answer, picture, span.end - span.start)
        if span.partial:
            fields = f"bytes {span.start}-{span.end - 1}/{span.size}"
            pairs.append((b"content-range", fields.encode()))
        pairs = [*_validator_headers(answer), self._cache_control(answer), *pairs]
        await _start(send, 206 if span.partial else 200, pairs)
        if context.method == "HEAD":
            await send(EMPTY_BODY)
        elif source.data is not None:
            await send({"type": "http.response.body", "body": source.data[span.start : span.end]})
        elif not span.partial and (path := _sendable_path(scope, picture)) is not None:
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

    def _cache_control(self, answer: "_Response") -> tuple[bytes, bytes]:
        field = answer.cache_policy.header(self._services.clock())
        if field is None:
            # It expired after the link was parsed.
            raise ExpiredLink("The link has expired.")
        return field


class _Response(Struct, frozen=True):
    """A request for an existing picture, and what its response depends on."""

    context: Context
    key_generation: int
    requested: DeliveryRequest
    record: CachedImage
    cache_policy: CachePolicy
    variants: Variants | None
    """None: the original as it is."""
    tag: str
    formats: frozenset[Format] | None
    """The modern formats that the client accepts; None where the response doesn't vary with them."""

    @property
    def etag(self) -> str:
        """The ETag: the quoted tag."""
        return f'"{self.tag}"'


def _stand_in_headers(answer: _Response, picture: Picture) -> _Response:
    """The response with a stand-in, not to be cached: the next request may get the better picture."""
    return replace(answer, cache_policy=CachePolicy(0, public=False, expires=None), tag=picture.tag)


async def _find_image(services: Services, routes: DialectRoutes, requested: DeliveryRequest) -> CachedImage:
    default = routes.links if requested.unsigned else None
    record = await find_deliverable(services, routes.name, requested.key, requested.version, default=default)
    if requested.extension is not None and requested.extension.lower() != record.image.extension.lower():
        raise no_such_image()
    return record


def _is_canonical(answer: _Response) -> bool:
    """Whether the link is in canonical form, with the extension in the image's case."""
    requested = answer.requested
    return requested.canonical and requested.extension in {None, answer.record.image.extension}


def _validator_headers(answer: _Response) -> Pairs:
    """The fields of every response except Cache-Control; a 304 has no others (RFC 9110, 15.4.5)."""
    varying = {} if answer.formats is None else {"vary": "Accept"}
    return _pairs({"etag": answer.etag, **varying, **_CORS_ORIGIN})


def _representation_headers(answer: _Response, picture: Picture, length: int) -> Pairs:
    """The other fields of a response with the picture, or `length` bytes of it."""
    image, name = answer.record.image, quote(answer.record.image.filename, safe="")
    # Pages embed it either way; opened by itself it is downloaded, so that its scripts don't run.
    disposition = (
        "attachment"
        if answer.requested.recipe is None and spec(image.format).can_contain_scripts
        else "inline"
    )
    fields = {
        "last-modified": format_datetime(image.modified_at.astimezone(UTC), usegmt=True),
        "accept-ranges": "bytes",
        **_CORS_EXPOSE,
        **_SECURITY_HEADERS,
        "content-disposition": f"{disposition}; filename*=UTF-8''{name}",
        "content-type": picture.media_type,
        "content-length": str(length),
    }
    return _pairs(fields)


def _read(picture: Picture) -> bytes:
    # One byte more than it should have: a longer file is damaged too.
    data = picture.store.read_range(picture.key, 0, picture.size + 1)
    _require_size(picture, len(data))
    return data


def _sendable_path(scope: Scope, picture: Picture) -> str | None:
    """The path of a picture if the server can send the file itself."""
    if picture.not_cached is not None or "http.response.pathsend" not in scope.get("extensions", {}):
        return None
    return picture.store.local_path(picture.key)


def _open_whole(picture: Picture) -> BinaryIO:
    """Open the file of a picture, and check that it has the recorded size."""
    file = picture.store.open(picture.key)
    try:
        _require_size(picture, os.fstat(file.fileno()).st_size)
    except EOFError:
        file.close()
        raise
    return file


def _require_size(picture: Picture, size: int) -> None:
    if size != picture.size:
        raise EOFError(f"the file has {size} bytes, of {picture.size} that are recorded")


async def _preflight(send: Send) -> None:
    allowed = {
        "access-control-allow-methods": ", ".join(METHODS),
        "access-control-allow-headers": "Range, If-Range, If-None-Match, If-Modified-Since",
        "access-control-max-age": "86400",
        "allow": ", ".join(METHODS),
    }
    await _start(send, 204, _pairs(CORS | allowed))
    await send(EMPTY_BODY)


def _pairs(fields: dict[str, str]) -> Pairs:
    return [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]


async def _start(send: Send, status: int, pairs: Pairs) -> None:
    await send({"type": "http.response.start", "status": status, "headers": pairs})
