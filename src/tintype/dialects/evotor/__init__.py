"""The dialect of Evotor cloud clients: upload, list and delete the one PNG image of a product."""

from tintype.core.access.auth import authenticate as authenticate_token
from tintype.dialects import DemoScene, Dialect, LinkContext, limit_tokens
from tintype.dialects.evotor import endpoints, links, wire
from tintype.dialects.evotor.rules import violations
from tintype.dialects.evotor.settings import Settings
from tintype.model import Caller, PlacementKind, no_such_image
from tintype.web.api import Api, ApiRequest
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget


async def authenticate(request: ApiRequest[Settings]) -> Caller:
    """The caller whose token is in a header."""
    return await authenticate_token(request.services, "evotor", wire.parse_token(request.context.headers))


def link_parsers(link_context: LinkContext, settings: Settings) -> dict[str, LinkParser]:
    """Signed links only: the signature is verified before anything is looked up."""

    def parse_link(target: RequestTarget) -> DeliveryRequest:
        link, signature = links.parse(target.text)
        if not link_context.keyring.verify(link.parts(), signature):
            raise no_such_image()
        return link.delivery_request(settings.max_age_seconds)

    return {links.PREFIX: parse_link}


def example(scene: DemoScene) -> tuple[str, str]:
    """An upload for a product."""
    credentials = scene.credentials
    url = f"{scene.base_url}/stores/{credentials['store_id']}/products/{credentials['product_id']}/images"
    return (
        "evotor: the image of a product",
        f"""curl -i -X POST "{url}" \\
  -H "X-Authorization:{credentials["token"]}" \\
  -H "Content-Type:multipart/form-data" -F datafile={scene.upload}""",
    )


def placement_kinds(settings: Settings) -> dict[str, PlacementKind]:
    """Products, whose images all keep the vendor's rules."""
    rules = settings.rules()
    return {wire.PRODUCT: PlacementKind(wire.require_product, lambda image: violations(image, rules))}


DIALECT = Dialect(
    name="evotor",
    prefixes=("/stores", links.PREFIX),
    settings=Settings,
    link_parsers=link_parsers,
    api=Api(
        endpoints=(
            endpoints.upload,
            endpoints.get_images,
            endpoints.get_image,
            endpoints.delete_image,
            endpoints.delete_images,
        ),
        authenticate=authenticate,
        rate_limiter=limit_tokens,
    ),
    placement_kinds=placement_kinds,
    render_error=wire.render_error,
    # The ids in the vendor's documentation.
    demo_ids={
        "store_id": "20180413-2595-40E8-80CB-4646C05D81B6",
        "product_id": "5e46f8de-ec4f-4f87-85de-337b88fa2bdd",
    },
    example=example,
)
