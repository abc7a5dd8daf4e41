"""Delivery of pictures over plain ASGI, the long way: a link is read, its picture found or made, and sent."""

import os
from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from tintype.core import Services
from tintype.core.access.metadata_policy import is_stripped
from tintype.core.access.quotas import require_seconds
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.delivery.missing_original import missing_original
from tintype.core.delivery.render import (
    Client,
    Picture,
    original,
    original_tag,
    rendition,
    rendition_tag,
    stripped_original,
    stripped_tag,
    touch,
)
from tintype.core.delivery.variant import varies
from tintype.core.runtime.record_cache import CachedImage
from tintype.imaging import Format, Recipe, spec
from tintype.model import Error, Kind, no_such_image
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
"""Bytes read at once where the server can't send a file by itself."""
TRIES = 3
"""How often a rendition is made that is removed again before it can be opened."""

METHODS = ("GET", "HEAD", "OPTIONS")

_UNSIGNED = frozenset({Kind.FORBIDDEN, Kind.NOT_FOUND})
"""How a dialect may refuse a signature."""

_CORS_ORIGIN = {"access-control-allow-origin": "*"}
_CORS_EXPOSE = {
    "access-control-expose-headers": "Content-Length, Content-Range, ETag, Last-Modified, Request-Id",
    "cross-origin-resource-policy": "cross-origin",
}
CORS = _CORS_ORIGIN | _CORS_EXPOSE
"""Pictures may be shown and read by any page: the link is the permission, no cookie plays a part."""

_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


class Source(Struct, frozen=True):
    """Where the bytes of a picture come from: memory, or else a file that is held open."""

    picture: Picture
    data: bytes | None = None
    held: CachedBody | None = None
    file: int = -1


class Delivery:
    """Answers delivery links, and keeps ready what it has answered.

    Args:
        settings: what is kept in memory.
        bounds: what links that anybody can write may cause.
        hosts: the hosts that are served.
    """

    def __init__(
        self, services: Services, settings: DeliverySettings, bounds: UnsignedRenderLimit, hosts: Hosts
    ) -> None:
        self._services = services
        self._bounds = bounds
        self._pictures = BodyCache(settings)
        self.response_cache = ResponseCache(services, settings, self._pictures, hosts)

    async def deliver(
        self, context: Context, scope: Scope, receive: Receive, send: Send, routes: DialectRoutes, prefix: str
    ) -> None:
        """Answer a delivery link of a dialect.

        Raises:
            Error: as the opener; NOT_FOUND; INVALID; RANGE_NOT_SATISFIABLE; OVERLOADED; METHOD_NOT_ALLOWED;
                MALFORMED when the client went away while its picture was made.
        """
        if context.method == "OPTIONS":
            await _preflight(send)
            return
        if context.method not in METHODS:
            raise Error(Kind.METHOD_NOT_ALLOWED, "Pictures are read with GET.", field=", ".join(METHODS))
        keys, requested = await self._wanted(RequestTarget(context.target), routes.link_parsers[prefix])
        known = await _known(self._services, routes, requested)
        if requested.any_size and requested.recipe is not None:
            self._services.unsigned.require(known.image, requested.recipe)
        answer = await self._answer(context, keys, requested, known, accepted_formats(scope["headers"]))
        self._pictures.note(answer.tag)
        if is_unmodified(context.headers, answer.etag, known.image.modified_at):
            self._keep_ready(answer, self._pictures.get(answer.tag))
            await _start(send, 304, [*_validator_headers(answer), self._cache_control(answer)])
            await send(EMPTY_BODY)
            return
        source = await self._open(answer, scope, receive)
        try:
            if source.picture.stands_in:
                answer = _stand_in_headers(answer, source.picture)
            else:
                self._keep_ready(answer, source.held)
            await self._send(scope, send, answer, source)
        finally:
            if source.file >= 0:
                os.close(source.file)

    async def _answer(
        self,
        context: Context,
        keys: int,
        requested: DeliveryRequest,
        known: CachedImage,
        formats: frozenset[Format],
    ) -> "_Response":
        cache_policy = CachePolicy(requested.max_age, requested.public, requested.expires)
        if requested.recipe is None:
            strips = await is_stripped(self._services, known.image.account_id)
            tag = stripped_tag(known.image) if strips else original_tag(known.image)
            return _Response(context, keys, requested, known, cache_policy, tag, strips, None)
        tag = rendition_tag(known.image, requested.recipe, formats)
        told = formats if varies(known.image, requested.recipe) else None
        return _Response(
            context, keys, requested, known, cache_policy, tag, strips_metadata=False, formats=told
        )

    async def _wanted(self, target: RequestTarget, link_parser: LinkParser) -> tuple[int, DeliveryRequest]:
        """What a link asks for, and the generation of the keys that it was checked with."""
        keyring = self._services.keyring
        if keyring.is_late():
            await self._services.workers.disk(keyring.learn)
        # Before the link is checked: keys that change meanwhile must not count as those it was checked with.
        keys = keyring.generation
        try:
            return keys, link_parser(target)
        except Error as refused:
            # Another process may have made a key a moment ago.
            if refused.kind not in _UNSIGNED or not await self._services.workers.disk(keyring.learn):
                raise
        keys = keyring.generation
        return keys, link_parser(target)

    async def _open(self, answer: "_Response", scope: Scope, receive: Receive) -> Source:
        """The picture, made if it has to be; and made again if it is removed before we have it open."""
        image, recipe = answer.known.image, answer.requested.recipe
        held = self._pictures.get(answer.tag)
        if held is not None:
            # Before the wait: meanwhile it may give way to others.
            source = Source(held.picture, held.data, held)
            if recipe is not None or answer.strips_metadata:
                await touch(self._services, held.picture)
            return source
        for _ in range(TRIES):
            picture = await self._picture(answer, scope, receive)
            try:
                return await self._opened_file(picture, answer.known)
            except (FileNotFoundError, EOFError) as lost:
                if recipe is None and not answer.strips_metadata:
                    raise await missing_original(self._services, image, str(lost)) from lost
        raise no_such_image()

    async def _picture(self, answer: "_Response", scope: Scope, receive: Receive) -> Picture:
        image, recipe = answer.known.image, answer.requested.recipe
        if recipe is None and not answer.strips_metadata:
            return original(self._services, image)
        client = self._client(answer, recipe, scope)
        if recipe is None:
            making = stripped_original(self._services, image, client)
        else:
            making = rendition(self._services, image, recipe, answer.formats or frozenset(), client)
        return await cancel_on_disconnect(answer.context, receive, making)

    def _client(self, answer: "_Response", recipe: Recipe | None, scope: Scope) -> Client:
        """Who pays for a rendition: the address for a link without a signature, the account for the rest."""
        image = answer.known.image
        if answer.requested.unsigned:
            return self._bounds.client(
                self._services, image, recipe, scope, any_size=answer.requested.any_size
            )
        return Client(image.account_id, partial(require_seconds, self._services, image.account_id))

    async def _opened_file(self, picture: Picture, known: CachedImage) -> Source:
        if not self._pictures.takes(picture):
            if picture.data is not None:
                return Source(picture, picture.data)
            if picture.not_cached is not None:
                return Source(picture, file=os.dup(picture.not_cached.descriptor))
            return Source(picture, file=await self._services.workers.disk(_open_whole, picture))
        data = await self._services.workers.disk(_read, picture) if picture.data is None else picture.data
        return Source(picture, data, self._pictures.keep(picture, known, data))

    def _keep_ready(self, answer: "_Response", held: CachedBody | None) -> None:
        if not (_is_canonical(answer) and self._pictures.seen_twice(answer.tag)):
            return
        validating = _validator_headers(answer)
        expires = answer.cache_policy.expires is not None
        if not expires:
            validating.append(self._cache_control(answer))
        whole = (
            []
            if held is None
            else [*validating, *_representation_headers(answer, held.picture, held.picture.size)]
        )
        ready = CachedResponse(
            path=answer.context.path,
            known=answer.known,
            keys=answer.keys,
            tag=answer.etag.encode(),
            cache_policy=answer.cache_policy if expires else None,
            unmodified=validating,
            whole=whole,
            held=held,
        )
        self.response_cache.put(answer.context.link, ready, answer.formats)

    async def _send(self, scope: Scope, send: Send, answer: "_Response", source: Source) -> None:
        picture, context = source.picture, answer.context
        part = byte_range(
            context.method, context.headers, answer.etag, answer.known.image.modified_at, picture.size
        )
        pairs = _representation_headers(answer, picture, part.end - part.start)
        if part.partial:
            told = f"bytes {part.start}-{part.end - 1}/{part.size}"
            pairs.append((b"content-range", told.encode()))
        pairs = [*_validator_headers(answer), self._cache_control(answer), *pairs]
        await _start(send, 206 if part.partial else 200, pairs)
        if context.method == "HEAD":
            await send(EMPTY_BODY)
        elif source.data is not None:
            await send({"type": "http.response.body", "body": source.data[part.start : part.end]})
        elif not part.partial and not picture.not_cached and _sends_paths(scope):
            # The server opens it once more, a moment after us, and says 404 if it was removed in between.
            await send({"type": "http.response.pathsend", "path": str(picture.path)})
        else:
            await self._send_part(send, source, part)

    async def _send_part(self, send: Send, source: Source, part: ByteRange) -> None:
        start = part.start
        while start < part.end:
            size = min(CHUNK, part.end - start)
            chunk = await self._services.workers.disk(os.pread, source.file, size, start)
            if not chunk:
                raise EOFError(f"{source.picture.path} is shorter than recorded")
            start += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": start < part.end})

    def _cache_control(self, answer: "_Response") -> tuple[bytes, bytes]:
        field = answer.cache_policy.header(self._services.clock())
        if field is None:
            # It did not yet when the link was read.
            raise Error(Kind.EXPIRED_LINK, "The link has expired.")
        return field


class _Response(Struct, frozen=True):
    """A request for a picture that there is, and what its answer rests on."""

    context: Context
    keys: int
    requested: DeliveryRequest
    known: CachedImage
    cache_policy: CachePolicy
    tag: str
    strips_metadata: bool
    """Whether it is the original without its metadata."""
    formats: frozenset[Format] | None
    """The modern formats that the client reads; None where they make no difference."""

    @property
    def etag(self) -> str:
        """The tag as a header field has it."""
        return f'"{self.tag}"'


def _stand_in_headers(answer: _Response, picture: Picture) -> _Response:
    """The answer with another picture, which nobody should keep: the next request may get the better one."""
    return replace(answer, cache_policy=CachePolicy(0, public=False, expires=None), tag=picture.tag)


async def _known(services: Services, routes: DialectRoutes, requested: DeliveryRequest) -> CachedImage:
    default = routes.links if requested.unsigned else None
    known = await find_deliverable(services, routes.name, requested.key, requested.version, default=default)
    if requested.extension is not None and requested.extension.lower() != known.image.extension.lower():
        raise no_such_image()
    return known


def _is_canonical(answer: _Response) -> bool:
    """Whether the link is spelled as we write it, the extension in the image's own case."""
    requested = answer.requested
    return requested.canonical and requested.extension in {None, answer.known.image.extension}


def _validator_headers(answer: _Response) -> Pairs:
    """The fields of every answer about the picture, but for Cache-Control; a 304 has no others.

    RFC 9110, 15.4.5: what a client has of the picture already is not said again.
    """
    varying = {} if answer.formats is None else {"vary": "Accept"}
    return _pairs({"etag": answer.etag, **varying, **_CORS_ORIGIN})


def _representation_headers(answer: _Response, picture: Picture, length: int) -> Pairs:
    """The other fields of an answer that has the picture, or `length` bytes of it."""
    image, name = answer.known.image, quote(answer.known.image.filename, safe="")
    # In a page it is shown either way; opened by itself, it is saved instead of run.
    where = (
        "attachment"
        if answer.requested.recipe is None and spec(image.format).can_contain_scripts
        else "inline"
    )
    told = {
        "last-modified": format_datetime(image.modified_at.astimezone(UTC), usegmt=True),
        "accept-ranges": "bytes",
        **_CORS_EXPOSE,
        **_SECURITY_HEADERS,
        "content-disposition": f"{where}; filename*=UTF-8''{name}",
        "content-type": picture.media_type,
        "content-length": str(length),
    }
    return _pairs(told)


def _read(picture: Picture) -> bytes:
    data = picture.path.read_bytes()
    _check_size(picture, len(data))
    return data


def _sends_paths(scope: Scope) -> bool:
    return "http.response.pathsend" in scope.get("extensions", {})


def _open_whole(picture: Picture) -> int:
    """The descriptor of a picture's file, which has the size that is told to the client."""
    descriptor = os.open(picture.path, os.O_RDONLY)
    try:
        _check_size(picture, os.fstat(descriptor).st_size)
    except EOFError:
        os.close(descriptor)
        raise
    return descriptor


def _check_size(picture: Picture, size: int) -> None:
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


def _pairs(told: dict[str, str]) -> Pairs:
    return [(name.encode(), value.encode("latin-1")) for name, value in told.items()]


async def _start(send: Send, status: int, pairs: Pairs) -> None:
    await send({"type": "http.response.start", "status": status, "headers": pairs})
