"""The outside APIs, a folder each: the same five files, discovered by being here."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from tintype.core.runtime.rate_limit import RateLimiter
from tintype.core.runtime.signing import Keyring
from tintype.core.services import Clock, Services
from tintype.model import Caller, Links
from tintype.web.dialect_routes import ErrorRenderer, LinkParser, RawEndpoint


class LinkContext(Struct, frozen=True):
    """What reading a delivery link may need besides the link."""

    keyring: Keyring
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One outside API.

    Attributes:
        name: as in settings, tokens and the log; the folder's name.
        prefixes: where its paths begin.
        settings: its own settings, each field with a default.
        routes: the endpoints; they may ask for `services`, `settings`, `context`, `caller`, `rate_limiter`,
            `raw`.
        authenticate: vendor auth: the caller behind a request. Raises Error.
        rate_limiter: how often one token may ask, from the settings.
        render_error: says errors.
        link_parsers: prefixes of its delivery links, each with what reads them.
        links: what its links are unless an account says otherwise, from the settings; None: always signed.
        raw_endpoints: endpoints that are answered ahead of the framework too, because they are asked most:
            by paths.
        scopes: every scope that a token of it can have; a new token has them all unless told otherwise.
        pairs: whether an access token is issued for a client token.
        trailing_slash: whether a slash at the end of a path is overlooked.
    """

    name: str
    prefixes: tuple[str, ...]
    settings: type[Struct]
    routes: tuple[HTTPRouteHandler, ...]
    authenticate: Callable[..., Awaitable[Caller]]
    rate_limiter: Callable[[Any], RateLimiter]
    render_error: ErrorRenderer
    link_parsers: Callable[[LinkContext, Any], dict[str, LinkParser]]
    links: Callable[[Any], Links] | None = None
    raw_endpoints: Callable[[Services, Any, RateLimiter], dict[str, RawEndpoint]] = (
        lambda _services, _settings, _rate_limiter: {}
    )
    scopes: frozenset[str] = frozenset()
    pairs: bool = False
    trailing_slash: bool = False


def discover() -> tuple[Dialect, ...]:
    """Every dialect whose folder lies here, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").DIALECT for name in names)
