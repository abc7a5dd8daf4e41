"""The composition root: builds the ASGI application from the settings."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

from litestar import Litestar, Request
from litestar.datastructures import State
from msgspec import Struct

from tintype.catalogue import CATALOGUE, Database
from tintype.console import Page, Showcase, icons, welcome
from tintype.core import Services
from tintype.core.delivery.invalidation import ChangePoller
from tintype.core.runtime.deferred import DeferredEncodes
from tintype.core.runtime.query_cache import QueryCache
from tintype.core.runtime.record_cache import RecordCache
from tintype.core.runtime.renderers import open_renderers, renderer_share
from tintype.core.runtime.signing import Keyring
from tintype.core.runtime.uploads import Uploads
from tintype.core.runtime.workers import Workers
from tintype.core.services import Clock
from tintype.dialects import AnyDialect, LinkContext, discover, find_link_writer, placement_kinds
from tintype.imaging import Recipe
from tintype.model import Links
from tintype.settings import Settings
from tintype.storage import Renditions, Reserve, Staging
from tintype.storage.local import LocalBlobs
from tintype.web.access_log import AccessLog
from tintype.web.api import Gate
from tintype.web.asgi import App
from tintype.web.connections import ConnectionGuard
from tintype.web.delivery import Delivery
from tintype.web.dialect_routes import DialectRoutes
from tintype.web.framework_routes import public_route, route
from tintype.web.unsigned_limits import UnsignedRenderLimit

ORIGINALS = "originals"
INCOMING = "incoming"
REMOVED = "removed"
RENDITIONS = "renditions"
LINK_KEYS = "link-keys.json"
RESERVE = "reserve"

THUMBNAIL_SIDE = 480
"""The longest side of a picture on the first page, in pixels."""


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


def build_services(settings: Settings, clock: Clock = utc_now, *, keys_required: bool = True) -> Services:
    """Build the services on a data folder with a migrated catalogue. Needs a running event loop.

    Raises:
        Internal: when there are no keys to sign links, unless they are not required.
    """
    renderers_share = renderer_share(settings.renderers, settings.web.workers)
    workers = Workers(settings.workers, renderers_share.count, renderers_share.memory)
    catalogue = Database(
        settings.data / CATALOGUE, settings.workers.catalogue_readers, settings.workers.catalogue_wait_seconds
    )
    return Services(
        catalogue=catalogue,
        originals=LocalBlobs(settings.data / ORIGINALS, settings.data / REMOVED),
        staging=Staging(settings.data / INCOMING),
        renditions=Renditions(settings.data / RENDITIONS, settings.renditions.max_bytes),
        reserve=Reserve(settings.data / RESERVE),
        workers=workers,
        renderers=open_renderers(
            settings.renderers, renderers_share.count, workers.max_memory, settings.workers.malloc_arenas
        ),
        deferred=DeferredEncodes(settings.deferred, workers),
        keyring=Keyring(settings.data / LINK_KEYS, required=keys_required),
        record_cache=RecordCache(settings.cache.images),
        query_cache=QueryCache(catalogue.state, settings.cache.answers),
        clock=clock,
        images=settings.images,
        unsigned=settings.limits.unsigned(settings.images.output_limits(), workers.max_memory),
        quotas=settings.quotas.quotas(),
        uploads=Uploads(),
        placement_kinds=placement_kinds(discover(), settings.dialects),
    )


async def close_services(services: Services) -> None:
    """Finish work under way, and close everything."""
    await services.workers.close()
    await asyncio.to_thread(services.renderers.close)
    await services.catalogue.close()


def create_app(
    settings: Settings,
    dialects: Sequence[AnyDialect],
    *,
    clock: Clock = utc_now,
    showcase: Showcase | None = None,
) -> App:
    """The ASGI application. One per process, created after a fork.

    Args:
        settings: all settings.
        dialects: all dialects; those that the settings name are served, by default all.
        clock: returns the time.
        showcase: what the first page of a demo shows; None outside of a demo.
    """
    dialects = [each for each in dialects if each.name in (settings.web.dialects or {each.name})]
    services = build_services(settings, clock)
    access_log = AccessLog(settings.logs)
    gates = {
        dialect.name: Gate(dialect.api, services, settings.dialects[dialect.name])
        for dialect in dialects
        if dialect.api is not None
    }
    all_routes = [
        _dialect_routes(dialect, services, settings, gates.get(dialect.name)) for dialect in dialects
    ]
    guard = ConnectionGuard(settings.web, by_address=settings.limits.proxies == 0)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        poller = ChangePoller(services)
        poller.start()
        # Last, as it takes CPU time: most first requests need no renderer.
        services.renderers.start()
        guarding = asyncio.create_task(guard.watch())
        yield
        guarding.cancel()
        await poller.stop()
        access_log.close()
        await close_services(services)

    endpoints = Litestar(
        route_handlers=[
            welcome(services, _welcome_page(services, dialects, showcase)),
            *icons(),
            *(
                route(gate, endpoint, settings.limits.proxies)
                for gate in gates.values()
                for endpoint in gate.routed_endpoints()
            ),
            *(
                public_route(gate, public, settings.limits.proxies)
                for gate in gates.values()
                for public in gate.public_endpoints()
            ),
        ],
        exception_handlers={Exception: _pass_on},
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        # Each dialect has its own limits, and its own error when one is exceeded.
        request_max_body_size=None,
    )
    return App(
        services,
        endpoints,
        all_routes,
        settings.web,
        Delivery(
            services, settings.delivery, UnsignedRenderLimit(settings.limits), settings.web.served_hosts()
        ),
        access_log,
        settings.limits.proxies,
    )


def _dialect_routes(
    dialect: AnyDialect, services: Services, settings: Settings, gate: Gate[Struct] | None
) -> DialectRoutes:
    own = settings.dialects[dialect.name]
    return DialectRoutes(
        name=dialect.name,
        prefixes=dialect.prefixes,
        render_error=dialect.render_error,
        link_parsers=dialect.link_parsers(LinkContext(services.keyring, services.clock), own),
        links=Links.SIGNED if dialect.links is None else dialect.links(own),
        raw_endpoints={} if gate is None else gate.raw_endpoints(),
        trailing_slash=dialect.trailing_slash,
        any_case_links=dialect.any_case_links,
    )


def _welcome_page(services: Services, dialects: Sequence[AnyDialect], showcase: Showcase | None) -> Page:
    names = tuple(dialect.name for dialect in dialects)
    found = find_link_writer(dialects)
    if found is None:
        return Page(names, None, showcase)
    _, write = found
    recipe = Recipe(width=THUMBNAIL_SIDE, height=THUMBNAIL_SIDE).normal()
    return Page(names, lambda image: write(services.keyring, image, recipe, None), showcase)


def _pass_on(_request: Request[Any, Any, State], raised: Exception) -> NoReturn:
    """Leave an error to `App`, which answers all of them alike; the framework would make its own response."""
    raise raised
