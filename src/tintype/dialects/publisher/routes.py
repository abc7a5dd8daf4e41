"""`GET /api/2/images`."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency as Given
from msgspec import Meta, Struct

from tintype.core import House
from tintype.core.browse import page
from tintype.core.pace import Pace
from tintype.core.permit import require_role
from tintype.dialects.publisher import links, wire
from tintype.model import Caller, Image, Role
from tintype.web.context import Context
from tintype.web.responses import from_answer

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

    requests: int = 0
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
    return from_answer(wire.answer(asked, total, [_listed(context, image) for image in images], shape))


def _listed(context: Context, image: Image) -> wire.Image:
    original = links.Link(image.number, image.extension)
    thumbnail = links.Link(image.number, image.extension, thumbnail=True)
    return wire.listed(
        image,
        original.attachment,
        url=context.base_url + links.write(original),
        thumbnail_url=context.base_url + links.write(thumbnail),
    )
