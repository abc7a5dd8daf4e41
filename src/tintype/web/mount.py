"""What the front door has to know of a dialect: its paths, its voice, its links."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Recipe
from tintype.model import Error
from tintype.web.context import Context


class Answer(Struct, frozen=True):
    """A whole response, small enough to be held in memory."""

    status: int
    body: bytes
    media_type: str
    headers: dict[str, str] = {}


class Wanted(Struct, frozen=True):
    """What a delivery link asks for.

    Attributes:
        key: the image, by id or by number.
        recipe: how the picture is made; None is the original as it came.
        version: the version that the link was made for; None is whichever is present.
        extension: what the image's extension has to be, case ignored; None is any.
        max_age: seconds a client may keep the picture without asking again.
        shared: whether caches that serve several people may keep it.
        expires: Unix time, in seconds, from which on the link opens nothing; None is never.
        unsigned: whether anybody can write such a link; then whoever asks pays for its picture.
        free: whether anybody can write one for whatever sizes.
    """

    key: UUID | int
    recipe: Recipe | None = None
    version: int | None = None
    extension: str | None = None
    max_age: int = 3600
    shared: bool = True
    expires: float | None = None
    unsigned: bool = False
    free: bool = False


Receive = Callable[[], Awaitable[Any]]
"""How ASGI hands a message in: plainly, or as the framework types it."""
Query = Mapping[str, str]
Direct = Callable[[Context, Receive], Awaitable[Answer]]
"""An endpoint that is answered ahead of the framework: POST at exactly its path. Raises Error."""
Opener = Callable[[str, Query], Wanted]
"""Reads a delivery link: the path without the base path, and the query. Raises Error (MISSING, INVALID,
FORBIDDEN, EXPIRED_LINK) when it is none."""
Voice = Callable[[Error, Context], Answer]
"""Says an error in a dialect's own shape."""


class Mount(Struct, frozen=True):
    """The paths of one dialect, and who speaks there.

    Attributes:
        name: the dialect.
        prefixes: where its paths begin; an error below them is said in its voice.
        voice: says errors.
        deliveries: prefixes of its delivery links, each with what reads them.
        direct: endpoints that are answered ahead of the framework, by their paths.
        trailing_slash: whether a slash at the end of a path is overlooked.
    """

    name: str
    prefixes: tuple[str, ...]
    voice: Voice
    deliveries: dict[str, Opener]
    direct: dict[str, Direct] = {}
    trailing_slash: bool = False


def find(mounts: Sequence[Mount], path: str) -> Mount | None:
    """The mount whose paths these are."""
    return next((mount for mount in mounts if any(_below(path, prefix) for prefix in mount.prefixes)), None)


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
