"""The dialect of Mews Connector clients: they send a batch of image ids and get URLs."""

from tintype.core.access.auth import authenticate_pair
from tintype.dialects import DemoScene, Dialect, LinkContext, limit_tokens
from tintype.dialects.mews import endpoints, links, wire
from tintype.dialects.mews.settings import Settings
from tintype.model import Caller
from tintype.web.api import Api, ApiRequest
from tintype.web.bodies import read
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget
from tintype.web.signatures import detach


async def authenticate(request: ApiRequest[Settings]) -> Caller:
    """The caller whose two tokens are in the body."""
    raw = await read(request, request.settings.max_body_bytes)
    wire.require_json(request.context.headers)
    credentials = wire.parse_credentials(raw)
    return await authenticate_pair(
        request.services, "mews", credentials.client_token or "", credentials.access_token or ""
    )


def link_parsers(link_context: LinkContext, settings: Settings) -> dict[str, LinkParser]:
    """Plain links, which have no signature to verify, and signed links."""

    def parse_link(target: RequestTarget) -> DeliveryRequest:
        address, is_signed = detach(link_context.keyring, links.SIGNED_FOR, target)
        link = links.parse(address)
        is_canonical = links.write(link) == address.text
        return link.delivery_request(settings.max_age_seconds, signed=is_signed, canonical=is_canonical)

    return {links.PREFIX: parse_link}


def example(scene: DemoScene) -> tuple[str, str]:
    """A batch of one image."""
    return (
        "mews: an image id to a URL",
        f"""curl {scene.base_url}{endpoints.PATH} -H 'Content-Type: application/json' -d '{{
  "ClientToken": "{scene.credentials["client_token"]}",
  "AccessToken": "{scene.credentials["access_token"]}",
  "Client": "Sample Client 1.0.0",
  "Images": [{{"ImageId": "{scene.image.id}", "Width": 200, "Height": 150, "ResizeMode": "Fit"}}]
}}'""",
    )


DIALECT = Dialect(
    name="mews",
    prefixes=("/api/connector", links.PREFIX),
    settings=Settings,
    link_parsers=link_parsers,
    links=lambda settings: settings.links,
    api=Api(
        endpoints=(endpoints.get_urls,), authenticate=authenticate, rate_limiter=limit_tokens, pairs=True
    ),
    render_error=wire.render_error,
    any_case_links=True,
    example=example,
)
