"""The dialect of Smartsheet clients: images in cells, and temporary URLs for them."""

from litestar.di import NamedDependency as Given

from tintype.core import House
from tintype.core.pace import Pace
from tintype.core.permit import admit as admit_token
from tintype.dialects import Dialect, LinkHouse
from tintype.dialects.smartsheet import links, routes, wire
from tintype.model import Caller, Error, Kind
from tintype.web.bodies import collect
from tintype.web.context import Context
from tintype.web.mount import Answer, Direct, Opener, Receive, Target, Wanted


async def admit(house: Given[House], context: Given[Context]) -> Caller:
    """The caller behind a bearer token; access tokens and OAuth 2 tokens look the same."""
    return await admit_token(house, "smartsheet", wire.bearer(context.headers.get("authorization", "")))


def deliveries(house: LinkHouse, _settings: routes.Settings) -> dict[str, Opener]:
    """Signed links: nothing is said of an image before the signature holds."""

    def open_link(target: Target) -> Wanted:
        link, signature = links.parse(target)
        if not house.keyring.verify(link.parts(), signature):
            raise Error(Kind.FORBIDDEN, "The signature is not of this link.")
        return link.wanted(house.clock())

    return {links.PREFIX: open_link}


def direct(house: House, settings: routes.Settings, pace: Pace) -> dict[str, Direct]:
    """The batch endpoint, without the framework: it costs more than all else of a batch."""

    async def image_urls(context: Context, receive: Receive) -> Answer:
        caller = await admit(house, context)
        context.came_in(caller)

        async def read() -> bytes:
            return await collect(context, receive, settings.max_body_bytes)

        return await routes.image_urls(read, house, settings, context, caller, pace)

    return dict.fromkeys(routes.PATHS, image_urls)


DIALECT = Dialect(
    name="smartsheet",
    prefixes=("/2.0", "/imageurls", "/storageProxy"),
    settings=routes.Settings,
    routes=(routes.list_image_urls, routes.add_cell_image, routes.get_row),
    admit=admit,
    pace=lambda settings: Pace(settings.requests, settings.window_seconds),
    voice=wire.say,
    deliveries=deliveries,
    direct=direct,
    scopes=frozenset({routes.READ, routes.WRITE}),
    trailing_slash=True,
)
