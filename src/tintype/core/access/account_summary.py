"""The settings and the usage of an account."""

from msgspec import Struct

from tintype.catalogue import accounts, publications, usage
from tintype.catalogue.engine import Transaction
from tintype.core.access.accounts import get_account
from tintype.core.access.quotas import effective_quotas
from tintype.core.services import Services
from tintype.model import Account, Publications, QuotaOverrides, Quotas, Usage


class AccountSummary(Struct, frozen=True):
    """The settings and the usage of an account.

    Attributes:
        account: the account.
        publications: the dialects that it publishes through, each with the kind of its links.
        sizes: the allowed sizes of unsigned links, as they were set; None is any.
        quotas: the effective quotas.
        overrides: the quotas that are set for this account.
        usage: its images and bytes.
    """

    account: Account
    publications: Publications
    sizes: str | None
    quotas: Quotas
    overrides: QuotaOverrides
    usage: Usage


async def account_summary(services: Services, name: str) -> AccountSummary:
    """The summary of the account of this name.

    Raises:
        Error: NOT_FOUND when there is no such account.
    """
    async with services.catalogue.read() as tx:
        return await _summary(services, tx, await get_account(tx, name))


async def account_summaries(services: Services) -> list[AccountSummary]:
    """The summaries of all accounts, by name."""
    async with services.catalogue.read() as tx:
        return [await _summary(services, tx, account) for account in await accounts.list_all(tx)]


async def _summary(services: Services, tx: Transaction, account: Account) -> AccountSummary:
    overrides = await accounts.quotas(tx, account.id)
    return AccountSummary(
        account=account,
        publications=await publications.get(tx, account.id),
        sizes=await accounts.allowed_sizes(tx, account.id),
        quotas=effective_quotas(services, overrides),
        overrides=overrides,
        usage=await usage.get(tx, account.id),
    )
