"""What the commands share: the data folder opened, and errors said as a terminal wants them."""

import asyncio
import functools
import getpass
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

import rich_click as click
from msgspec import structs
from sqlalchemy.exc import DBAPIError

from tintype.app import CATALOGUE, LINK_KEYS, ORIGINALS, build_services, close_services
from tintype.catalogue import schema
from tintype.catalogue.engine import BUSY_SECONDS
from tintype.cli.words import printable
from tintype.core import Services
from tintype.core.access.publication import unpublished
from tintype.core.runtime.signing import Keyring
from tintype.core.upkeep.restore import UNFINISHED
from tintype.dialects import discover
from tintype.model import Actor, Error
from tintype.settings import DATA, DEFAULT_DATA, SettingError, Settings, load
from tintype.storage import durable
from tintype.storage.backups import NoBackup
from tintype.storage.originals import digests

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

backup_option = click.option(
    "--no-backup",
    is_flag=True,
    help="Migrate an older library without putting a copy of its catalogue beside it.",
)


STOPPED = 128 + signal.SIGINT
"""The exit status of a command that was stopped with Ctrl-C, as shells have it."""


class NoLibrary(Exception):  # noqa: N818  it is for the caller to say where one is
    """The folder holds no library, or not all of one."""


_SAID_IN_A_SENTENCE = (
    SettingError,
    NoLibrary,
    NoBackup,
    schema.SchemaTooNew,
    schema.SchemaTooOld,
    Error,
    OSError,
)


def plain_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Say what went wrong in one sentence, without a traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            click.echo("Stopped. What was done so far stays; the same command goes on from there.", err=True)
            raise SystemExit(STOPPED) from None
        except BrokenPipeError:
            # Who reads has read enough, such as `head`: click ends without a word.
            raise
        except _SAID_IN_A_SENTENCE as error:
            raise click.ClickException(str(error)) from error
        except UnicodeEncodeError as error:
            raise click.ClickException(f"This is not valid UTF-8: {error.object!a}.") from error
        except sqlite3.Error as error:
            raise click.ClickException(_unreadable(error)) from error
        except DBAPIError as error:
            raise click.ClickException(f"The catalogue does not answer: {error.orig}.") from error

    return guarded


def _unreadable(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    # The lowest byte is the kind of the error, the others say more.
    if code is not None and code & 0xFF in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
        return (
            "The catalogue can't be opened, as SQLite writes beside it even to read: make the data folder "
            f"and its files writable for you, or copy the folder to where they are ({error})."
        )
    return f"The catalogue can't be read: {error}."


def settings_of(data: Path) -> Settings:
    """The settings of a data folder; what this process makes from now on is its user's alone."""
    os.umask(0o077)
    return load(data, discover())


def open_library(data: Path) -> Settings:
    """The settings of a library that is there, at the present schema. Nothing is made or changed.

    Raises:
        NoLibrary: when there is none.
        SchemaTooOld: when it has to be migrated first.
        SchemaTooNew: when a newer tintype wrote it.
    """
    settings = settings_of(data)
    stands = schema.revision(settings.data / CATALOGUE)
    if stands is None:
        _refuse_remains(settings.data)
        raise NoLibrary(
            f"There is no library in {settings.data}: `tintype init` makes one, "
            "--data or TINTYPE_DATA names another folder."
        )
    schema.require_head(stands)
    return settings


def make_library(data: Path) -> Settings:
    """The settings of a library, which is made if there is none; an older one is not migrated.

    Raises:
        NoLibrary: when the folder has originals without their catalogue.
        SchemaTooOld: when it has to be migrated first.
        SchemaTooNew: when a newer tintype wrote it.
    """
    settings = settings_of(data)
    if schema.revision(settings.data / CATALOGUE) is not None:
        return open_library(data)
    _refuse_remains(settings.data)
    durable.make_folder(settings.data)
    Keyring.make(settings.data / LINK_KEYS)
    # Last: the catalogue is what makes a folder a library.
    schema.migrate(settings.data / CATALOGUE)
    return settings


def prepare(data: Path, *, backup: bool = True) -> Settings:
    """The settings of a library, which is made if there is none and migrated if it is older.

    Raises:
        NoLibrary: when the folder has originals without their catalogue.
        SchemaTooNew: when a newer tintype wrote it.
    """
    settings = settings_of(data)
    if schema.revision(settings.data / CATALOGUE) is None:
        return make_library(data)
    migrate_library(settings.data, backup=backup)
    return settings


def migrate_library(folder: Path, *, backup: bool) -> tuple[str | None, str]:
    """Migrate a library that is there; answers where its catalogue stood and where it stands.

    Args:
        folder: of the library.
        backup: first put a copy of the catalogue beside it, and say so.
    """
    catalogue = folder / CATALOGUE
    copy = catalogue.with_name(
        f"{CATALOGUE}.{schema.revision(catalogue)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    )
    stood, stands = schema.migrate(catalogue, copy if backup else None)
    if copy.exists():
        click.echo(
            f"The catalogue of before is in {copy}. To go back: stop tintype, remove {CATALOGUE}-wal and "
            f"{CATALOGUE}-shm, move the copy over {CATALOGUE}, and start the version of before.",
            err=True,
        )
    if stood != stands:
        _name_unpublished(folder)
    return stood, stands


def _name_unpublished(folder: Path) -> None:
    """Name the accounts whose images no link opens: links of theirs may have been given out before."""
    names = with_services(folder, unpublished)
    if names:
        click.echo(
            "No link opens the images of these accounts, as they have no token that says through which "
            f"dialect to publish: {', '.join(map(printable, names))}. "
            "`tintype account publish NAME DIALECT` does.",
            err=True,
        )


def command_actor() -> Actor:
    """Who does what the present command does: the command, and the user of this machine who gave it.

    Without a command it is the demo, which fills its library in a process of its own.
    """
    context = click.get_current_context(silent=True)
    command = context.command_path.partition(" ")[2] if context else "demo"
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        # In a container users need no names.
        user = str(os.getuid())
    return Actor(f"tintype {command}", user)


def with_services(data: Path, work: Callable[[Services], Awaitable[T]]) -> T:
    """Do work with the services of an existing library."""
    return asyncio.run(run_with_services(open_library(data), work))


async def run_with_services(settings: Settings, work: Callable[[Services], Awaitable[T]]) -> T:
    """Build the services, do the work, close them."""
    # Few commands sign. The others, such as `token revoke`, have to work where the keys are lost.
    services = build_services(_with_progress(settings), keys_required=False)
    try:
        return await work(services)
    finally:
        await close_services(services)


def _with_progress(settings: Settings) -> Settings:
    """A command can wait longer than a client for who writes the catalogue."""
    workers = settings.workers
    seconds = max(BUSY_SECONDS, workers.catalogue_wait_seconds)
    return structs.replace(settings, workers=structs.replace(workers, catalogue_wait_seconds=seconds))


def _refuse_remains(folder: Path) -> None:
    """Refuse a folder that a catalogue is missing from: an empty one would make all of it unused."""
    if (folder / UNFINISHED).exists():
        raise NoLibrary(f"A restore into {folder} was broken off: run it again, or remove the folder.")
    if any(digests(folder / ORIGINALS)) or (folder / f"{CATALOGUE}-wal").exists():
        raise NoLibrary(
            f"{folder} has originals but no catalogue: restore a backup of it "
            f"(`tintype restore`), or move {ORIGINALS}/ away to begin anew."
        )
