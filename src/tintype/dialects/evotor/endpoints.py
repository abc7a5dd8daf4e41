"""`/stores/{store}/products/{product}/images`: the image of a product."""

from tintype.core.library import browse, deletion
from tintype.core.library.ingest import inspect_staged, record_image
from tintype.dialects.evotor import links, wire
from tintype.dialects.evotor.settings import Settings
from tintype.model import Caller, Image, NotFound, Placement, Status, no_such_image
from tintype.web.api import ApiRequest, endpoint
from tintype.web.bodies import Part, is_multipart, staged_part
from tintype.web.dialect_routes import RawResponse
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import json_response, no_content

READ = "product.image:read"
WRITE = "product.image:write"

_IMAGES = "/stores/{store:str}/products/{product:str}/images"
_IMAGE = _IMAGES + "/{image:str}"


Request = ApiRequest[Settings]


@endpoint("POST", _IMAGES, scope=WRITE)
async def upload(request: Request, caller: Caller) -> RawResponse:
    """Upload the image of a product that has none."""
    placement = _placement(request)
    if not is_multipart(request.context.headers):
        raise wire.not_multipart()
    limit = request.settings.max_body_bytes
    async with staged_part(request, caller, wire.FIELD, limit=limit, body_limit=limit) as part:
        if part is None:
            raise wire.no_file()
        image = await _record_product_image(request, caller, part, placement)
    return _respond(request, wire.encode_response(_product_image(request, caller, image, placement)))


@endpoint("GET", _IMAGES, scope=READ)
async def get_images(request: Request, caller: Caller) -> RawResponse:
    """The product's images: one or none, so there is only one page."""
    placement = _placement(request)
    wire.require_first_page(request.context.query)
    found = await browse.attached(request.services, caller, placement)
    shown = [_product_image(request, caller, image, at) for at, image in found]
    return _respond(request, wire.encode_page(shown))


@endpoint("GET", _IMAGE, scope=READ)
async def get_image(request: Request, caller: Caller) -> RawResponse:
    """One image of the product."""
    placement, image_id = _placement(request), wire.parse_image_id(request.path_params["image"])
    for at, found in await browse.attached(request.services, caller, placement):
        if found.id == image_id:
            return _respond(request, wire.encode_response(_product_image(request, caller, found, at)))
    raise no_such_image()


@endpoint("DELETE", _IMAGE, scope=WRITE)
async def delete_image(request: Request, caller: Caller) -> RawResponse:
    """Delete one image of the product. When this returns, the product has no image and the link is dead."""
    placement, image_id = _placement(request), wire.parse_image_id(request.path_params["image"])
    await deletion.delete(request.services, caller, image_id, placement)
    return no_content(wire.rate_limit_headers(request.context))


@endpoint("DELETE", _IMAGES, scope=WRITE)
async def delete_images(request: Request, caller: Caller) -> RawResponse:
    """Delete all images of the product."""
    placement = _placement(request)
    for _, found in await browse.attached(request.services, caller, placement):
        await _delete_if_present(request, caller, found, placement)
    return no_content(wire.rate_limit_headers(request.context))


async def _record_product_image(request: Request, caller: Caller, part: Part, placement: Placement) -> Image:
    """Record an image that follows the vendor's rules, all of which are checked."""
    services, settings = request.services, request.settings
    work = inspect_staged(services, caller, part.staged)
    examined = await cancel_on_disconnect(request.context, request.receive, work)
    info = wire.require_valid(part, examined, settings.rules())
    return await record_image(services, caller, part.staged, info, part.filename, placement=placement)


def _placement(request: Request) -> Placement:
    return wire.parse_placement(request.path_params["store"], request.path_params["product"])


async def _delete_if_present(request: Request, caller: Caller, image: Image, placement: Placement) -> None:
    try:
        await deletion.delete(request.services, caller, image.id, placement)
    except NotFound:
        # Another request deleted it in the meantime: the result is the same.
        return


def _product_image(request: Request, caller: Caller, image: Image, placement: Placement) -> wire.ProductImage:
    return wire.product_image(image, placement, caller, _url(request, image))


def _url(request: Request, image: Image) -> str | None:
    """The link to an image; None for an archived one, which no link opens."""
    if image.status is Status.ARCHIVED:
        return None
    link = links.Link(image.id, image.version)
    path = links.write(link, request.services.keyring.sign(link.parts()))
    return request.context.base_url + path


def _respond(request: Request, body: bytes) -> RawResponse:
    context = request.context
    return json_response(body, media_type=wire.media_type(context), headers=wire.rate_limit_headers(context))
