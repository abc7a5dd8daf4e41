"""Shared by the commands: opening the data folder, and printing errors without a traceback."""

import asyncio
import functools
import getpass
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

import rich_click as click
from msgspec import structs

from tintype.app import LINK_KEYS, ORIGINALS, build_services, close_services
from tintype.catalogue import CATALOGUE, LOCK_TIMEOUT, CatalogueError, schema
from tintype.cli.arguments import printable
from tintype.core import Services
from tintype.core.access.publication import unpublished
from tintype.core.runtime.signing import Keyring
from tintype.core.upkeep.restore import UNFINISHED
from tintype.dialects import discover
from tintype.model import Actor, Error
from tintype.settings import DATA, DEFAULT_DATA, SettingError, Settings, load
from tintype.storage import durable
from tintype.storage.backups import InvalidBackup
from tintype.storage.local import BlobFolder

P = ParamSpec("P")
T = TypeVar("T")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DATA,
    default=DEFAULT_DATA,
    show_default=True,
    show_envvar=True,
    help="The folder of the library.",
)

backup_option = click.option(
    "--no-backup",
    is_flag=True,
    help="Migrate an older library without a backup copy of its catalogue.",
)


STOPPED = 128 + signal.SIGINT
"""The exit status after Ctrl-C, by the convention of shells."""


class NoLibrary(Exception):
    """The folder has no library, or an incomplete one."""


_EXPECTED_ERRORS = (
    SettingError,
    NoLibrary,
    InvalidBackup,
    schema.SchemaTooNew,
    schema.SchemaTooOld,
    schema.ForeignDatabase,
    CatalogueError,
    Error,
    OSError,
)


def plain_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Decorate a command so that expected errors are printed as one sentence, without a traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            click.echo("Stopped. What was done so far stays; the same command goes on from there.", err=True)
            raise SystemExit(STOPPED) from None
        except BrokenPipeError:
            # The reader of the pipe, such as `head`, has ended: click exits silently.
            raise
        except _EXPECTED_ERRORS as error:
            raise click.ClickException("\n".join(map(printable, str(error).splitlines()))) from error
        except UnicodeEncodeError as error:
            raise click.ClickException(f"This is not valid UTF-8: {error.object!a}.") from error

    return guarded


def load_settings(data: Path) -> Settings:
    """Load the settings of a data folder. Also sets the umask: new files are readable by this user only."""
    os.umask(0o077)
    return load(data, discover())


def open_library(data: Path) -> Settings:
    """Load the settings of an existing library with the current schema. Nothing is created or changed.

    Raises:
        NoLibrary: when there is none.
        SchemaTooOld: when it must be migrated first.
        SchemaTooNew: when it was written by a newer tintype.
    """
    settings = load_settings(data)
    revision = schema.revision(settings.data / CATALOGUE)
    if revision is None:
        _refuse_incomplete(settings.data)
        raise NoLibrary(
            f"There is no library in {settings.data}: `tintype init` makes one, "
            "--data or TINTYPE_DATA names another folder."
        )
    schema.require_head(revision)
    return settings


def make_library(data: Path) -> Settings:
    """Load the settings of a library, after creating it if there is none; an older one is not migrated.

    Raises:
        NoLibrary: when the folder has originals but no catalogue.
        SchemaTooOld: when it must be migrated first.
        SchemaTooNew: when it was written by a newer tintype.
    """
    settings = load_settings(data)
    if schema.revision(settings.data / CATALOGUE) is not None:
        return open_library(data)
    _refuse_incomplete(settings.data)
    durable.make_folder(settings.data)
    Keyring.make(settings.data / LINK_KEYS)
    # Last, because a folder with a catalogue counts as a library.
    schema.migrate(settings.data / CATALOGUE)
    return settings


def prepare_library(data: Path, *, backup: bool = True) -> Settings:
    """Load the settings of a library, after creating it if there is none or migrating it if it is older.

    Raises:
        NoLibrary: when the folder has originals but no catalogue.
        SchemaTooNew: when it was written by a newer tintype.
    """
    settings = load_settings(data)
    if schema.revision(settings.data / CATALOGUE) is None:
        return make_library(data)
    migrate_library(settings.data, backup=backup)
    return settings


def migrate_library(folder: Path, *, backup: bool) -> tuple[str | None, str]:
    """Migrate an existing library; returns the schema revisions before and after.

    Args:
        folder: the folder of the library.
        backup: whether to copy the catalogue first; the copy is beside it, and its name is printed.
    """
    catalogue = folder / CATALOGUE
    copy = catalogue.with_name(
        f"{CATALOGUE}.{schema.revision(catalogue)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    )
    before, after = schema.migrate(catalogue, copy if backup else None)
    if copy.exists():
        click.echo(
            f"The catalogue of before is in {copy}. To go back: stop tintype, remove {CATALOGUE}-wal and "
            f"{CATALOGUE}-shm, move the copy over {CATALOGUE}, and start the version of before.",
            err=True,
        )
    if before != after:
        _report_unpublished(folder)
    return before, after


def _report_unpublished(folder: Path) -> None:
    """Print the accounts that publish through no dialect, although links to their images may be in use."""
    names = with_services(folder, unpublished)
    if names:
        click.echo(
            "No link opens the images of these accounts, as they have no token that says through which "
            f"dialect to publish: {', '.join(map(printable, names))}. "
            "`tintype account publish NAME DIALECT` does.",
            err=True,
        )


def command_actor() -> Actor:
    """The actor for the audit log: the current command, and the user of this machine who runs it.

    Without a command it is the demo, whose library is filled by a separate process.
    """
    context = click.get_current_context(silent=True)
    command = context.command_path.partition(" ")[2] if context else "demo"
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        # In a container the user may have no name.
        user = str(os.getuid())
    return Actor(f"tintype {command}", user)


def with_services(data: Path, work: Callable[[Services], Awaitable[T]]) -> T:
    """Run `work` with the services of an existing library."""
    return asyncio.run(run_with_services(open_library(data), work))


async def run_with_services(settings: Settings, work: Callable[[Services], Awaitable[T]]) -> T:
    """Build the services, run `work`, close the services."""
    # Most commands sign nothing and must work when the keys are lost, such as `token revoke`.
    services = build_services(_with_longer_wait(settings), keys_required=False)
    try:
        return await work(services)
    finally:
        await close_services(services)


def _with_longer_wait(settings: Settings) -> Settings:
    """The settings with a longer wait for the catalogue's write lock: commands can wait."""
    workers = settings.workers
    seconds = max(LOCK_TIMEOUT, workers.catalogue_wait_seconds)
    return structs.replace(settings, workers=structs.replace(workers, catalogue_wait_seconds=seconds))


def _refuse_incomplete(folder: Path) -> None:
    """Check that the folder has no files of a library without their catalogue, or of an unfinished restore.

    With a new, empty catalogue all these originals would be unused.

    Raises:
        NoLibrary: when it has.
    """
    if (folder / UNFINISHED).exists():
        raise NoLibrary(f"A restore into {folder} was interrupted: run it again, or remove the folder.")
    if any(BlobFolder(folder / ORIGINALS).list()) or (folder / f"{CATALOGUE}-wal").exists():
        raise NoLibrary(
            f"{folder} has originals but no catalogue: restore a backup of it "
            f"(`tintype restore`), or move {ORIGINALS}/ away to start with an empty library."
        )
