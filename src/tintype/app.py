"""The only place where everything is put together: settings in, ASGI application out."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import NamedDependency as Given
from litestar.di import Provide
from msgspec import Struct, structs

from tintype.catalogue import Database
from tintype.console import Page, Showcase, welcome
from tintype.core import House
from tintype.core.facts import Facts
from tintype.core.follow import Follower
from tintype.core.house import Clock
from tintype.core.later import Later
from tintype.core.memory import Memory
from tintype.core.pace import Pace
from tintype.core.renderers import open_renderers, share
from tintype.core.sign import Keyring
from tintype.core.uploads import Uploads
from tintype.core.workers import Workers
from tintype.dialects import Dialect, LinkHouse
from tintype.dialects.native import DIALECT, links
from tintype.imaging import Recipe
from tintype.model import Caller, Image, Links
from tintype.settings import Settings
from tintype.storage import Originals, Renditions, Reserve
from tintype.web import bodies, context
from tintype.web.bounds import Bounds, client_address
from tintype.web.connections import Guard
from tintype.web.context import Context
from tintype.web.delivery import Delivery
from tintype.web.errors import problem, understand
from tintype.web.front import Front
from tintype.web.lines import Lines
from tintype.web.mount import Mount, find
from tintype.web.responses import from_answer

CATALOGUE = "catalogue.sqlite3"
ORIGINALS = "originals"
INCOMING = "incoming"
REMOVED = "removed"
RENDITIONS = "renditions"
LINK_KEYS = "link-keys.json"
RESERVE = "reserve"

THUMBNAIL_SIDE = 480
"""Pixels of a picture on the first page, at the most."""


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def open_house(settings: Settings, clock: Clock = utc_now, *, keys_required: bool = True) -> House:
    """Put the house together on its data folder, whose catalogue must be migrated. Needs a running loop.

    Raises:
        Error: INTERNAL when there are no keys to sign links with, unless they are not required.
    """
    part = share(settings.renderers, settings.web.workers)
    workers = Workers(settings.workers, part.count, part.memory)
    catalogue = Database(
        settings.data / CATALOGUE, settings.workers.catalogue_readers, settings.workers.catalogue_wait_seconds
    )
    return House(
        catalogue=catalogue,
        originals=Originals(settings.data / ORIGINALS, settings.data / INCOMING, settings.data / REMOVED),
        renditions=Renditions(settings.data / RENDITIONS, settings.renditions.max_bytes),
        reserve=Reserve(settings.data / RESERVE),
        workers=workers,
        renderers=open_renderers(
            settings.renderers, part.count, workers.most_memory, settings.workers.malloc_arenas
        ),
        later=Later(settings.later, workers),
        keyring=Keyring(settings.data / LINK_KEYS, required=keys_required),
        facts=Facts(settings.facts.images),
        memory=Memory(catalogue.state, settings.facts.answers),
        clock=clock,
        images=settings.images,
        unsigned=settings.bounds.unsigned(settings.images.made()),
        quotas=settings.quotas.quotas(),
        uploads=Uploads(),
    )


async def close_house(house: House) -> None:
    """Let work under way finish, and give everything back."""
    await house.workers.close()
    await asyncio.to_thread(house.renderers.close)
    await house.catalogue.close()


def create_app(
    settings: Settings,
    dialects: Sequence[Dialect],
    *,
    clock: Clock = utc_now,
    showcase: Showcase | None = None,
) -> Front:
    """The ASGI application. One a process, made after a fork.

    Args:
        settings: all of them.
        dialects: all there are; those that the settings name are served, or all.
        clock: tells the time.
        showcase: what the first page of a demo shows; None outside a demo.
    """
    dialects = [each for each in dialects if each.name in (settings.web.dialects or {each.name})]
    house = open_house(settings, clock)
    lines = Lines(settings.logs)
    paces = {dialect.name: dialect.pace(settings.dialects[dialect.name]) for dialect in dialects}
    mounts = [_mount(dialect, house, settings, paces[dialect.name]) for dialect in dialects]
    guard = Guard(settings.web, by_address=settings.bounds.proxies == 0)

    @asynccontextmanager
    async def life(_app: Litestar) -> AsyncIterator[None]:
        follower = Follower(house)
        follower.start()
        # Last of all that takes a core: requests are answered before the first picture is asked for.
        house.renderers.start()
        guarding = asyncio.create_task(guard.watch())
        yield
        guarding.cancel()
        await follower.stop()
        lines.close()
        await close_house(house)

    def answer_error(request: Request[Any, Any, State], raised: Exception) -> Any:  # noqa: ANN401  Litestar's type
        asked = context.of(request.scope)
        mount = find(mounts, asked.path)
        return from_answer((mount.voice if mount else problem)(understand(raised, asked), asked))

    endpoints = Litestar(
        route_handlers=[
            welcome(house, _page(house, dialects, showcase)),
            *(_router(dialect, house, settings, paces[dialect.name]) for dialect in dialects),
        ],
        dependencies={"context": Provide(_context, sync_to_thread=False)},
        exception_handlers={Exception: answer_error},
        lifespan=[life],
        openapi_config=None,
        logging_config=None,
        # Each dialect has limits of its own, and answers in its own words when one is passed.
        request_max_body_size=None,
    )
    return Front(
        house,
        endpoints,
        mounts,
        settings.web,
        Delivery(house, settings.delivery, Bounds(settings.bounds), settings.web.served_hosts()),
        lines,
        settings.bounds.proxies,
    )


def _mount(dialect: Dialect, house: House, settings: Settings, pace: Pace) -> Mount:
    own = settings.dialects[dialect.name]
    return Mount(
        name=dialect.name,
        prefixes=dialect.prefixes,
        voice=dialect.voice,
        deliveries=dialect.deliveries(LinkHouse(house.keyring, house.clock), own),
        links=Links.SIGNED if dialect.links is None else dialect.links(own),
        direct=dialect.direct(house, own, pace),
        trailing_slash=dialect.trailing_slash,
    )


def _router(dialect: Dialect, house: House, settings: Settings, pace: Pace) -> Router:
    own = settings.dialects[dialect.name]

    async def read_raw(request: Request[Any, Any, State]) -> bytes:
        return await bodies.read(request, own.max_body_bytes)

    async def read_of_caller(request: Request[Any, Any, State], caller: Given[Caller]) -> bytes:
        """The same, once somebody is known to have sent it."""
        del caller
        return await read_raw(request)

    has_token_in_body = "raw" in inspect.signature(dialect.admit).parameters

    def came_in(
        request: Request[Any, Any, State], context: Given[Context], admitted: Given[Caller]
    ) -> Caller:
        context.came_in(admitted)
        return structs.replace(admitted, origin=client_address(request.scope, settings.bounds.proxies))

    return Router(
        path="/",
        route_handlers=dialect.routes,
        dependencies={
            "house": _given(house),
            "settings": _given(own),
            "pace": _given(pace),
            "raw": Provide(read_raw if has_token_in_body else read_of_caller),
            "admitted": Provide(dialect.admit),
            "caller": Provide(came_in, sync_to_thread=False),
        },
    )


def _page(house: House, dialects: Sequence[Dialect], showcase: Showcase | None) -> Page:
    names = tuple(dialect.name for dialect in dialects)
    recipe = Recipe(width=THUMBNAIL_SIDE, height=THUMBNAIL_SIDE).normal()

    def thumbnail(image: Image) -> str:
        link = links.Link(image.id, image.version, recipe)
        return links.write(link, house.keyring.sign(link.parts()))

    return Page(names, thumbnail if DIALECT.name in names else None, showcase)


def _given(value: House | Struct | Pace) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)


def _context(request: Request[Any, Any, State]) -> Context:
    return context.of(request.scope)
