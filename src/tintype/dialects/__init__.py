"""The APIs that clients speak: one folder each, with the same five files. Each folder here is discovered."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from tintype.core.runtime.rate_limit import RateLimiter
from tintype.core.runtime.signing import Keyring
from tintype.core.services import Clock, Services
from tintype.imaging import Recipe
from tintype.model import Caller, Image, Links
from tintype.web.dialect_routes import ErrorRenderer, LinkParser, RawEndpoint


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


def limit_tokens(settings: Any) -> RateLimiter:  # noqa: ANN401  of any dialect
    """A rate limiter: `requests` of each token in any `window_seconds`, by these two settings."""
    return RateLimiter(settings.requests, settings.window_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One API that clients speak.

    Attributes:
        name: the name in settings, tokens and the log; the same as the folder's.
        prefixes: the prefixes of its paths.
        settings: the struct of its settings, each field with a default.
        routes: its endpoints; their parameters can be `services`, `settings`, `context`, `caller`,
            `rate_limiter` and `raw` (the body).
        authenticate: returns the caller of a request, by the vendor's rules; raises Error.
        rate_limiter: makes the rate limiter of its tokens from the settings; by default `limit_tokens`.
        render_error: encodes an error as the vendor does.
        link_parsers: makes the parsers of its delivery links, by path prefix.
        links: returns whether its links are plain or signed where the account has no setting of its own;
            None: always signed.
        raw_endpoints: makes the endpoints that are served without the framework, by path: those that get the
            most requests. POST is their only method.
        scopes: every scope that its tokens can have; a new token has all of them by default.
        pairs: whether a token is a pair of a client token and an access token.
        trailing_slash: whether a slash at the end of a path is ignored.
        write_image_link: writes links to any rendition, for the first page and `tintype link`; None: the
            dialect has no such links.
        demo_ids: ids that a client of the demo needs besides tokens, by name.
        example: returns a title and a shell command that sends a request to the demo; None: no example.
    """

    name: str
    prefixes: tuple[str, ...]
    settings: type[Struct]
    routes: tuple[HTTPRouteHandler, ...]
    authenticate: Callable[..., Awaitable[Caller]]
    render_error: ErrorRenderer
    link_parsers: Callable[[LinkContext, Any], dict[str, LinkParser]]
    rate_limiter: Callable[[Any], RateLimiter] = limit_tokens
    links: Callable[[Any], Links] | None = None
    raw_endpoints: Mapping[str, Callable[[Services, Any, RateLimiter], RawEndpoint]] = field(
        default_factory=dict
    )
    scopes: frozenset[str] = frozenset()
    pairs: bool = False
    trailing_slash: bool = False
    write_image_link: ImageLinkWriter | None = None
    demo_ids: Mapping[str, str] = field(default_factory=dict)
    example: Callable[[DemoScene], tuple[str, str]] | None = None


def discover() -> tuple[Dialect, ...]:
    """All dialects that have a folder here, sorted by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").DIALECT for name in names)


def find_link_writer(dialects: Sequence[Dialect]) -> tuple[str, ImageLinkWriter] | None:
    """The name and the link writer of the first dialect that has links to any rendition."""
    for dialect in dialects:
        if dialect.write_image_link is not None:
            return dialect.name, dialect.write_image_link
    return None
