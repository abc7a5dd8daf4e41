"""The dialect of Evotor cloud clients: one PNG a product, uploaded, listed and deleted."""

from litestar.di import NamedDependency as Given

from tintype.core import Services
from tintype.core.access.auth import authenticate as authenticate_token
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.dialects import Dialect, LinkContext
from tintype.dialects.evotor import endpoints, links, wire
from tintype.dialects.evotor.settings import Settings
from tintype.model import Caller
from tintype.web.context import Context
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget


async def authenticate(
    services: Given[Services], context: Given[Context], rate_limiter: Given[RateLimiter]
) -> Caller:
    """The caller behind the token in a header; the request is counted here, whatever becomes of it."""
    caller = await authenticate_token(services, "evotor", wire.token(context.headers))
    # Twice, so that a refusal can say what is left as well.
    context.rate_limit_status = rate_limiter.left(caller.token_id)
    context.rate_limit_status = rate_limiter.take(caller.token_id)
    return caller


def link_parsers(services: LinkContext, settings: Settings) -> dict[str, LinkParser]:
    """Signed links: nothing is looked up before the signature holds."""

    def open_link(target: RequestTarget) -> DeliveryRequest:
        link, signature = links.parse(target.text)
        if not services.keyring.verify(link.parts(), signature):
            raise links.no_such_link()
        return link.requested(settings.max_age_seconds)

    return {links.PREFIX: open_link}


DIALECT = Dialect(
    name="evotor",
    prefixes=("/stores", links.PREFIX),
    settings=Settings,
    routes=(
        endpoints.upload,
        endpoints.get_images,
        endpoints.get_image,
        endpoints.delete_image,
        endpoints.delete_images,
    ),
    authenticate=authenticate,
    rate_limiter=lambda settings: RateLimiter(settings.requests, settings.window_seconds),
    render_error=wire.render_error,
    link_parsers=link_parsers,
    scopes=frozenset({endpoints.READ, endpoints.WRITE}),
)
