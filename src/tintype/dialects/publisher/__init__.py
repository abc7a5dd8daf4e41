"""The dialect of publisher clients: a searchable, sortable, paged list of images, in JSON or XML."""

from litestar.di import NamedDependency as Given

from tintype.core import House
from tintype.core.pace import Pace
from tintype.core.permit import admit as admit_token
from tintype.dialects import Dialect, LinkHouse
from tintype.dialects.publisher import links, routes, wire
from tintype.model import Caller
from tintype.web.context import Context
from tintype.web.mount import Opener


async def admit(house: Given[House], context: Given[Context]) -> Caller:
    """The caller behind the token in the Authorization header."""
    token = wire.parse_authorization(context.headers.get("authorization", ""))
    return await admit_token(house, "publisher", token)


def deliveries(_links: LinkHouse, settings: routes.Settings) -> dict[str, Opener]:
    """Plain links: nothing in them has to be checked."""
    side, max_age = settings.thumbnail_side, settings.max_age_seconds
    return {links.PREFIX: lambda path, _query: links.parse(path).wanted(side, max_age)}


DIALECT = Dialect(
    name="publisher",
    prefixes=("/api/2", links.PREFIX),
    settings=routes.Settings,
    routes=(routes.get_images,),
    admit=admit,
    pace=lambda settings: Pace(settings.requests, settings.window_seconds),
    voice=wire.say,
    deliveries=deliveries,
)
