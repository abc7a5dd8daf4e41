"""The dialect of Evotor cloud clients: one PNG a product, uploaded, listed and deleted."""

from litestar.di import NamedDependency as Given

from tintype.core import House
from tintype.core.pace import Pace
from tintype.core.permit import admit as admit_token
from tintype.dialects import Dialect, LinkHouse
from tintype.dialects.evotor import links, routes, wire
from tintype.model import Caller
from tintype.web.context import Context
from tintype.web.mount import Opener, Target, Wanted


async def admit(house: Given[House], context: Given[Context], pace: Given[Pace]) -> Caller:
    """The caller behind the token in a header; the request is counted here, whatever becomes of it."""
    caller = await admit_token(house, "evotor", wire.token(context.headers))
    # Twice, so that a refusal can say what is left as well.
    context.allowance = pace.left(caller.token_id)
    context.allowance = pace.take(caller.token_id)
    return caller


def deliveries(house: LinkHouse, settings: routes.Settings) -> dict[str, Opener]:
    """Signed links: nothing is looked up before the signature holds."""

    def open_link(target: Target) -> Wanted:
        link, signature = links.parse(target.text)
        if not house.keyring.verify(link.parts(), signature):
            raise links.no_such_link()
        return link.wanted(settings.max_age_seconds)

    return {links.PREFIX: open_link}


DIALECT = Dialect(
    name="evotor",
    prefixes=("/stores", links.PREFIX),
    settings=routes.Settings,
    routes=(routes.upload, routes.get_images, routes.get_image, routes.delete_image, routes.delete_images),
    admit=admit,
    pace=lambda settings: Pace(settings.requests, settings.window_seconds),
    voice=wire.say,
    deliveries=deliveries,
    scopes=frozenset({routes.READ, routes.WRITE}),
)
