"""Quotas of accounts, checked before a body is read and again when an image is recorded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import structs

from tintype.catalogue import Transaction, accounts, usage
from tintype.core.access import audit
from tintype.core.access.accounts import get_account
from tintype.core.runtime.uploads import Upload, require_within_quotas
from tintype.core.services import Services
from tintype.model import Actor, Caller, QuotaOverrides, Quotas, Usage
from tintype.model.audit import Event


async def account_quotas(services: Services, account: UUID) -> Quotas:
    """The effective quotas of an account, cached until anything in the catalogue changes."""
    return await services.query_cache.get(
        ("quotas", account), lambda: services.catalogue.read(_quotas, services, account)
    )


def effective_quotas(services: Services, overrides: QuotaOverrides) -> Quotas:
    """The overrides of an account, and the settings for the rest."""
    given = {name: value for name, value in structs.asdict(overrides).items() if value is not None}
    return structs.replace(services.quotas, **given)


async def require_seconds(services: Services, account: UUID) -> None:
    """Require that the account has seconds of render slots left.

    Raises:
        TooManyRequests: when it used those of a minute.
    """
    services.workers.require_seconds(account, (await account_quotas(services, account)).pixel_seconds)


def require_room(tx: Transaction, services: Services, account: UUID) -> None:
    """Require that the account is within its quotas, in the transaction that adds to it.

    Raises:
        QuotaExceeded: when it is not.
    """
    require_within_quotas(_quotas(tx, services, account), usage.get(tx, account))


def _quotas(tx: Transaction, services: Services, account: UUID) -> Quotas:
    return effective_quotas(services, accounts.quotas(tx, account))


@asynccontextmanager
async def admit_upload(
    services: Services, caller: Caller, length: int | None, replaces: int | None = None
) -> AsyncIterator[Upload]:
    """An upload under way, from before its body is read until its image is recorded.

    Args:
        caller: the uploader.
        length: bytes of the body, if known.
        replaces: bytes of the original that it replaces; None: it is a new image.

    Raises:
        QuotaExceeded: when the account would exceed its quotas.
        TooManyRequests: when too many of its uploads are under way, or it used its seconds of render slots.
    """
    account = caller.account.id
    allowed = await account_quotas(services, account)
    services.workers.require_seconds(account, allowed.pixel_seconds)
    expected = await services.catalogue.read(usage.get, account)
    if replaces is None:
        expected = Usage(expected.images + 1, expected.bytes)
    else:
        # After quotas were lowered, a replacement that is no larger is still accepted.
        allowed = structs.replace(
            allowed, images=0, bytes=allowed.bytes and max(allowed.bytes, expected.bytes)
        )
        expected = Usage(expected.images, expected.bytes - replaces)
    with services.uploads.begin(account, allowed, expected) as under_way:
        under_way.reserve(length or 0)
        yield under_way


async def set_quotas(
    services: Services, name: str, given: QuotaOverrides, actor: Actor, *, reset: bool
) -> None:
    """Set the quotas of the account of this name, from the next request on.

    Args:
        name: of the account.
        given: the new overrides; None: unchanged.
        actor: who sets them.
        reset: remove the overrides that are not given.

    Raises:
        NotFound: when there is no such account.
    """

    def change(tx: Transaction) -> None:
        account = get_account(tx, name)
        before = accounts.quotas(tx, account.id)
        current = {} if reset else structs.asdict(before)
        changes_given = {name: value for name, value in structs.asdict(given).items() if value is not None}
        after = QuotaOverrides(**{**current, **changes_given})
        accounts.set_quotas(tx, account.id, after)
        changed = {"before": structs.asdict(before), "after": structs.asdict(after)}
        audit.record(tx, services.clock(), actor, Event.QUOTAS_CHANGED, name, **changed)

    await services.catalogue.write(change)
