"""The dialect of Smartsheet clients: images in cells, and temporary URLs for them."""

from litestar.di import NamedDependency as Given

from tintype.core import Services
from tintype.core.access.auth import authenticate as authenticate_token
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.dialects import DemoScene, Dialect, LinkContext
from tintype.dialects.smartsheet import endpoints, links, wire
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Caller, Forbidden
from tintype.model.ids import short
from tintype.web.authorization import bearer_token
from tintype.web.bodies import collect
from tintype.web.context import Context
from tintype.web.dialect_routes import (
    DeliveryRequest,
    LinkParser,
    RawEndpoint,
    RawResponse,
    Receive,
    RequestTarget,
)


async def authenticate(services: Given[Services], context: Given[Context]) -> Caller:
    """The caller of a bearer token; access tokens and OAuth 2 tokens are sent in the same way."""
    return await authenticate_token(
        services, "smartsheet", bearer_token(context.headers.get("authorization", ""))
    )


def link_parsers(link_context: LinkContext, _settings: Settings) -> dict[str, LinkParser]:
    """Signed links only: the signature is verified before anything about the image is revealed."""

    def parse_link(target: RequestTarget) -> DeliveryRequest:
        link, signature = links.parse(target)
        if not link_context.keyring.verify(link.parts(), signature):
            raise Forbidden("The signature is not of this link.")
        return link.delivery_request(link_context.clock())

    return {links.PREFIX: parse_link}


def list_image_urls(services: Services, settings: Settings, rate_limiter: RateLimiter) -> RawEndpoint:
    """The batch endpoint, without the framework, which costs more CPU than the rest of a batch."""

    async def respond(context: Context, receive: Receive) -> RawResponse:
        caller = await authenticate(services, context)
        context.set_caller(caller)

        async def read() -> bytes:
            return await collect(context, receive, settings.max_body_bytes)

        return await endpoints.image_urls(read, services, settings, context, caller, rate_limiter)

    return respond


def example(scene: DemoScene) -> tuple[str, str]:
    """A batch of one image."""
    return (
        "smartsheet: a temporary signed URL",
        f"""curl {scene.base_url}/2.0/imageurls -H 'Authorization: Bearer {scene.credentials["token"]}' \\
  -H 'Content-Type: application/json' -d '[{{"imageId": "{short(scene.image.id)}", "width": 300}}]'""",
    )


DIALECT = Dialect(
    name="smartsheet",
    prefixes=("/2.0", "/imageurls", "/storageProxy"),
    settings=Settings,
    routes=(endpoints.add_cell_image, endpoints.get_row),
    authenticate=authenticate,
    render_error=wire.render_error,
    link_parsers=link_parsers,
    raw_endpoints=dict.fromkeys(endpoints.PATHS, list_image_urls),
    scopes=frozenset({endpoints.READ, endpoints.WRITE}),
    trailing_slash=True,
    example=example,
)
