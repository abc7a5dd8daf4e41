"""tintype's own dialect: upload, list, look at, change and delete images, and signed links to them."""

from litestar.di import NamedDependency as Given

from tintype.core import Services
from tintype.core.access.auth import authenticate as admit_token
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.dialects import Dialect, LinkContext
from tintype.dialects.native import links, routes, wire
from tintype.model import Caller
from tintype.web.context import Context
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget


async def authenticate(services: Given[Services], context: Given[Context]) -> Caller:
    """The caller behind the bearer token in the Authorization header."""
    return await admit_token(
        services, "native", wire.parse_authorization(context.headers.get("authorization", ""))
    )


def link_parsers(services: LinkContext, settings: routes.Settings) -> dict[str, LinkParser]:
    """Signed links: the signature is checked before anything in them counts."""

    def open_link(target: RequestTarget) -> DeliveryRequest:
        link, signature = links.parse(target)
        if not services.keyring.verify(link.parts(), signature):
            raise links.forged()
        return link.requested(settings.max_age_seconds, services.clock())

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
    authenticate=authenticate,
    rate_limiter=lambda settings: RateLimiter(settings.requests, settings.window_seconds),
    render_error=wire.render_error,
    link_parsers=link_parsers,
    scopes=frozenset({routes.READ, routes.WRITE}),
)
