"""Accounts by name."""

from tintype.catalogue import Transaction, accounts
from tintype.model import Account, NotFound


def get_account(tx: Transaction, name: str) -> Account:
    """The account of this name.

    Raises:
        NotFound: when there is no such account.
    """
    account = accounts.find(tx, name)
    if account is None:
        raise NotFound(f"There is no account {name!r}.")
    return account
