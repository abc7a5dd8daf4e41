"""Limits on new renditions by unsigned links, per client address."""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Annotated, Any

from msgspec import Meta, Struct

from tintype.core import Services
from tintype.core.access.size_allowlist import require_size
from tintype.core.delivery.render import Client
from tintype.core.runtime.fair_queue import AddressPayer
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.imaging import OutputLimits, Recipe
from tintype.model import Image
from tintype.web.context import Scope

NETWORK_BITS = 64
"""The prefix length of the IPv6 network of one customer (RFC 6177), whose addresses count as one."""


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds for links without a signature."""

    new_renditions: Annotated[int, Meta(ge=0)] = 600
    """New renditions that one address may request in a window through unsigned links; 0: no limit. Cached
    renditions are not counted.
    """
    window_seconds: Annotated[float, Meta(gt=0)] = 60.0
    """Length of the sliding window, in seconds."""
    pixel_seconds: Annotated[int, Meta(ge=0)] = 120
    """Seconds of render slots that one address may use per minute through such links; 0: no limit. Renditions
    in progress are finished.
    """
    proxies: Annotated[int, Meta(ge=0, le=16)] = 0
    """Trusted proxies in front of the service, each of which appends to X-Forwarded-For; 0: the header is
    ignored.
    """
    enlarge_factor: Annotated[float, Meta(ge=1)] = 2.0
    """How many times as long as the longest side of the original the longest side of such a rendition may
    be.
    """
    enlarge_side: Annotated[int, Meta(ge=1)] = 2_500
    """The longest side that such a rendition may be enlarged to in any case, in pixels."""

    def unsigned(self, output: OutputLimits, memory: int) -> UnsignedLimits:
        """The limits on such pictures; `output`: those on every picture, `memory`: bytes for one."""
        return UnsignedLimits(self.enlarge_factor, self.enlarge_side, output, memory)


class UnsignedRenderLimit:
    """Limits new renditions by address, in this process."""

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._rate_limiter = RateLimiter(settings.new_renditions, settings.window_seconds)

    def client(
        self, services: Services, image: Image, recipe: Recipe | None, scope: Scope, *, any_size: bool
    ) -> Client:
        """The client that pays for this rendition, by its address; `any_size` if it chose the size.

        Its admission check raises:
            Forbidden: when the account doesn't allow the size.
            TooManyRequests: when a limit is reached.
        """
        payer = AddressPayer(client_network(scope, self._settings.proxies))

        async def admission_check() -> None:
            if any_size and recipe is not None:
                await require_size(services, image.account_id, recipe)
            services.workers.require_seconds(payer, self._settings.pixel_seconds)
            self._rate_limiter.take(payer)

        return Client(payer, admission_check)


def client_network(scope: Mapping[str, Any], proxies: int) -> str:
    """The client's address behind so many proxies; of an IPv6 address its first 64 bits."""
    address = client_ip(scope, proxies)
    with suppress(ValueError):
        return str(IPv6Network((address, NETWORK_BITS), strict=False))
    return address


def client_ip(scope: Mapping[str, Any], proxies: int) -> str:
    """The client's address behind so many proxies, in canonical form; IPv4-mapped IPv6 becomes IPv4."""
    client = (scope.get("client") or ("",))[0]
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = [*(hop.strip() for hop in ",".join(lines).split(",") if hop.strip()), client]
    return _canonical(hops[max(0, len(hops) - 1 - proxies)]) or _canonical(client) or client


def _canonical(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
