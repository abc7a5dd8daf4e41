"""The APIs that clients speak, a folder each. Each folder here is discovered."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol

from msgspec import Struct

from tintype.core.runtime.rate_limit import RateLimiter
from tintype.core.runtime.signing import Keyring
from tintype.core.services import Clock
from tintype.imaging import Recipe
from tintype.model import Image, Links, PlacementKind
from tintype.web.api import Api, S
from tintype.web.dialect_routes import ErrorRenderer, LinkParser
from tintype.web.errors import problem_details


class LinkContext(Struct, frozen=True):
    """What a link parser may use besides the link itself: the keys and the clock."""

    keyring: Keyring
    clock: Clock


ImageLinkWriter = Callable[[Keyring, Image, Recipe | None, int | None], str]
"""Writes a signed link to the current version of an image: path and query.

The arguments are the keys, the image, the recipe (None: the original) and the Unix time in seconds when the
link expires (None: never).
"""


class DemoScene(Struct, frozen=True):
    """The values for the example request of a dialect in the demo.

    Attributes:
        base_url: the base URL of the service.
        credentials: `token`, or `client_token` and `access_token`, and the dialect's `demo_ids`.
        image: an image of the demo.
        upload: a PNG file as an argument of curl: `@` and its path, quoted for a shell.
    """

    base_url: str
    credentials: Mapping[str, str]
    image: Image
    upload: str


class TokenLimit(Protocol):
    """Settings with a rate limit: so many `requests` of each token in any `window_seconds`."""

    @property
    def requests(self) -> int: ...  # noqa: D102  the class says it

    @property
    def window_seconds(self) -> float: ...  # noqa: D102  the same


def limit_tokens(settings: TokenLimit) -> RateLimiter:
    """The rate limiter by these settings."""
    return RateLimiter(settings.requests, settings.window_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(Generic[S]):
    """One API that clients speak, or one grammar of delivery links, or both.

    Attributes:
        name: the name in settings, tokens and the log; the same as the folder's.
        prefixes: the prefixes of its paths.
        settings: the struct of its settings, each field with a default.
        link_parsers: makes the parsers of its delivery links, by path prefix.
        links: returns whether its links are plain or signed where the account has no setting of its own;
            None: always signed.
        api: its endpoints; None: it only delivers, and has no tokens.
        render_error: encodes an error as the vendor does; by default as problem details (RFC 9457).
        placement_kinds: returns the kinds of placements that it has, by name; None: it has none.
        trailing_slash: whether a slash at the end of a path is ignored.
        any_case_links: whether the case of the prefixes of its links is ignored.
        write_image_link: writes links to any rendition, for the first page and `tintype link`; None: the
            dialect has no such links.
        demo_ids: ids that a client of the demo needs besides tokens, by name.
        example: returns a title and a shell command that sends a request to the demo; None: no example.
    """

    name: str
    prefixes: tuple[str, ...]
    settings: type[S]
    link_parsers: Callable[[LinkContext, S], dict[str, LinkParser]]
    links: Callable[[S], Links] | None = None
    api: Api[S] | None = None
    render_error: ErrorRenderer = problem_details
    placement_kinds: Callable[[S], Mapping[str, PlacementKind]] | None = None
    trailing_slash: bool = False
    any_case_links: bool = False
    write_image_link: ImageLinkWriter | None = None
    demo_ids: Mapping[str, str] = field(default_factory=dict)
    example: Callable[[DemoScene], tuple[str, str]] | None = None


AnyDialect = Dialect[Struct]
"""One of several dialects. Each is only given settings that its own `settings` made."""


def discover() -> tuple[AnyDialect, ...]:
    """All dialects that have a folder here, sorted by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").DIALECT for name in names)


def find_link_writer(dialects: Sequence[AnyDialect]) -> tuple[str, ImageLinkWriter] | None:
    """The name and the link writer of the first dialect that has links to any rendition."""
    for dialect in dialects:
        if dialect.write_image_link is not None:
            return dialect.name, dialect.write_image_link
    return None


def placement_kinds(
    dialects: Sequence[AnyDialect], settings: Mapping[str, Struct]
) -> dict[str, PlacementKind]:
    """The kinds of placements of these dialects, by name; those without settings are left out."""
    return {
        name: kind
        for dialect in dialects
        if dialect.placement_kinds is not None and dialect.name in settings
        for name, kind in dialect.placement_kinds(settings[dialect.name]).items()
    }
