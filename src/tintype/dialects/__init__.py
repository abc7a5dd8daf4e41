"""The outside APIs, a folder each: the same four files, discovered by being here."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from tintype.core.house import Clock, House
from tintype.core.pace import Pace
from tintype.core.sign import Keyring
from tintype.model import Caller, Links
from tintype.web.mount import Direct, Opener, Voice


class LinkHouse(Struct, frozen=True):
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
        routes: the endpoints; they may ask for `house`, `settings`, `context`, `caller`, `pace`, `raw`.
        admit: vendor auth: the caller behind a request. Raises Error.
        pace: how often one token may ask, from the settings.
        voice: says errors.
        deliveries: prefixes of its delivery links, each with what reads them.
        links: what its links are unless an account says otherwise, from the settings; None: always signed.
        direct: endpoints that are answered ahead of the framework too, because they are asked most: by paths.
        scopes: every scope that a token of it can have; a new token has them all unless told otherwise.
        pairs: whether an access token is issued for a client token.
        trailing_slash: whether a slash at the end of a path is overlooked.
    """

    name: str
    prefixes: tuple[str, ...]
    settings: type[Struct]
    routes: tuple[HTTPRouteHandler, ...]
    admit: Callable[..., Awaitable[Caller]]
    pace: Callable[[Any], Pace]
    voice: Voice
    deliveries: Callable[[LinkHouse, Any], dict[str, Opener]]
    links: Callable[[Any], Links] | None = None
    direct: Callable[[House, Any, Pace], dict[str, Direct]] = lambda _house, _settings, _pace: {}
    scopes: frozenset[str] = frozenset()
    pairs: bool = False
    trailing_slash: bool = False


def discover() -> tuple[Dialect, ...]:
    """Every dialect whose folder lies here, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").DIALECT for name in names)
