"""`GET /api/2/images`: the list of images."""

from enum import StrEnum

from msgspec import structs

from tintype.core.library.browse import list_page
from tintype.core.runtime.signing import Keyring
from tintype.dialects.publisher import links, wire
from tintype.dialects.publisher.settings import Settings
from tintype.imaging import spec
from tintype.imaging.extras import is_installed
from tintype.model import Caller, Image, Links
from tintype.web.api import ApiRequest, endpoint
from tintype.web.dialect_routes import RawResponse
from tintype.web.signatures import append


class Role(StrEnum):
    """The vendor's roles, the one of new tokens first, and `viewer`, who may not read the list."""

    EDITOR = "editor"
    SUPER_ADMIN = "super-admin"
    SYSTEM_ADMIN = "system-admin"
    CAMPAIGN_ADMIN = "campaign-admin"
    INTERNAL_SYSTEM_ADMIN = "internal-system-admin"
    CHANNEL_ADMIN = "channel-admin"
    VIEWER = "viewer"


READERS = frozenset[str](Role) - {Role.VIEWER}
"""The six roles that may list images, by the vendor's documentation."""


@endpoint("GET", "/api/2/images", scope=None, roles=READERS)
async def get_images(request: ApiRequest[Settings], caller: Caller) -> RawResponse:
    """List one page of the images that match the query."""
    services, settings, context = request.services, request.settings, request.context
    media_type = wire.negotiate(context)
    parsed = wire.parse_request(
        context.query,
        default_limit=settings.default_limit,
        max_limit=settings.max_limit,
        max_extensions=settings.max_extensions,
    )
    total, images = await list_page(services, caller, parsed.list_query)
    keyring = services.keyring if (caller.links or settings.links) is Links.SIGNED else None
    shown = [_list_item(context.base_url, image, keyring) for image in images]
    return wire.encode_response(parsed, total, shown, media_type)


def _list_item(base_url: str, image: Image, keyring: Keyring | None) -> wire.Image:
    """An image as an item of the list; its links are signed if there is a keyring.

    Where no thumbnail can be made, because a package isn't installed, its link is that of the original.
    """
    original = links.Link(image.number, image.extension)
    thumbnail = structs.replace(original, thumbnail=is_installed(spec(image.format)))
    paths = [links.write(original), links.write(thumbnail)]
    if keyring is not None:
        paths = [append(keyring, links.SIGNED_FOR, path) for path in paths]
    url, thumbnail_url = (base_url + path for path in paths)
    return wire.list_item(image, original.attachment, url=url, thumbnail_url=thumbnail_url)
