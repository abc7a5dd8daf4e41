"""What the ASGI application needs of a dialect: its paths, its error format, its links."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Recipe
from tintype.model import Error, Invalid, Links
from tintype.web.context import Context
from tintype.web.query import Query, parse_query


class RawResponse(Struct, frozen=True):
    """A whole response, small enough to be held in memory."""

    status: int
    body: bytes
    media_type: str
    headers: dict[str, str] = {}


class DeliveryRequest(Struct, frozen=True):
    """The request in a delivery link.

    Attributes:
        key: the image, by id or by number.
        recipe: how the picture is made; None is the original.
        version: the version that the link was made for; None is the present one.
        extension: the file extension in the link; None: it has none. It need not be the image's, whose type a
            replacement may have changed, but only then is the link canonical.
        max_age: seconds for which clients may cache the picture.
        public: whether shared caches may store it.
        expires: Unix time, in seconds, when the link expires; None is never.
        unsigned: whether the link has no signature; then the client's address pays for new renditions.
        any_size: whether the client chose the size, so that the limits on sizes apply.
        canonical: whether it is in canonical form; only such links have entries in the response cache.
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
    """The request target of a delivery link: raw path and query (RFC 9112, 3.2), without the base path.

    A signed link is valid only if `text` is exactly what was signed.
    """

    text: str

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.text.partition("?")[0])

    def query(self) -> Query:
        """The query parameters, decoded; the last one wins.

        Raises:
            Invalid: when there are too many.
        """
        return parse_query(self.text.partition("?")[2], _too_many)


def _too_many(most: int) -> Error:
    return Invalid(f"A link has at most {most} parameters.")


Receive = Callable[[], Awaitable[Any]]
"""ASGI's `receive`, plain or as the framework types it."""
RawEndpoint = Callable[[Context, Receive], Awaitable[RawResponse]]
"""An endpoint outside of the framework: POST to exactly its path. Raises Error."""
LinkParser = Callable[[RequestTarget], DeliveryRequest]
"""Parses a delivery link. Raises NotFound, Invalid, Forbidden or ExpiredLink when it is not valid."""
ErrorRenderer = Callable[[Error, Context], RawResponse]
"""Renders an error in the format of a dialect."""


class DialectRoutes(Struct, frozen=True):
    """The paths of one dialect, and how they are served.

    Attributes:
        name: the dialect.
        prefixes: of its paths; errors below them are rendered in its format.
        render_error: renders errors.
        link_parsers: the parsers of its delivery links, by prefix.
        links: the kind of its links unless an account sets another.
        raw_endpoints: endpoints outside of the framework, by path.
        trailing_slash: whether a trailing slash is ignored.
        any_case_links: whether the case of the prefixes of its links is ignored.
    """

    name: str
    prefixes: tuple[str, ...]
    render_error: ErrorRenderer
    link_parsers: dict[str, LinkParser]
    links: Links = Links.SIGNED
    raw_endpoints: dict[str, RawEndpoint] = {}
    trailing_slash: bool = False
    any_case_links: bool = False


def find_routes(all_routes: Sequence[DialectRoutes], path: str) -> DialectRoutes | None:
    """The routes of the dialect that a path belongs to."""
    return next(
        (routes for routes in all_routes if any(_below(path, prefix) for prefix in routes.prefixes)), None
    )


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
