"""`/stores/{store}/products/{product}/images`: the image of a product."""

from litestar import Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency as Given
from litestar.params import FromPath

from tintype.core import Services
from tintype.core.access.auth import require_scope
from tintype.core.library import browse, deletion
from tintype.core.library.ingest import inspect_staged, record_image
from tintype.dialects.evotor import links, wire
from tintype.dialects.evotor.settings import Settings
from tintype.model import Caller, Image, NotFound, Placement, no_such_image
from tintype.web.bodies import is_multipart, staged_part
from tintype.web.context import Context
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import json_response

READ = "product.image:read"
WRITE = "product.image:write"

_IMAGES = "/stores/{store:str}/products/{product:str}/images"
_IMAGE = _IMAGES + "/{image:str}"


@post(_IMAGES, status_code=200)
async def upload(
    request: Request[object, object, State],
    store: FromPath[str],
    product: FromPath[str],
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
) -> Response[bytes]:
    """Upload the image of a product that has none."""
    placement = _authorize(caller, WRITE, store, product)
    if not is_multipart(request):
        raise wire.not_multipart()
    limit = settings.max_body_bytes
    async with staged_part(services, caller, request, wire.FIELD, limit=limit, body_limit=limit) as part:
        if part is None:
            raise wire.no_file()
        inspection = await cancel_on_disconnect(
            context, request.receive, inspect_staged(services, caller, part.staged)
        )
        info = wire.require_valid(part, inspection, wire.Rules(settings.max_file_bytes, settings.side))
        image = await record_image(services, caller, part.staged, info, part.filename, placement=placement)
    return _respond(
        context, wire.encode_response(_product_image(image, placement, services, context, caller))
    )


@get(_IMAGES)
async def get_images(
    store: FromPath[str],
    product: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
) -> Response[bytes]:
    """The product's images: one or none, so there is only one page."""
    placement = _authorize(caller, READ, store, product)
    wire.require_first_page(context.query)
    found = [image for _, image in await browse.attached(services, caller, placement)]
    return _respond(
        context,
        wire.encode_page([_product_image(image, placement, services, context, caller) for image in found]),
    )


@get(_IMAGE)
async def get_image(
    store: FromPath[str],
    product: FromPath[str],
    image: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
) -> Response[bytes]:
    """One image of the product."""
    placement = _authorize(caller, READ, store, product)
    requested = wire.parse_image_id(image)
    for _, found in await browse.attached(services, caller, placement):
        if found.id == requested:
            return _respond(
                context, wire.encode_response(_product_image(found, placement, services, context, caller))
            )
    raise no_such_image()


@delete(_IMAGE, status_code=204)
async def delete_image(
    store: FromPath[str],
    product: FromPath[str],
    image: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
) -> Response[None]:
    """Delete one image of the product. When this returns, the product has no image and the link is dead."""
    placement = _authorize(caller, WRITE, store, product)
    await deletion.delete(services, caller, wire.parse_image_id(image), placement)
    return _no_content(context)


@delete(_IMAGES, status_code=204)
async def delete_images(
    store: FromPath[str],
    product: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
) -> Response[None]:
    """Delete all images of the product."""
    placement = _authorize(caller, WRITE, store, product)
    for _, found in await browse.attached(services, caller, placement):
        await _delete_if_present(services, caller, found, placement)
    return _no_content(context)


def _authorize(caller: Caller, scope: str, store: str, product: str) -> Placement:
    """Check the scope and return the placement that a path names. Placements of accounts are separate.

    Raises:
        Forbidden: when the caller has not the scope.
        NotFound: when an id has characters that ids can't have.
    """
    require_scope(caller, scope)
    return Placement(
        kind="product", container=wire.parse_opaque_id(store), holder=wire.parse_opaque_id(product)
    )


async def _delete_if_present(services: Services, caller: Caller, image: Image, placement: Placement) -> None:
    try:
        await deletion.delete(services, caller, image.id, placement)
    except NotFound:
        # Another request deleted it in the meantime: the result is the same.
        return


def _product_image(
    image: Image, placement: Placement, services: Services, context: Context, caller: Caller
) -> wire.ProductImage:
    link = links.Link(image.id, image.version)
    path = links.write(link, services.keyring.sign(link.parts()))
    return wire.product_image(image, placement, caller, context.base_url + path)


def _respond(context: Context, body: bytes) -> Response[bytes]:
    return json_response(body, media_type=wire.media_type(context), headers=wire.rate_limit_headers(context))


def _no_content(context: Context) -> Response[None]:
    return Response(None, status_code=204, headers=wire.rate_limit_headers(context))
