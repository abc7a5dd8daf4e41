"""How much an account may hold and do: told before a body is read, and again where an image is recorded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import structs

from tintype.catalogue import accounts, usage
from tintype.catalogue.engine import Transaction
from tintype.core.access import audit
from tintype.core.access.accounts import get_account
from tintype.core.runtime.uploads import Upload, require_within_quotas
from tintype.core.services import Services
from tintype.model import Actor, Caller, QuotaOverrides, Quotas, Usage
from tintype.model.audit import Event


async def account_quotas(services: Services, account: UUID) -> Quotas:
    """How much an account may hold and do; remembered until something changes."""
    cached, key = services.query_cache.snapshot(), ("quotas", account)
    if key not in cached:
        cached[key] = effective_quotas(
            services, await services.catalogue.query(lambda tx: accounts.quotas(tx, account))
        )
    found: Quotas = cached[key]
    return found


def effective_quotas(services: Services, overrides: QuotaOverrides) -> Quotas:
    """What is set for an account, and else what the settings say."""
    given = {name: value for name, value in structs.asdict(overrides).items() if value is not None}
    return structs.replace(services.quotas, **given)


async def require_seconds(services: Services, account: UUID) -> None:
    """Raise TOO_MANY_REQUESTS when the account used its seconds of render slots of a minute."""
    services.workers.require_seconds(account, (await account_quotas(services, account)).pixel_seconds)


async def require_room(services: Services, tx: Transaction, account: UUID) -> None:
    """Raise QUOTA_EXCEEDED when the account holds more than it may, in the transaction that adds to it."""
    require_within_quotas(
        effective_quotas(services, await accounts.quotas(tx, account)), await usage.get(tx, account)
    )


@asynccontextmanager
async def admit_upload(
    services: Services, caller: Caller, length: int | None, replaces: int | None = None
) -> AsyncIterator[Upload]:
    """An upload under way, from before its body is read until its image is recorded.

    Args:
        caller: whose it is.
        length: bytes of the body, if that is known.
        replaces: bytes of the original that it takes the place of; None: it is an image more.

    Raises:
        Error: QUOTA_EXCEEDED; TOO_MANY_REQUESTS when too many are under way, or the account used its seconds
            of render slots.
    """
    account = caller.account.id
    allowed = await account_quotas(services, account)
    services.workers.require_seconds(account, allowed.pixel_seconds)
    held = await services.catalogue.query(lambda tx: usage.get(tx, account))
    if replaces is None:
        held = Usage(held.images + 1, held.bytes)
    else:
        # Where quotas were lowered since, what isn't more than before is still taken.
        allowed = structs.replace(allowed, images=0, bytes=allowed.bytes and max(allowed.bytes, held.bytes))
        held = Usage(held.images, held.bytes - replaces)
    with services.uploads.begin(account, allowed, held) as under_way:
        under_way.reserve(length or 0)
        yield under_way


async def set_quotas(
    services: Services, name: str, given: QuotaOverrides, actor: Actor, *, reset: bool
) -> None:
    """Set how much the account of this name may hold and do; it counts from the next request on.

    Args:
        name: of the account.
        given: what is set; None: as it was.
        actor: who sets it.
        reset: what isn't given is as the settings say again.

    Raises:
        Error: NOT_FOUND.
    """
    async with services.catalogue.write() as tx:
        account = await get_account(tx, name)
        before = await accounts.quotas(tx, account.id)
        kept = {} if reset else structs.asdict(before)
        told = {name: value for name, value in structs.asdict(given).items() if value is not None}
        after = QuotaOverrides(**{**kept, **told})
        await accounts.set_quotas(tx, account.id, after)
        changed = {"before": structs.asdict(before), "after": structs.asdict(after)}
        await audit.record(tx, services.clock(), actor, Event.QUOTAS_CHANGED, name, **changed)
