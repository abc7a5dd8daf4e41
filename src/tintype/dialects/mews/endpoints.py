"""`POST /api/connector/v1/images/getUrls`."""

from tintype.core.access.size_allowlist import SizeAllowlist, allowlist_by_id
from tintype.core.library.resolve import resolve_ids
from tintype.core.runtime.signing import Keyring
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.dialects.mews import links, wire
from tintype.dialects.mews.settings import Settings
from tintype.imaging import Mode, Recipe, spec
from tintype.imaging.extras import is_installed
from tintype.model import Caller, Links, LinkTarget
from tintype.web.api import ApiRequest, endpoint
from tintype.web.bodies import read
from tintype.web.dialect_routes import RawResponse
from tintype.web.signatures import append

PATH = "/api/connector/v1/images/getUrls"
MAX_LOGGED = 200
"""The most characters of the client program's name that are logged."""


KnownImage = tuple[LinkTarget, str] | None
"""An image and the beginning of all links to it; None for one that does not exist or can't be read here."""


@endpoint("POST", PATH, scope=None, raw=True)
async def get_urls(request: ApiRequest[Settings], caller: Caller) -> RawResponse:
    """The URLs for a batch of image ids, sizes and modes, in the order of the request."""
    settings = request.settings
    raw = await read(request, settings.max_body_bytes)
    parsed = wire.parse_request(
        raw,
        max_images=settings.max_images,
        max_side=settings.max_side,
        default_mode=settings.default_resize_mode,
    )
    request.context.notes["client"] = parsed.client[:MAX_LOGGED]
    names = [item.image_id for item in parsed.images]
    known = await resolve_ids(request.services, caller, names, wire.parse_image_id, _known_image)
    writer = await _link_writer(request, caller)
    return wire.encode_response(parsed, [writer.url(known[item.image_id], item) for item in parsed.images])


def _known_image(target: LinkTarget) -> KnownImage:
    if not is_installed(spec(target.format)):
        return None
    return target, links.write_prefix(target.id)


async def _link_writer(request: ApiRequest[Settings], caller: Caller) -> "LinkWriter":
    services, base_url = request.services, request.context.base_url
    if (caller.links or request.settings.links) is Links.SIGNED:
        return LinkWriter(base_url, services.unsigned.for_signed(), keyring=services.keyring)
    return LinkWriter(base_url, services.unsigned, await allowlist_by_id(services, caller.account.id))


class LinkWriter:
    """Writes the links of one batch.

    Args:
        base_url: the scheme, host and base path of all links.
        limits: the limits on the renditions of unsigned links.
        allowed: the sizes that the account allows; None: any size.
        keyring: signs the links; None: the links are plain.
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
        self._suffixes: dict[tuple[str, int | None, int | None], str] = {}
        """Suffixes, by mode and sides, that are within the limits for every image."""

    def url(self, known: KnownImage, item: wire.ImageSize) -> str | None:
        """The URL for an item; None when the image does not exist or the size is not allowed."""
        if known is None:
            return None
        box = item.resize_mode, item.width, item.height
        suffix = self._suffixes.get(box) or self._suffix(known[0], item)
        if suffix is None:
            return None
        if self._keyring is None:
            return self._base_url + known[1] + suffix
        return self._base_url + append(self._keyring, links.SIGNED_FOR, known[1] + suffix)

    def _suffix(self, target: LinkTarget, item: wire.ImageSize) -> str | None:
        mode, width, height = links.MODES[item.resize_mode], item.width, item.height
        if not self._is_allowed(target, mode, width, height):
            return None
        suffix = links.write_suffix(item.resize_mode, width, height)
        if self._limits.always_accepts(mode, width, height):
            self._suffixes[item.resize_mode, width, height] = suffix
        return suffix

    def _is_allowed(self, target: LinkTarget, mode: Mode, width: int | None, height: int | None) -> bool:
        if not self._limits.accepts(target, mode, width, height):
            return False
        return self._allowed is None or self._allowed.allow(Recipe(mode=mode, width=width, height=height))
