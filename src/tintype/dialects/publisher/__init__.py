"""The dialect of publisher clients: a searchable, sortable, paged list of images, in JSON or XML."""

from litestar.di import NamedDependency as Given

from tintype.core import House
from tintype.core.pace import Pace
from tintype.core.permit import admit as admit_token
from tintype.dialects import Dialect, LinkHouse
from tintype.dialects.publisher import links, routes, wire
from tintype.model import Caller
from tintype.web.context import Context
from tintype.web.mount import Opener, Target, Wanted
from tintype.web.signatures import detach


async def admit(house: Given[House], context: Given[Context]) -> Caller:
    """The caller behind the token in the Authorization header."""
    token = wire.parse_authorization(context.headers.get("authorization", ""))
    return await admit_token(house, "publisher", token)


def deliveries(house: LinkHouse, settings: routes.Settings) -> dict[str, Opener]:
    """Plain links, in which nothing has to be checked, and signed ones."""
    side, max_age = settings.thumbnail_side, settings.max_age_seconds

    def open_link(target: Target) -> Wanted:
        address, is_signed = detach(house.keyring, links.SIGNED_FOR, target)
        link = links.parse(address.path)
        return link.wanted(side, max_age, signed=is_signed, canonical=links.write(link) == address.text)

    return {links.PREFIX: open_link}


DIALECT = Dialect(
    name="publisher",
    prefixes=("/api/2", links.PREFIX),
    settings=routes.Settings,
    routes=(routes.get_images,),
    admit=admit,
    pace=lambda settings: Pace(settings.requests, settings.window_seconds),
    voice=wire.say,
    deliveries=deliveries,
    links=lambda settings: settings.links,
)
