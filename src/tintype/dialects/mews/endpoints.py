"""`POST /api/connector/v1/images/getUrls`."""

from litestar import Response, post
from litestar.di import NamedDependency as Given

from tintype.core import Services
from tintype.core.access.size_allowlist import SizeAllowlist, sizes
from tintype.core.library.resolve import resolve_ids
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.core.runtime.signing import Keyring
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.dialects.mews import links, wire
from tintype.dialects.mews.settings import Settings
from tintype.imaging import Mode, Recipe
from tintype.model import Caller, Links, LinkTarget
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.responses import from_raw
from tintype.web.signatures import append

PATH = "/api/connector/v1/images/getUrls"
MAX_LOGGED = 200
"""Characters of the calling program's name that go to the log."""


Known = tuple[LinkTarget, str] | None
"""An image, and what all links to it begin with; None for one that is not there."""


async def urls(
    raw: bytes,
    services: Services,
    settings: Settings,
    context: Context,
    caller: Caller,
    rate_limiter: RateLimiter,
) -> RawResponse:
    """A batch of image ids, sizes and modes to URLs, in the order asked."""
    rate_limiter.take(caller.token_id)
    asked = wire.parse_request(raw, max_images=settings.max_images, max_side=settings.max_side)
    context.notes["client"] = asked.client[:MAX_LOGGED]
    names = [item.image_id for item in asked.images]
    known = await resolve_ids(
        services, caller, names, wire.image_id, lambda version: (version, links.begin(version.id))
    )
    if (caller.links or settings.links) is Links.SIGNED:
        writer = Writer(context.base_url, services.unsigned.for_signed(), keyring=services.keyring)
    else:
        writer = Writer(context.base_url, services.unsigned, await sizes(services, caller.account.id))
    return wire.encode_response(asked, [writer.url(known[item.image_id], item) for item in asked.images])


@post(PATH, status_code=200)
async def get_urls(
    raw: Given[bytes],
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """The same, where the framework is asked."""
    return from_raw(await urls(raw, services, settings, context, caller, rate_limiter))


class Writer:
    """Writes the links of one batch.

    Args:
        base_url: what all links begin with.
        limits: on the pictures that the links ask for.
        allowed: the sizes that the account allows; None is any.
        keyring: signs the links; None: they are plain.
    """

    def __init__(
        self,
        base_url: str,
        limits: UnsignedLimits,
        allowed: SizeAllowlist | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self._base_url = base_url
        self._limits = limits
        self._allowed = allowed
        self._keyring = keyring
        self._ends: dict[tuple[str, int | None, int | None], str] = {}
        """The ends of links that open for any image."""

    def url(self, known: Known, item: wire.ImageSize) -> str | None:
        """The URL for an item; None for an image that is not there, or a size that its link would refuse."""
        if known is None:
            return None
        box = item.resize_mode, item.width, item.height
        end = self._ends.get(box) or self._end(known[0], item)
        if end is None:
            return None
        if self._keyring is None:
            return self._base_url + known[1] + end
        return self._base_url + append(self._keyring, links.SIGNED_FOR, known[1] + end)

    def _end(self, version: LinkTarget, item: wire.ImageSize) -> str | None:
        mode, width, height = links.MODES[item.resize_mode], item.width, item.height
        if not self._opens(version, mode, width, height):
            return None
        end = links.end(item.resize_mode, width, height)
        if self._limits.always_takes(mode, width, height):
            self._ends[item.resize_mode, width, height] = end
        return end

    def _opens(self, version: LinkTarget, mode: Mode, width: int | None, height: int | None) -> bool:
        if not self._limits.takes(version, mode, width, height):
            return False
        return self._allowed is None or self._allowed.allow(Recipe(mode=mode, width=width, height=height))
