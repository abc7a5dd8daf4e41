"""Accounts by name."""

from tintype.catalogue import accounts
from tintype.catalogue.engine import Transaction
from tintype.model import Account, NotFound


async def get_account(tx: Transaction, name: str) -> Account:
    """The account of this name.

    Raises:
        Error: NOT_FOUND when there is no such account.
    """
    found = await accounts.find(tx, name)
    if found is None:
        raise NotFound(f"There is no account {name!r}.")
    return found
