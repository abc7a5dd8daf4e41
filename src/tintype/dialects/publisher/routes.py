"""`GET /api/2/images`."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency as Given
from msgspec import Meta, Struct, structs

from tintype.core import House
from tintype.core.browse import page
from tintype.core.pace import Pace
from tintype.core.permit import require_role
from tintype.core.sign import Keyring
from tintype.dialects.publisher import links, wire
from tintype.model import Caller, Image, Links, Role
from tintype.web.context import Context
from tintype.web.responses import from_answer
from tintype.web.signatures import append

READERS = frozenset(
    {
        Role.SUPER_ADMIN,
        Role.SYSTEM_ADMIN,
        Role.CAMPAIGN_ADMIN,
        Role.INTERNAL_SYSTEM_ADMIN,
        Role.CHANNEL_ADMIN,
        Role.EDITOR,
    }
)
"""The six roles that the vendor lets in."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The publisher dialect."""

    requests: int = 6_000
    """Requests that one token may make in a window; 0 is no limit. The vendor names none."""
    window_seconds: float = 60
    """Length of the sliding window, in seconds."""
    default_limit: Annotated[int, Meta(ge=1)] = 30
    """Images on a page when `limit` is absent. The vendor's figure."""
    max_limit: Annotated[int, Meta(ge=1)] = 1000
    """The largest `limit`."""
    max_extensions: Annotated[int, Meta(ge=1)] = 100
    """The most different values in `extension`."""
    thumbnail_side: Annotated[int, Meta(ge=1)] = 200
    """Side of the square that a thumbnail fits, in pixels."""
    max_body_bytes: int = 64 * 1024
    """The largest request body; no request of this dialect needs one."""
    max_age_seconds: int = 3600
    """How long clients may keep a delivered picture without asking again."""
    links: Links = Links.PLAIN
    """What links are, unless an account says otherwise: `plain`, as the vendor documents them and anybody can
    write them, or `signed`."""


@get("/api/2/images")
async def get_images(
    house: Given[House],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """One page of the images that match."""
    pace.take(caller.token_id)
    require_role(caller, READERS)
    shape = wire.negotiate(context)
    asked = wire.parse_request(
        context.query,
        default_limit=settings.default_limit,
        max_limit=settings.max_limit,
        max_extensions=settings.max_extensions,
    )
    total, images = await page(house, caller, asked.selection)
    keyring = house.keyring if (caller.links or settings.links) is Links.SIGNED else None
    shown = [_listed(context.base_url, image, keyring) for image in images]
    return from_answer(wire.answer(asked, total, shown, shape))


def _listed(base_url: str, image: Image, keyring: Keyring | None) -> wire.Image:
    """An image as the list shows it, its links signed if there is a keyring."""
    original = links.Link(image.number, image.extension)
    addresses = [links.write(original), links.write(structs.replace(original, thumbnail=True))]
    if keyring is not None:
        addresses = [append(keyring, links.SIGNED_FOR, address) for address in addresses]
    url, thumbnail_url = (base_url + address for address in addresses)
    return wire.listed(image, original.attachment, url=url, thumbnail_url=thumbnail_url)
