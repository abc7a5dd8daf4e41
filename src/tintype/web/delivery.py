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

from tintype.core import House
from tintype.core.browse import no_such_image
from tintype.core.choose import varies
from tintype.core.facts import Known
from tintype.core.follow import linked
from tintype.core.metadata import is_stripped
from tintype.core.missing_original import missing_original
from tintype.core.quotas import require_seconds
from tintype.core.render import (
    Client,
    Picture,
    original,
    original_tag,
    rendition,
    rendition_tag,
    stripped_original,
    stripped_tag,
    use,
)
from tintype.imaging import Format, Recipe, row
from tintype.model import Error, Kind
from tintype.web.bounds import Bounds
from tintype.web.conditions import Span, is_unmodified, span
from tintype.web.context import Context, Scope
from tintype.web.gone import unless_gone
from tintype.web.hosts import Hosts
from tintype.web.mount import Mount, Opener, Receive, Target, Wanted
from tintype.web.ready import NOTHING, DeliverySettings, Held, Lease, Pairs, Pictures, Ready, Shelf, reads

Send = Callable[[dict[str, Any]], Awaitable[None]]

CHUNK = 256 * 1024
"""Bytes read at once where the server can't send a file by itself."""
TRIES = 3
"""How often a rendition is made that is removed again before it can be opened."""

METHODS = ("GET", "HEAD", "OPTIONS")

_UNSIGNED = frozenset({Kind.FORBIDDEN, Kind.MISSING})
"""How a dialect may refuse a signature."""

_FOR_ALL = {"access-control-allow-origin": "*"}
_TO_READ = {
    "access-control-expose-headers": "Content-Length, Content-Range, ETag, Last-Modified, Request-Id",
    "cross-origin-resource-policy": "cross-origin",
}
CORS = _FOR_ALL | _TO_READ
"""Pictures may be shown and read by any page: the link is the permission, no cookie plays a part."""

_GUARD = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


class Source(Struct, frozen=True):
    """Where the bytes of a picture come from: memory, or else a file that is held open."""

    picture: Picture
    data: bytes | None = None
    held: Held | None = None
    file: int = -1


class Delivery:
    """Answers delivery links, and keeps ready what it has answered.

    Args:
        house: the house.
        settings: what is kept in memory.
        bounds: what links that anybody can write may cause.
        hosts: the hosts that are served.
    """

    def __init__(self, house: House, settings: DeliverySettings, bounds: Bounds, hosts: Hosts) -> None:
        self._house = house
        self._bounds = bounds
        self._pictures = Pictures(settings)
        self.shelf = Shelf(house, settings, self._pictures, hosts)

    async def deliver(
        self, context: Context, scope: Scope, receive: Receive, send: Send, mount: Mount, prefix: str
    ) -> None:
        """Answer a delivery link of a dialect.

        Raises:
            Error: as the opener; MISSING; INVALID; NO_SUCH_RANGE; BUSY; METHOD_NOT_ALLOWED; MALFORMED when
                the client went away while its picture was made.
        """
        if context.method == "OPTIONS":
            await _preflight(send)
            return
        if context.method not in METHODS:
            raise Error(Kind.METHOD_NOT_ALLOWED, "Pictures are read with GET.", field=", ".join(METHODS))
        keys, wanted = await self._wanted(Target(context.target), mount.deliveries[prefix])
        known = await _known(self._house, mount, wanted)
        if wanted.free and wanted.recipe is not None:
            self._house.unsigned.require(known.image, wanted.recipe)
        answer = await self._answer(context, keys, wanted, known, reads(scope["headers"]))
        self._pictures.note(answer.tag)
        if is_unmodified(context.headers, answer.etag, known.image.modified_at):
            self._keep_ready(answer, self._pictures.get(answer.tag))
            await _start(send, 304, [*_validating(answer), self._cache_control(answer)])
            await send(NOTHING)
            return
        source = await self._open(answer, scope, receive)
        try:
            if source.picture.stands_in:
                answer = _standing_in(answer, source.picture)
            else:
                self._keep_ready(answer, source.held)
            await self._send(scope, send, answer, source)
        finally:
            if source.file >= 0:
                os.close(source.file)

    async def _answer(
        self, context: Context, keys: int, wanted: Wanted, known: Known, formats: frozenset[Format]
    ) -> "_Answer":
        lease = Lease(wanted.max_age, wanted.shared, wanted.expires)
        if wanted.recipe is None:
            strips = await is_stripped(self._house, known.image.account_id)
            tag = stripped_tag(known.image) if strips else original_tag(known.image)
            return _Answer(context, keys, wanted, known, lease, tag, strips, None)
        tag = rendition_tag(known.image, wanted.recipe, formats)
        told = formats if varies(known.image, wanted.recipe) else None
        return _Answer(context, keys, wanted, known, lease, tag, strips_metadata=False, formats=told)

    async def _wanted(self, target: Target, opener: Opener) -> tuple[int, Wanted]:
        """What a link asks for, and the generation of the keys that it was checked with."""
        keyring = self._house.keyring
        if keyring.is_late():
            await self._house.workers.disk(keyring.learn)
        # Before the link is checked: keys that change meanwhile must not count as those it was checked with.
        keys = keyring.generation
        try:
            return keys, opener(target)
        except Error as refused:
            # Another process may have made a key a moment ago.
            if refused.kind not in _UNSIGNED or not await self._house.workers.disk(keyring.learn):
                raise
        keys = keyring.generation
        return keys, opener(target)

    async def _open(self, answer: "_Answer", scope: Scope, receive: Receive) -> Source:
        """The picture, made if it has to be; and made again if it is removed before we have it open."""
        image, recipe = answer.known.image, answer.wanted.recipe
        held = self._pictures.get(answer.tag)
        if held is not None:
            # Before the wait: meanwhile it may give way to others.
            source = Source(held.picture, held.data, held)
            if recipe is not None or answer.strips_metadata:
                await use(self._house, held.picture)
            return source
        for _ in range(TRIES):
            picture = await self._picture(answer, scope, receive)
            try:
                return await self._opened_file(picture, answer.known)
            except (FileNotFoundError, EOFError) as lost:
                if recipe is None and not answer.strips_metadata:
                    raise await missing_original(self._house, image, str(lost)) from lost
        raise no_such_image()

    async def _picture(self, answer: "_Answer", scope: Scope, receive: Receive) -> Picture:
        image, recipe = answer.known.image, answer.wanted.recipe
        if recipe is None and not answer.strips_metadata:
            return original(self._house, image)
        client = self._client(answer, recipe, scope)
        if recipe is None:
            making = stripped_original(self._house, image, client)
        else:
            making = rendition(self._house, image, recipe, answer.formats or frozenset(), client)
        return await unless_gone(answer.context, receive, making)

    def _client(self, answer: "_Answer", recipe: Recipe | None, scope: Scope) -> Client:
        """Who pays for a rendition: the address for a link without a signature, the account for the rest."""
        image = answer.known.image
        if answer.wanted.unsigned:
            return self._bounds.client(self._house, image, recipe, scope, free=answer.wanted.free)
        return Client(image.account_id, partial(require_seconds, self._house, image.account_id))

    async def _opened_file(self, picture: Picture, known: Known) -> Source:
        if not self._pictures.takes(picture):
            if picture.data is not None:
                return Source(picture, picture.data)
            if picture.unkept is not None:
                return Source(picture, file=os.dup(picture.unkept.descriptor))
            return Source(picture, file=await self._house.workers.disk(_open_whole, picture))
        data = await self._house.workers.disk(_read, picture) if picture.data is None else picture.data
        return Source(picture, data, self._pictures.keep(picture, known, data))

    def _keep_ready(self, answer: "_Answer", held: Held | None) -> None:
        if not (_is_canonical(answer) and self._pictures.is_sought(answer.tag)):
            return
        validating = _validating(answer)
        expires = answer.lease.expires is not None
        if not expires:
            validating.append(self._cache_control(answer))
        whole = [] if held is None else [*validating, *_telling(answer, held.picture, held.picture.size)]
        ready = Ready(
            path=answer.context.path,
            known=answer.known,
            keys=answer.keys,
            tag=answer.etag.encode(),
            lease=answer.lease if expires else None,
            unmodified=validating,
            whole=whole,
            held=held,
        )
        self.shelf.put(answer.context.link, ready, answer.formats)

    async def _send(self, scope: Scope, send: Send, answer: "_Answer", source: Source) -> None:
        picture, context = source.picture, answer.context
        part = span(
            context.method, context.headers, answer.etag, answer.known.image.modified_at, picture.size
        )
        pairs = _telling(answer, picture, part.end - part.start)
        if part.partial:
            told = f"bytes {part.start}-{part.end - 1}/{part.size}"
            pairs.append((b"content-range", told.encode()))
        pairs = [*_validating(answer), self._cache_control(answer), *pairs]
        await _start(send, 206 if part.partial else 200, pairs)
        if context.method == "HEAD":
            await send(NOTHING)
        elif source.data is not None:
            await send({"type": "http.response.body", "body": source.data[part.start : part.end]})
        elif not part.partial and not picture.unkept and _sends_paths(scope):
            # The server opens it once more, a moment after us, and says 404 if it was removed in between.
            await send({"type": "http.response.pathsend", "path": str(picture.path)})
        else:
            await self._send_part(send, source, part)

    async def _send_part(self, send: Send, source: Source, part: Span) -> None:
        start = part.start
        while start < part.end:
            size = min(CHUNK, part.end - start)
            chunk = await self._house.workers.disk(os.pread, source.file, size, start)
            if not chunk:
                raise EOFError(f"{source.picture.path} is shorter than recorded")
            start += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": start < part.end})

    def _cache_control(self, answer: "_Answer") -> tuple[bytes, bytes]:
        field = answer.lease.header(self._house.clock())
        if field is None:
            # It did not yet when the link was read.
            raise Error(Kind.EXPIRED_LINK, "The link has expired.")
        return field


class _Answer(Struct, frozen=True):
    """A request for a picture that there is, and what its answer rests on."""

    context: Context
    keys: int
    wanted: Wanted
    known: Known
    lease: Lease
    tag: str
    strips_metadata: bool
    """Whether it is the original without its metadata."""
    formats: frozenset[Format] | None
    """The modern formats that the client reads; None where they make no difference."""

    @property
    def etag(self) -> str:
        """The tag as a header field has it."""
        return f'"{self.tag}"'


def _standing_in(answer: _Answer, picture: Picture) -> _Answer:
    """The answer with another picture, which nobody should keep: the next request may get the better one."""
    return replace(answer, lease=Lease(0, shared=False, expires=None), tag=picture.tag)


async def _known(house: House, mount: Mount, wanted: Wanted) -> Known:
    default = mount.links if wanted.unsigned else None
    known = await linked(house, mount.name, wanted.key, wanted.version, default=default)
    if wanted.extension is not None and wanted.extension.lower() != known.image.extension.lower():
        raise no_such_image()
    return known


def _is_canonical(answer: _Answer) -> bool:
    """Whether the link is spelled as we write it, the extension in the image's own case."""
    wanted = answer.wanted
    return wanted.canonical and wanted.extension in {None, answer.known.image.extension}


def _validating(answer: _Answer) -> Pairs:
    """The fields of every answer about the picture, but for Cache-Control; a 304 has no others.

    RFC 9110, 15.4.5: what a client has of the picture already is not said again.
    """
    varying = {} if answer.formats is None else {"vary": "Accept"}
    return _pairs({"etag": answer.etag, **varying, **_FOR_ALL})


def _telling(answer: _Answer, picture: Picture, length: int) -> Pairs:
    """The other fields of an answer that has the picture, or `length` bytes of it."""
    image, name = answer.known.image, quote(answer.known.image.filename, safe="")
    # In a page it is shown either way; opened by itself, it is saved instead of run.
    where = "attachment" if answer.wanted.recipe is None and row(image.format).scripts else "inline"
    told = {
        "last-modified": format_datetime(image.modified_at.astimezone(UTC), usegmt=True),
        "accept-ranges": "bytes",
        **_TO_READ,
        **_GUARD,
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
    await send(NOTHING)


def _pairs(told: dict[str, str]) -> Pairs:
    return [(name.encode(), value.encode("latin-1")) for name, value in told.items()]


async def _start(send: Send, status: int, pairs: Pairs) -> None:
    await send({"type": "http.response.start", "status": status, "headers": pairs})
