"""The dialect of Smartsheet clients: images in cells, and temporary URLs for them."""

from tintype.core.runtime.rate_limit import RateLimiter
from tintype.dialects import DemoScene, Dialect, LinkContext, limit_tokens
from tintype.dialects.smartsheet import endpoints, links, sheets, wire
from tintype.dialects.smartsheet.auth import authenticate
from tintype.dialects.smartsheet.cells import CELL
from tintype.dialects.smartsheet.oauth import consent, token
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Forbidden
from tintype.model.ids import short
from tintype.web.api import Api
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget


def link_parsers(link_context: LinkContext, _settings: Settings) -> dict[str, LinkParser]:
    """Signed links only: the signature is verified before anything about the image is revealed."""

    def parse_link(target: RequestTarget) -> DeliveryRequest:
        link, signature = links.parse(target)
        if not link_context.keyring.verify(link.parts(), signature):
            raise Forbidden("The signature is not of this link.")
        return link.delivery_request(link_context.clock())

    return {links.PREFIX: parse_link}


def example(scene: DemoScene) -> tuple[str, str]:
    """A batch of one image."""
    return (
        "smartsheet: a temporary signed URL",
        f"""curl {scene.base_url}/2.0/imageurls -H 'Authorization: Bearer {scene.credentials["token"]}' \\
  -H 'Content-Type: application/json' -d '[{{"imageId": "{short(scene.image.id)}", "width": 300}}]'""",
    )


DIALECT = Dialect(
    name="smartsheet",
    prefixes=("/2.0", "/imageurls", "/storageProxy", consent.PATH),
    settings=Settings,
    link_parsers=link_parsers,
    api=Api(
        endpoints=(
            endpoints.image_urls,
            endpoints.add_cell_image,
            endpoints.get_row,
            sheets.get_sheet,
            sheets.list_sheets,
            sheets.list_columns,
            sheets.get_column,
            sheets.get_user,
        ),
        authenticate=authenticate,
        rate_limiter=limit_tokens,
        public_endpoints=(sheets.get_server_info, consent.show, consent.decide, token.issue, token.revoke),
        public_rate_limiter=lambda settings: RateLimiter(settings.oauth_requests, settings.window_seconds),
        oauth=True,
    ),
    placement_kinds=lambda _settings: {"cell": CELL},
    render_error=wire.render_error,
    trailing_slash=True,
    example=example,
)
