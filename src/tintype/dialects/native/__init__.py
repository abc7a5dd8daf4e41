"""tintype's own dialect: upload, list, read, change and delete images, and make signed links to them."""

from tintype.core.access.auth import authenticate as authenticate_token
from tintype.core.runtime.signing import Keyring
from tintype.dialects import DemoScene, Dialect, LinkContext, limit_tokens
from tintype.dialects.native import endpoints, links, placements, wire
from tintype.dialects.native.settings import Settings
from tintype.imaging import Recipe
from tintype.model import Caller, Image
from tintype.web.api import Api, ApiRequest
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget


async def authenticate(request: ApiRequest[Settings]) -> Caller:
    """The caller whose bearer token is in the Authorization header."""
    token = wire.parse_authorization(request.context.headers.get("authorization", ""))
    return await authenticate_token(request.services, "native", token)


def link_parsers(link_context: LinkContext, settings: Settings) -> dict[str, LinkParser]:
    """Signed links only: the signature is verified before any value of the link is used."""

    def parse_link(target: RequestTarget) -> DeliveryRequest:
        link, signature = links.parse(target)
        if not link_context.keyring.verify(link.parts(), signature):
            raise links.invalid_signature()
        return link.delivery_request(settings.max_age_seconds, link_context.clock())

    return {links.PREFIX: parse_link}


def write_image_link(keyring: Keyring, image: Image, recipe: Recipe | None, expires: int | None) -> str:
    """A link to an image as it is now."""
    link = links.Link(image.id, image.version, recipe, expires)
    return links.write(link, keyring.sign(link.parts()))


def example(scene: DemoScene) -> tuple[str, str]:
    """An upload."""
    return (
        "native: an upload",
        f"""curl {scene.base_url}/v1/images -H 'Authorization: Bearer {scene.credentials["token"]}' \\
  -H 'Content-Disposition: attachment; filename="sample.png"' --data-binary {scene.upload}""",
    )


DIALECT = Dialect(
    name="native",
    prefixes=("/v1",),
    settings=Settings,
    link_parsers=link_parsers,
    api=Api(
        endpoints=(
            endpoints.upload,
            endpoints.get_images,
            endpoints.get_image,
            endpoints.change_image,
            endpoints.replace_original,
            endpoints.delete_image,
            endpoints.purge_renditions,
            placements.get_placements,
            placements.attach_image,
            placements.detach_image,
            endpoints.make_links,
        ),
        authenticate=authenticate,
        rate_limiter=limit_tokens,
    ),
    render_error=wire.render_error,
    write_image_link=write_image_link,
    example=example,
)
