"""The dialect of Mews Connector clients: a batch of image ids to URLs."""

from litestar.di import NamedDependency as Given

from tintype.core import House
from tintype.core.pace import Pace
from tintype.core.permit import admit_pair
from tintype.dialects import Dialect, LinkHouse
from tintype.dialects.mews import links, routes, wire
from tintype.model import Caller
from tintype.web.bodies import collect
from tintype.web.context import Context
from tintype.web.mount import Answer, Direct, Opener, Receive, Target, Wanted
from tintype.web.signatures import detach


async def admit(raw: Given[bytes], house: Given[House], context: Given[Context]) -> Caller:
    """The caller behind the two tokens in a body."""
    wire.require_json(context.headers.get("content-type"))
    credentials = wire.parse_credentials(raw)
    return await admit_pair(house, "mews", credentials.client_token or "", credentials.access_token or "")


def deliveries(house: LinkHouse, settings: routes.Settings) -> dict[str, Opener]:
    """Plain links, in which nothing has to be checked, and signed ones."""

    def open_link(target: Target) -> Wanted:
        address, is_signed = detach(house.keyring, links.SIGNED_FOR, target)
        link = links.parse(address)
        is_canonical = links.write(link) == address.text
        return link.wanted(settings.max_age_seconds, signed=is_signed, canonical=is_canonical)

    return {links.PREFIX: open_link}


def direct(house: House, settings: routes.Settings, pace: Pace) -> dict[str, Direct]:
    """The one endpoint, without the framework: it costs more than all else of a batch."""

    async def get_urls(context: Context, receive: Receive) -> Answer:
        raw = await collect(context, receive, settings.max_body_bytes)
        caller = await admit(raw, house, context)
        context.came_in(caller)
        return await routes.urls(raw, house, settings, context, caller, pace)

    return {routes.PATH: get_urls}


DIALECT = Dialect(
    name="mews",
    prefixes=("/api/connector", links.PREFIX),
    settings=routes.Settings,
    routes=(routes.get_urls,),
    admit=admit,
    pace=lambda settings: Pace(settings.requests, settings.window_seconds),
    voice=wire.say,
    deliveries=deliveries,
    links=lambda settings: settings.links,
    direct=direct,
    pairs=True,
)
