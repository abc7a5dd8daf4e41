"""What the front door has to know of a dialect: its paths, its voice, its links."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Recipe
from tintype.model import Error, Kind, Links
from tintype.web.context import Context

MAX_QUERY_FIELDS = 50
"""Parameters of a delivery link."""


class RawResponse(Struct, frozen=True):
    """A whole response, small enough to be held in memory."""

    status: int
    body: bytes
    media_type: str
    headers: dict[str, str] = {}


class DeliveryRequest(Struct, frozen=True):
    """What a delivery link asks for.

    Attributes:
        key: the image, by id or by number.
        recipe: how the picture is made; None is the original as it came.
        version: the version that the link was made for; None is whichever is present.
        extension: what the image's extension has to be, case ignored; None is any.
        max_age: seconds a client may keep the picture without asking again.
        public: whether caches that serve several people may keep it.
        expires: Unix time, in seconds, from which on the link opens nothing; None is never.
        unsigned: whether anybody can write such a link; then whoever asks pays for its picture.
        any_size: whether anybody can write one for whatever sizes.
        canonical: whether it is spelled as we write it; no other spelling has an entry in a cache of its own.
    """

    key: UUID | int
    recipe: Recipe | None = None
    version: int | None = None
    extension: str | None = None
    max_age: int = 3600
    public: bool = True
    expires: float | None = None
    unsigned: bool = False
    any_size: bool = False
    canonical: bool = True


class RequestTarget(Struct, frozen=True):
    """What a delivery link asks of us: path and query as they came (RFC 9112, 3.2), without the base path.

    A signed link has one spelling: it opens only if `text` is to the letter what was written.
    """

    text: str

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.text.partition("?")[0])

    def query(self) -> "Query":
        """The parameters, decoded; of one that comes twice the last.

        Raises:
            Error: INVALID when there are too many.
        """
        text = self.text.partition("?")[2]
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS))
        except ValueError:
            raise Error(Kind.INVALID, f"A link has at most {MAX_QUERY_FIELDS} parameters.") from None


Receive = Callable[[], Awaitable[Any]]
"""How ASGI hands a message in: plainly, or as the framework types it."""
Query = Mapping[str, str]
RawEndpoint = Callable[[Context, Receive], Awaitable[RawResponse]]
"""An endpoint that is answered ahead of the framework: POST at exactly its path. Raises Error."""
LinkParser = Callable[[RequestTarget], DeliveryRequest]
"""Reads a delivery link. Raises Error (NOT_FOUND, INVALID, FORBIDDEN, EXPIRED_LINK) when it is none."""
ErrorRenderer = Callable[[Error, Context], RawResponse]
"""Says an error in a dialect's own shape."""


class DialectRoutes(Struct, frozen=True):
    """The paths of one dialect, and who speaks there.

    Attributes:
        name: the dialect.
        prefixes: where its paths begin; an error below them is said in its voice.
        render_error: says errors.
        link_parsers: prefixes of its delivery links, each with what reads them.
        links: what its links are unless an account says otherwise.
        raw_endpoints: endpoints that are answered ahead of the framework, by their paths.
        trailing_slash: whether a slash at the end of a path is overlooked.
    """

    name: str
    prefixes: tuple[str, ...]
    render_error: ErrorRenderer
    link_parsers: dict[str, LinkParser]
    links: Links = Links.SIGNED
    raw_endpoints: dict[str, RawEndpoint] = {}
    trailing_slash: bool = False


def find_routes(all_routes: Sequence[DialectRoutes], path: str) -> DialectRoutes | None:
    """The mount whose paths these are."""
    return next(
        (routes for routes in all_routes if any(_below(path, prefix) for prefix in routes.prefixes)), None
    )


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
