"""Where the bytes of a picture come from: memory, its file, or a renderer."""

import os
from functools import partial
from typing import BinaryIO

from msgspec import Struct

from tintype.core import Services
from tintype.core.access.quotas import require_seconds
from tintype.core.delivery.missing_original import missing_original
from tintype.core.delivery.render import Client, Picture, original, rendition, touch
from tintype.core.runtime.record_cache import CachedImage
from tintype.model import no_such_image
from tintype.web.body_cache import BodyCache, CachedBody
from tintype.web.context import Scope
from tintype.web.dialect_routes import Receive
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.picture_response import PictureResponse
from tintype.web.unsigned_limits import UnsignedRenderLimit

TRIES = 3
"""Attempts to make a rendition that is removed before it can be opened."""


class Source(Struct, frozen=True):
    """Where the bytes of a picture come from: memory (`data`), or an open `file`."""

    picture: Picture
    data: bytes | None = None
    cached_body: CachedBody | None = None
    file: BinaryIO | None = None


class PictureSources:
    """Finds pictures, or has them made.

    Args:
        body_cache: the pictures in memory.
        render_limit: the limit on new renditions by unsigned links.
    """

    def __init__(self, services: Services, body_cache: BodyCache, render_limit: UnsignedRenderLimit) -> None:
        self._services = services
        self._body_cache = body_cache
        self._render_limit = render_limit

    async def open(self, answer: PictureResponse, scope: Scope, receive: Receive) -> Source:
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

    async def _find_or_make(self, answer: PictureResponse, scope: Scope, receive: Receive) -> Picture:
        image = answer.record.image
        if answer.variants is None:
            return original(self._services, image)
        work = rendition(self._services, image, answer.variants, self._client(answer, scope))
        return await cancel_on_disconnect(answer.context, receive, work)

    def _client(self, answer: PictureResponse, scope: Scope) -> Client:
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


def _read(picture: Picture) -> bytes:
    # One byte more than it should have: a longer file is damaged too.
    data = picture.store.read_range(picture.key, 0, picture.size + 1)
    _require_size(picture, len(data))
    return data


def _open_whole(picture: Picture) -> BinaryIO:
    """Open the file of a picture, and check that it has the recorded size."""
    file = picture.store.open(picture.key)
    try:
        _require_size(picture, os.fstat(file.fileno()).st_size)
    except EOFError:
        file.close()
        raise
    return file


def sendable_path(scope: Scope, picture: Picture) -> str | None:
    """The path of a picture if the server can send the file itself."""
    if picture.not_cached is not None or "http.response.pathsend" not in scope.get("extensions", {}):
        return None
    return picture.store.local_path(picture.key)


def _require_size(picture: Picture, size: int) -> None:
    if size != picture.size:
        raise EOFError(f"the file has {size} bytes, of {picture.size} that are recorded")
