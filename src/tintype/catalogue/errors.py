"""The errors of the catalogue's database."""

from tintype.model import Overloaded


class CatalogueError(Exception):
    """The database failed, or can't be read; the message is one sentence for an operator.

    Above the catalogue it stands for every error of SQLAlchemy and of a driver, which is its `__cause__`.
    """


def locked() -> Overloaded:
    """The error when other transactions don't end in time."""
    return Overloaded("The catalogue is in use by another program; try again later.", retry_after=5)
