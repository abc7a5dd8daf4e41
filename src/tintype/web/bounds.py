"""What a link that anybody can write may cause: how many new renditions an address can ask for."""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Annotated

from msgspec import Meta, Struct

from tintype.core import House
from tintype.core.bound import require_size
from tintype.core.fairness import AddressPayer
from tintype.core.pace import Pace
from tintype.core.render import Client
from tintype.imaging import Recipe
from tintype.model import Image
from tintype.web.context import Scope

SITE_BITS = 64
"""Leading bits of an IPv6 address that one customer shares (RFC 6177): all of his addresses count as one."""


class BoundSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds for links without a signature."""

    new_renditions: Annotated[int, Meta(ge=1)] = 600
    """Pictures that one address may have made anew in a window by links without a signature. Pictures that
    were made before are not counted."""
    window_seconds: Annotated[float, Meta(gt=0)] = 60.0
    """Length of the sliding window, in seconds."""
    proxies: Annotated[int, Meta(ge=0, le=16)] = 0
    """Proxies of yours in front of the service, each of which adds to X-Forwarded-For; 0: the header is not
    believed."""


class Bounds:
    """Counts new renditions by address, in this process."""

    def __init__(self, settings: BoundSettings) -> None:
        self._settings = settings
        self._pace = Pace(settings.new_renditions, settings.window_seconds)

    def client(self, house: House, image: Image, recipe: Recipe, scope: Scope, *, free: bool) -> Client:
        """For whom this rendition is made: for the address that asks; `free` for a size of its choice.

        Before it is made anew there may be raised:
            Error: FORBIDDEN for a size that the account doesn't allow; TOO_MANY_REQUESTS.
        """
        payer = AddressPayer(address(scope, self._settings.proxies))

        async def may_make() -> None:
            if free:
                await require_size(house, image.account_id, recipe)
            self._pace.take(payer)

        return Client(payer, may_make)


def address(scope: Scope, proxies: int) -> str:
    """Who asks: the address behind so many proxies; of an IPv6 address its first 64 bits."""
    client = (scope.get("client") or ("",))[0]
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = [*(hop.strip() for hop in ",".join(lines).split(",") if hop.strip()), client]
    return _site(hops[max(0, len(hops) - 1 - proxies)]) or client


def _site(text: str) -> str | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, SITE_BITS), strict=False))
