"""Request bodies: read within limits, streamed to a file, parsed as multipart."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import unquote

from msgspec import Struct
from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    content_disposition_unquote,
    parse_options_header,
)

from tintype.core import Staged
from tintype.core.access.quotas import admit_upload
from tintype.core.library.ingest import stage
from tintype.model import Caller, Error, IncompleteBody, Malformed, TooLarge
from tintype.web.api import ApiRequest, S
from tintype.web.conditions import Headers

MAX_SEGMENTS = 100
"""The most parts of one multipart body."""
MAX_FIRST_LINE = 64 * 1024
"""The most bytes that are searched for the first line of a multipart body."""

_EXTENDED_VALUE = re.compile(r"(UTF-8|ISO-8859-1)'[A-Za-z0-9-]*'(.+)\Z", re.IGNORECASE)
"""RFC 8187, 3.2, in the charsets that parsers have to support: UTF-8, and in RFC 5987 ISO-8859-1."""
_PARAMETER = re.compile(r""";\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;]*)""")
_FIRST_LINE = re.compile(rb"--([^\r\n]{1,200})\r?\n")


class Part(Struct, frozen=True):
    """A staged file of a multipart body. `filename` is empty without one; `count` is how many files came."""

    staged: Staged
    filename: str
    count: int


async def read(request: ApiRequest[S], limit: int) -> bytes:
    """Read a whole body of at most `limit` bytes; what was read before is returned again.

    Raises:
        TooLarge: when there are more.
        IncompleteBody: when it ended early, or was too slow.
    """
    if request.raw is None:
        _declared_length(request.context.headers, limit)
        parts = [chunk async for chunk in _limited(chunks(request), limit)]
        request.raw = parts[0] if len(parts) == 1 else b"".join(parts)
    return request.raw


async def chunks(request: ApiRequest[S]) -> AsyncIterator[bytes]:
    """The chunks of a body; none once it was read to its end.

    Raises:
        IncompleteBody: when it ended early, or was too slow.
    """
    while not request.context.body_is_read:
        event = await request.receive()
        if event["type"] == "http.disconnect":
            raise IncompleteBody("The body ended before it was complete.")
        yield event["body"]


@asynccontextmanager
async def staged_body(
    request: ApiRequest[S], caller: Caller, limit: int, replaces: int | None = None
) -> AsyncIterator[Staged]:
    """Stage a raw body; it counts as an upload of the caller until the block ends.

    Args:
        request: the request.
        caller: the uploader.
        limit: the most bytes.
        replaces: bytes of the original that it replaces; None: it is a new image.

    Raises:
        TooLarge: when there are more.
        IncompleteBody: when it ended early, or was too slow.
        QuotaExceeded, TooManyRequests: as `admit_upload`, before the body is read if it has a Content-Length.
    """
    length = _declared_length(request.context.headers, limit)
    async with admit_upload(request.services, caller, length, replaces) as under_way:
        source = under_way.counted(_limited(chunks(request), limit))
        async with stage(request.services, source, limit) as staged:
            yield staged


@asynccontextmanager
async def staged_part(
    request: ApiRequest[S],
    caller: Caller,
    field: str,
    *,
    limit: int,
    body_limit: int,
    replaces: int | None = None,
) -> AsyncIterator[Part | None]:
    """Stage the file of a multipart body; None if there is no such field. Otherwise as `staged_body`.

    If the Content-Type has no boundary (as in some vendors' examples), it is read from the first line of
    the body.

    Args:
        request: the request.
        caller: the uploader.
        field: the name of the file's field; later fields of that name are counted and dropped.
        limit: the most bytes of the file.
        body_limit: the most bytes of the whole body.
        replaces: bytes of the original that it replaces; None: it is a new image.

    Raises:
        TooLarge: when there are more.
        Malformed: when the body is not valid multipart, or ended early.
        QuotaExceeded, TooManyRequests: as `admit_upload`.
    """
    length = _declared_length(request.context.headers, body_limit)
    source = _MultipartSource(chunks(request), request.context.headers, field, limit, body_limit)
    async with admit_upload(request.services, caller, length, replaces) as under_way:
        if not await source.seek():
            yield None
            return
        async with stage(request.services, under_way.counted(source.file()), limit) as staged:
            await source.finish()
            yield Part(staged, source.filename, source.count)


class _MultipartSource:
    """One file of a multipart body, as a stream."""

    def __init__(
        self, body: AsyncIterator[bytes], headers: Headers, field: str, limit: int, body_limit: int
    ) -> None:
        self._body = body
        self._content_type = headers.get("content-type", "")
        self._field = field
        self._limit = limit
        self._body_limit = body_limit
        self._events = self._parse()
        self.filename = ""
        self.count = 0

    async def seek(self) -> bool:
        """Read up to the file; False if the body has none."""
        async for event in self._events:
            if isinstance(event, MultipartSegment) and event.name == self._field:
                self.count = 1
                self.filename = filename(event.header("Content-Disposition") or "") or ""
                return True
        return False

    async def file(self) -> AsyncIterator[bytes]:
        """The bytes of the file."""
        size = 0
        async for event in self._events:
            if not isinstance(event, bytes | bytearray):
                return
            size += len(event)
            if size > self._limit:
                raise TooLarge(f"The file is larger than {self._limit} bytes.", part="file")
            yield bytes(event)

    async def finish(self) -> None:
        """Read to the end of the body, so that an incomplete one is refused."""
        async for event in self._events:
            if isinstance(event, MultipartSegment) and event.name == self._field:
                self.count += 1

    async def _parse(self) -> AsyncIterator[MultipartSegment | bytes | bytearray | None]:
        source = _limited(self._body, self._body_limit)
        first = await _first_line(source)
        try:
            boundary = _boundary(self._content_type, first)
            # Headers are Latin-1, as in the request itself: `filename` decodes those that are UTF-8.
            with PushMultipartParser(
                boundary, max_segment_count=MAX_SEGMENTS, header_charset="latin-1"
            ) as parser:
                for event in parser.parse(first):
                    yield event
                async for chunk in source:
                    for event in parser.parse(chunk):
                        yield event
        except MultipartError as broken:
            raise Malformed("The body is not well-formed multipart/form-data.") from broken


def is_multipart(headers: Headers) -> bool:
    """Whether the Content-Type is multipart/form-data."""
    return media_type(headers) == "multipart/form-data"


def media_type(headers: Headers) -> str:
    """The Content-Type without its parameters, in lower case; empty if there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def filename(disposition: str) -> str | None:
    """The file name in a Content-Disposition: `filename*` before `filename` (RFC 6266); None without both."""
    extended, plain = disposition_filenames(disposition)
    return extended if extended is not None else plain


def disposition_filenames(disposition: str) -> tuple[str | None, str | None]:
    """`filename*`, decoded, and `filename` of a Content-Disposition; None for one that is missing or invalid.

    Clients put UTF-8 into `filename` although headers are Latin-1; it is decoded as UTF-8 if it is valid.
    """
    given = {name.lower(): value.strip() for name, value in _PARAMETER.findall(";" + _as_utf8(disposition))}
    plain: str = content_disposition_unquote(given.get("filename", ""), filename=True)
    return extended_value(given.get("filename*", "").strip('"')), plain.strip('"') or None


def extended_value(text: str) -> str | None:
    """The decoded value of an extended parameter (RFC 8187, 3.2): `UTF-8''a%20b`; None if it is none."""
    match = _EXTENDED_VALUE.match(text)
    if match:
        with suppress(UnicodeDecodeError):
            return unquote(match[2], encoding=match[1], errors="strict")
    return None


def _too_large(limit: int) -> Error:
    """The error for a body over a limit in bytes."""
    return TooLarge(f"The body is larger than {limit} bytes.", part="body")


def _declared_length(headers: Headers, limit: int) -> int | None:
    """The Content-Length, if there is a valid one.

    Raises:
        TooLarge: when it exceeds the limit.
    """
    declared = headers.get("content-length", "")
    if not declared.isdecimal():
        return None
    length = int(declared[:20])
    if length > limit:
        raise _too_large(limit)
    return length


async def _limited(source: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in source:
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


async def _first_line(source: AsyncIterator[bytes]) -> bytes:
    first = b""
    async for chunk in source:
        first += chunk
        if b"\n" in first or len(first) > MAX_FIRST_LINE:
            break
    return first


def _boundary(content_type: str, first: bytes) -> bytes | str:
    _, options = parse_options_header(content_type)
    if options.get("boundary"):
        return str(options["boundary"])
    line = _FIRST_LINE.match(first)
    if line is None:
        raise Malformed("The body is multipart/form-data without a boundary.")
    return line[1].rstrip()


def _as_utf8(header: str) -> str:
    with suppress(UnicodeDecodeError, UnicodeEncodeError):
        return header.encode("latin-1").decode("utf-8")
    return header
