"""The settings and the usage of an account."""

from msgspec import Struct

from tintype.catalogue import Transaction, accounts, publications, usage
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
        NotFound: when there is no such account.
    """
    return await services.catalogue.read(lambda tx: _summary(tx, services, get_account(tx, name)))


async def account_summaries(services: Services) -> list[AccountSummary]:
    """The summaries of all accounts, by name."""
    return await services.catalogue.read(
        lambda tx: [_summary(tx, services, account) for account in accounts.list_all(tx)]
    )


def _summary(tx: Transaction, services: Services, account: Account) -> AccountSummary:
    overrides = accounts.quotas(tx, account.id)
    return AccountSummary(
        account=account,
        publications=publications.get(tx, account.id),
        sizes=accounts.allowed_sizes(tx, account.id),
        quotas=effective_quotas(services, overrides),
        overrides=overrides,
        usage=usage.get(tx, account.id),
    )
