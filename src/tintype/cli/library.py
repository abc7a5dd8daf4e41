"""What the commands share: the data folder opened, and errors said as a terminal wants them."""

import asyncio
import functools
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import rich_click as click
from sqlalchemy.exc import DBAPIError

from tintype.app import CATALOGUE, close_house, open_house
from tintype.catalogue import schema
from tintype.core import House
from tintype.dialects import discover
from tintype.model import Error
from tintype.settings import DATA, DEFAULT_DATA, SettingError, Settings, load
from tintype.storage import durable

P = ParamSpec("P")
T = TypeVar("T")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DATA,
    default=DEFAULT_DATA,
    show_default=True,
    show_envvar=True,
    help="The folder that holds the library.",
)


def plain_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Say what went wrong in one sentence, without a traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except (SettingError, schema.SchemaTooNew, Error, OSError) as error:
            raise click.ClickException(str(error)) from error
        except UnicodeEncodeError as error:
            raise click.ClickException(f"This is not valid UTF-8: {error.object!a}.") from error
        except sqlite3.Error as error:
            raise click.ClickException(f"The catalogue can't be read: {error}.") from error
        except DBAPIError as error:
            raise click.ClickException(f"The catalogue does not answer: {error.orig}.") from error

    return guarded


def prepare(data: Path) -> Settings:
    """The settings of a data folder, which is made if it is new and migrated if it is older."""
    settings = load(data, discover())
    durable.make_folder(settings.data)
    schema.migrate(settings.data / CATALOGUE)
    return settings


def with_house(data: Path, work: Callable[[House], Awaitable[T]]) -> T:
    """Do work in the house of a data folder."""
    return asyncio.run(in_house(prepare(data), work))


async def in_house(settings: Settings, work: Callable[[House], Awaitable[T]]) -> T:
    """Open the house, do the work, close the house."""
    house = open_house(settings)
    try:
        return await work(house)
    finally:
        await close_house(house)
