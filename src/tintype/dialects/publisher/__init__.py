"""The dialect of publisher clients: a searchable, sortable, paged list of images, in JSON or XML."""

from tintype.core.access.auth import authenticate as authenticate_token
from tintype.dialects import DemoScene, Dialect, LinkContext, limit_tokens
from tintype.dialects.publisher import endpoints, links, wire
from tintype.dialects.publisher.settings import Settings
from tintype.model import Caller
from tintype.web.api import Api, ApiRequest
from tintype.web.authorization import bearer_token
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget
from tintype.web.signatures import detach


async def authenticate(request: ApiRequest[Settings]) -> Caller:
    """The caller whose token is in the Authorization header, alone or after `Bearer`."""
    token = bearer_token(request.context.headers.get("authorization", ""), scheme_required=False)
    return await authenticate_token(request.services, "publisher", token)


def link_parsers(link_context: LinkContext, settings: Settings) -> dict[str, LinkParser]:
    """Plain links, which have no signature to verify, and signed links."""
    side, max_age = settings.thumbnail_side, settings.max_age_seconds

    def parse_link(target: RequestTarget) -> DeliveryRequest:
        address, is_signed = detach(link_context.keyring, links.SIGNED_FOR, target)
        link = links.parse(address.path)
        return link.delivery_request(
            side, max_age, signed=is_signed, canonical=links.write(link) == address.text
        )

    return {links.PREFIX: parse_link}


def example(scene: DemoScene) -> tuple[str, str]:
    """The beginning of the list."""
    return (
        "publisher: a page of the list, as XML",
        f"""curl '{scene.base_url}/api/2/images?limit=2&sort=+name' \\
  -H 'Authorization: {scene.credentials["token"]}' -H 'Accept: application/xml'""",
    )


DIALECT = Dialect(
    name="publisher",
    prefixes=("/api/2", links.PREFIX),
    settings=Settings,
    link_parsers=link_parsers,
    links=lambda settings: settings.links,
    api=Api(
        endpoints=(endpoints.get_images,),
        authenticate=authenticate,
        rate_limiter=limit_tokens,
        roles=tuple(role.value for role in endpoints.Role),
    ),
    render_error=wire.render_error,
    example=example,
)
