"""`POST /api/connector/v1/images/getUrls`."""

from litestar import Response, post
from litestar.di import NamedDependency as Given
from msgspec import Struct

from tintype.core import House
from tintype.core.pace import Pace
from tintype.core.resolve import named
from tintype.core.sign import Keyring
from tintype.dialects.mews import links, wire
from tintype.model import Caller, Links
from tintype.web.context import Context
from tintype.web.mount import Answer
from tintype.web.responses import from_answer
from tintype.web.signatures import append

PATH = "/api/connector/v1/images/getUrls"
MAX_LOGGED = 200
"""Characters of the calling program's name that go to the log."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The mews dialect."""

    requests: int = 200
    """Requests that one access token may make in a window; 0 is no limit. The vendor's figure."""
    window_seconds: float = 30
    """Length of the sliding window, in seconds. The vendor's figure."""
    max_images: int = 1000
    """The most items of one request."""
    max_side: int = 8192
    """The largest Width and Height that may be asked for."""
    max_body_bytes: int = 1024 * 1024
    """The largest request body."""
    max_age_seconds: int = 3600
    """How long clients may keep a delivered picture without asking again."""
    links: Links = Links.PLAIN
    """What links are, unless an account says otherwise: `plain`, as the vendor documents them and anybody can
    write them, or `signed`."""


async def urls(
    raw: bytes, house: House, settings: Settings, context: Context, caller: Caller, pace: Pace
) -> Answer:
    """A batch of image ids, sizes and modes to URLs, in the order asked."""
    pace.take(caller.token_id)
    asked = wire.parse_request(raw, max_images=settings.max_images, max_side=settings.max_side)
    context.notes["client"] = asked.client[:MAX_LOGGED]
    names = [item.image_id for item in asked.images]
    begun = await named(house, caller, names, wire.image_id, lambda version: links.begin(version.id))
    keyring = house.keyring if (caller.links or settings.links) is Links.SIGNED else None
    found = [_url(context.base_url, begun[item.image_id], item, keyring) for item in asked.images]
    return wire.answer(asked, found)


@post(PATH, status_code=200)
async def get_urls(
    raw: Given[bytes],
    house: Given[House],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """The same, where the framework is asked."""
    return from_answer(await urls(raw, house, settings, context, caller, pace))


def _url(base_url: str, begun: str | None, item: wire.ImageSize, keyring: Keyring | None) -> str | None:
    """The URL for one item, signed if there is a keyring; None for an image that is not there."""
    if begun is None:
        return None
    address = begun + links.end(item.resize_mode, item.width, item.height)
    return base_url + (address if keyring is None else append(keyring, links.SIGNED_FOR, address))
