"""tintype's own dialect: upload, list, read, change and delete images, and make signed links to them."""

from litestar.di import NamedDependency as Given

from tintype.core import Services
from tintype.core.access.auth import authenticate as authenticate_token
from tintype.core.runtime.signing import Keyring
from tintype.dialects import DemoScene, Dialect, LinkContext
from tintype.dialects.native import endpoints, links, wire
from tintype.dialects.native.settings import Settings
from tintype.imaging import Recipe
from tintype.model import Caller, Image
from tintype.web.context import Context
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget


async def authenticate(services: Given[Services], context: Given[Context]) -> Caller:
    """The caller whose bearer token is in the Authorization header."""
    return await authenticate_token(
        services, "native", wire.parse_authorization(context.headers.get("authorization", ""))
    )


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
    routes=(
        endpoints.upload,
        endpoints.get_images,
        endpoints.get_image,
        endpoints.change_image,
        endpoints.replace_original,
        endpoints.delete_image,
        endpoints.purge_renditions,
        endpoints.make_links,
    ),
    authenticate=authenticate,
    render_error=wire.render_error,
    link_parsers=link_parsers,
    scopes=frozenset({endpoints.READ, endpoints.WRITE}),
    write_image_link=write_image_link,
    example=example,
)
