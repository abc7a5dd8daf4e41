"""tintype's own dialect: upload, list, look at, change and delete images, and signed links to them."""

from litestar.di import NamedDependency as Given

from tintype.core import House
from tintype.core.pace import Pace
from tintype.core.permit import admit as admit_token
from tintype.dialects import Dialect, LinkHouse
from tintype.dialects.native import links, routes, wire
from tintype.model import Caller
from tintype.web.context import Context
from tintype.web.mount import Opener, Target, Wanted


async def admit(house: Given[House], context: Given[Context]) -> Caller:
    """The caller behind the bearer token in the Authorization header."""
    return await admit_token(
        house, "native", wire.parse_authorization(context.headers.get("authorization", ""))
    )


def deliveries(house: LinkHouse, settings: routes.Settings) -> dict[str, Opener]:
    """Signed links: the signature is checked before anything in them counts."""

    def open_link(target: Target) -> Wanted:
        link, signature = links.parse(target)
        if not house.keyring.verify(link.parts(), signature):
            raise links.forged()
        return link.wanted(settings.max_age_seconds, house.clock())

    return {links.PREFIX: open_link}


DIALECT = Dialect(
    name="native",
    prefixes=("/v1",),
    settings=routes.Settings,
    routes=(
        routes.upload,
        routes.get_images,
        routes.get_image,
        routes.change_image,
        routes.replace_original,
        routes.delete_image,
        routes.purge_renditions,
        routes.make_links,
    ),
    admit=admit,
    pace=lambda settings: Pace(settings.requests, settings.window_seconds),
    voice=wire.say,
    deliveries=deliveries,
    scopes=frozenset({routes.READ, routes.WRITE}),
)
