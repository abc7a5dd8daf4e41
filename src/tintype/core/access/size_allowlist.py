"""The sizes that an account allows in unsigned links."""

import re
from uuid import UUID

from msgspec import Struct

from tintype.catalogue import Transaction, accounts
from tintype.core.access import audit
from tintype.core.access.accounts import get_account
from tintype.core.services import Services
from tintype.imaging import Recipe
from tintype.model import Account, Actor, Forbidden, Invalid
from tintype.model.audit import Event

MAX_SIZES = 100
"""The most sizes that an account can allow."""

_SIZE = re.compile(r"([1-9][0-9]{0,4})?x([1-9][0-9]{0,4})?\Z")


class SizeAllowlist(Struct, frozen=True):
    """The sizes that are allowed, each as width and height in pixels; an open side is None."""

    pairs: tuple[tuple[int | None, int | None], ...]

    def __str__(self) -> str:
        return ",".join(f"{width or ''}x{height or ''}" for width, height in self.pairs)

    def allow(self, recipe: Recipe) -> bool:
        """Whether the recipe's box, in device pixels, is one of the sizes."""
        box = recipe.normal()
        return (box.width, box.height) in self.pairs


def parse_sizes(text: str) -> SizeAllowlist:
    """The sizes in a text such as `320x240,640x,x480`.

    Raises:
        Invalid: when it is malformed, or there are too many.
    """
    words = text.split(",")
    if len(words) > MAX_SIZES:
        raise Invalid(f"An account can allow {MAX_SIZES} sizes at the most.")
    return SizeAllowlist(tuple(_size(word.strip()) for word in words))


async def get_allowlist(services: Services, name: str) -> tuple[Account, SizeAllowlist | None]:
    """The account of this name, and the sizes it allows; None is any.

    Raises:
        NotFound: when there is no such account.
    """

    def get(tx: Transaction) -> tuple[Account, str | None]:
        account = get_account(tx, name)
        return account, accounts.allowed_sizes(tx, account.id)

    account, sizes = await services.catalogue.read(get)
    return account, _sizes(sizes)


async def set_allowlist(
    services: Services, account: Account, sizes: SizeAllowlist | None, actor: Actor
) -> None:
    """Allow only these sizes in unsigned links, from the next new rendition on."""
    text = None if sizes is None else str(sizes)

    def change(tx: Transaction) -> None:
        changed = {"before": accounts.allowed_sizes(tx, account.id), "after": text}
        accounts.set_allowed_sizes(tx, account.id, text)
        audit.record(tx, services.clock(), actor, Event.SIZES_CHANGED, account.name, **changed)

    await services.catalogue.write(change)


async def allowlist_by_id(services: Services, account: UUID) -> SizeAllowlist | None:
    """The sizes that an account allows; None is any. Cached until anything changes."""
    return await services.query_cache.get(
        ("sizes", account), lambda: services.catalogue.read(_allowed_sizes, account)
    )


async def require_size(services: Services, account: UUID, recipe: Recipe) -> None:
    """Require that the account allows the recipe's size.

    Raises:
        Forbidden: when it doesn't.
    """
    allowlist = await allowlist_by_id(services, account)
    if allowlist is not None and not allowlist.allow(recipe):
        raise Forbidden(f"Pictures are made in these sizes here: {allowlist}.")


def _allowed_sizes(tx: Transaction, account: UUID) -> SizeAllowlist | None:
    return _sizes(accounts.allowed_sizes(tx, account))


def _sizes(text: str | None) -> SizeAllowlist | None:
    return None if text is None else parse_sizes(text)


def _size(word: str) -> tuple[int | None, int | None]:
    match = _SIZE.match(word)
    if match is None or word == "x":
        raise Invalid(f"{word!r} is no size; write 320x240, or 640x for a width, x480 for a height.")
    return _side(match[1]), _side(match[2])


def _side(text: str | None) -> int | None:
    return int(text) if text else None
