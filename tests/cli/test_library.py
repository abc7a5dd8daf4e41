"""Which commands create a library, which migrate one, and the errors of the others without one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import click
import pytest
from alembic import command as alembic
from sqlalchemy import create_engine

from tests import pictures
from tests.cli.calling import call, command, commands, error_message, file_tree, library, run
from tests.hostile.full_disk import read_only
from tests.running import running
from tintype.app import LINK_KEYS
from tintype.catalogue import schema, upgrade
from tintype.cli import main
from tintype.core.runtime.signing import Keyring

MAKES = {("serve",), ("demo",), ("import",), ("init",)}
NEEDS_NONE = {("render",), ("restore",)}
MIGRATES = {("serve",), ("demo",), ("migrate",)}
MAKING = [["serve", "--port", "0"], ["demo", "--port", "0"], ["init"], ["import"]]


def leaves() -> list[tuple[str, ...]]:
    """Every command that does something."""
    return [path for path in commands(main) if not isinstance(command(path), click.Group)]


def example(kind: object, folder: Path) -> str:
    """A value that a parameter can have."""
    if isinstance(kind, click.Path):
        return str(folder / "elsewhere")
    if isinstance(kind, click.Choice):
        return str(kind.choices[0])
    return "00000000-0000-0000-0000-000000000001" if kind is click.UUID else "native"


def whole(path: tuple[str, ...], folder: Path) -> list[str]:
    """A command with everything that it can't do without."""
    given = list(path)
    for parameter in command(path).params:
        if parameter.required:
            value = example(parameter.type, folder)
            given += [parameter.opts[0], value] if isinstance(parameter, click.Option) else [value]
    return given


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A library as a version before left it: one schema back."""
    data = tmp_path / "old"
    data.mkdir()
    engine = create_engine(f"sqlite:///{data / 'catalogue.sqlite3'}")
    with engine.begin() as connection:
        config = upgrade._config()  # noqa: SLF001  its migrations, and not all of them
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO accounts (id, name, external_id, created_at) "
            "VALUES ('00', 'hotel', '02-200000000000001', 7)"
        )
    engine.dispose()
    Keyring.make(data / LINK_KEYS)
    return data


@pytest.fixture
def bereft(tmp_path: Path) -> Path:
    """A library that has lost its catalogue, and still has its originals."""
    (tmp_path / "a.png").write_bytes(pictures.png())
    run(tmp_path / "bereft", "import", str(tmp_path / "a.png"))
    for path in (tmp_path / "bereft").glob("catalogue.sqlite3*"):
        path.unlink()
    return tmp_path / "bereft"


@pytest.mark.parametrize("path", [each for each in leaves() if each not in MAKES | NEEDS_NONE], ids=" ".join)
@pytest.mark.parametrize("folder", ["missing", "empty", "bereft"])
def test_no_other_command_makes_a_library(
    tmp_path: Path, folder: str, path: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    data = request.getfixturevalue("bereft") if folder == "bereft" else tmp_path / folder
    if folder == "empty":
        data.mkdir()
    before = file_tree(tmp_path)
    said_instead = error_message(data, *whole(path, tmp_path))
    wanted = "has originals but no catalogue" if folder == "bereft" else "`tintype init`"
    assert wanted in said_instead
    assert str(data) in said_instead
    assert file_tree(tmp_path) == before


@pytest.mark.parametrize("arguments", MAKING, ids=lambda arguments: arguments[0])
@pytest.mark.parametrize("catalogue", ["gone", "emptied"])
def test_no_empty_catalogue_is_made_beside_originals(
    bereft: Path, arguments: list[str], catalogue: str, tmp_path: Path
) -> None:
    if catalogue == "emptied":
        (bereft / "catalogue.sqlite3").write_bytes(b"")
    paths = [str(tmp_path / "a.png")] if arguments == ["import"] else []
    before = file_tree(bereft)
    assert "has originals but no catalogue" in error_message(bereft, *arguments, *paths)
    assert file_tree(bereft) == before


@pytest.mark.parametrize("path", [each for each in leaves() if each not in NEEDS_NONE], ids=" ".join)
def test_no_command_takes_the_database_of_another_program(tmp_path: Path, path: tuple[str, ...]) -> None:
    data = tmp_path / "folder"
    data.mkdir()
    if path == ("import",):
        (tmp_path / "elsewhere").mkdir()
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.commit()
    before = file_tree(tmp_path)
    assert "the database of another program" in error_message(data, *whole(path, tmp_path))
    assert file_tree(tmp_path) == before


def test_a_new_library_is_complete_and_its_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "new" / "folder"
    assert run(data, "init") == f"Made a library in {data}.\n"
    assert sorted(path.name for path in data.iterdir()) == ["catalogue.sqlite3", "link-keys.json"]
    assert [path.stat().st_mode & 0o777 for path in (data, *sorted(data.iterdir()))] == [0o700, 0o600, 0o600]
    run(data, "check")


def test_a_library_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    run(library(tmp_path), "token", "create", "--dialect", "native")
    before = file_tree(tmp_path)
    assert run(tmp_path, "init") == f"There is a library in {tmp_path} already.\n"
    assert file_tree(tmp_path) == before


@pytest.mark.parametrize(
    "path", [each for each in leaves() if each not in MIGRATES | NEEDS_NONE], ids=" ".join
)
def test_no_other_command_migrates(old: Path, path: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    before = file_tree(tmp_path)
    assert "`tintype migrate`" in error_message(old, *whole(path, tmp_path))
    assert file_tree(tmp_path) == before


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as catalogue:
        return {name for (name,) in catalogue.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def backups(data: Path) -> list[Path]:
    return list(data.glob("catalogue.sqlite3.*backup*"))


def test_migrating_puts_a_copy_beside_the_catalogue_first(old: Path) -> None:
    before = tables(old / "catalogue.sqlite3")
    result = call(old, "migrate")
    assert (result.exit_code, result.stdout) == (0, f"Schema 0002 -> {schema.HEAD}.\n")
    (copy,) = backups(old)
    assert str(copy) in result.stderr
    assert "To go back" in result.stderr
    assert copy.name.startswith("catalogue.sqlite3.0002-")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert tables(copy) == before
    assert schema.revision(copy) == "0002"
    assert schema.revision(old / "catalogue.sqlite3") == schema.HEAD
    # Going back, as the sentence says.
    for each in ("-wal", "-shm"):
        (old / f"catalogue.sqlite3{each}").unlink(missing_ok=True)
    copy.replace(old / "catalogue.sqlite3")
    assert run(old, "migrate", "--no-backup") == f"Schema 0002 -> {schema.HEAD}.\n"
    assert backups(old) == []


def test_nothing_to_migrate_is_nothing_to_copy(tmp_path: Path) -> None:
    assert run(library(tmp_path), "migrate") == f"Schema {schema.HEAD}: nothing to do.\n"
    assert backups(tmp_path) == []


def test_a_copy_that_can_not_be_written_stops_the_migration(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    # The disk is full once the copy is synced.
    monkeypatch.setattr("tintype.catalogue.snapshot.sync", is_full)
    assert "No space left" in error_message(old, "migrate")
    assert schema.revision(old / "catalogue.sqlite3") == "0002"
    assert backups(old) == []


def test_serving_migrates_too_and_says_where_the_copy_is(old: Path) -> None:
    with running(old, "serve"):
        pass
    (copy,) = backups(old)
    assert schema.revision(copy) == "0002"
    assert schema.revision(old / "catalogue.sqlite3") == schema.HEAD


def test_a_library_is_as_old_as_its_first_account(old: Path) -> None:
    run(old, "migrate")
    with closing(sqlite3.connect(old / "catalogue.sqlite3")) as catalogue:
        ((id, made),) = catalogue.execute("SELECT id, created_at FROM library")
    assert (len(id), made) == (32, 7)


def test_migrating_names_the_accounts_whose_images_no_link_opens_from_now_on(old: Path) -> None:
    with closing(sqlite3.connect(old / "catalogue.sqlite3")) as catalogue, catalogue:
        revocations: dict[str, list[int | None]] = {"none": [], "revoked": [7], "in use": [7, None]}
        for number, (name, tokens) in enumerate(revocations.items(), 1):
            of = {"account_id": f"0{number}"}
            external_id = f"02-{2 * 10**14 + 1 + number}"
            add(catalogue, "accounts", id=of["account_id"], name=name, external_id=external_id)
            add(catalogue, "images", id=name, number=number, **of)
            for revoked_at in tokens:
                id = f"{name}, {revoked_at}"
                add(catalogue, "tokens", id=id, digest=id, dialect="native", revoked_at=revoked_at, **of)
    assert "dialect to publish: none, revoked." in call(old, "migrate").stderr
    assert call(old, "migrate").stderr == ""


def add(catalogue: sqlite3.Connection, table: str, **known: object) -> None:
    """Add a row with these values; what else must have one is 1."""
    columns = catalogue.execute(f"PRAGMA table_info({table})").fetchall()
    row = {name: 1 for _, name, _, is_needed, _, is_key in columns if is_needed and not is_key} | known
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    catalogue.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608  ours


SIGNS = {("serve",), ("demo",), ("link",), *(("keys", each) for each in ("list", "rotate", "retire", "new"))}


@pytest.mark.parametrize(
    "path", [each for each in leaves() if each not in SIGNS | NEEDS_NONE | {("backup",)}], ids=" ".join
)
def test_lost_link_keys_keep_no_command_from_its_work_that_signs_nothing(
    path: tuple[str, ...], tmp_path: Path
) -> None:
    data = library(tmp_path / "library")
    (data / LINK_KEYS).unlink()
    assert LINK_KEYS not in call(data, *whole(path, tmp_path)).stderr


@pytest.mark.parametrize(
    "path",
    [
        ("audit",),
        ("token", "list"),
        *(each for each in leaves() if each[0] == "account" and each[1] != "list"),
    ],
    ids=" ".join,
)
def test_an_account_that_is_not_there_is_said(path: tuple[str, ...], tmp_path: Path) -> None:
    given = whole(path, tmp_path) if path[0] == "account" else [*path, "--account", "native"]
    assert "There is no account 'native'" in error_message(library(tmp_path / "library"), *given)


def test_a_folder_that_is_only_read_is_said(tmp_path: Path) -> None:
    data = library(tmp_path / "library")
    with read_only(data):
        assert "use a writable copy of the folder" in error_message(data, "check")


OPTIONS = [
    (path, each.opts[0])
    for path in leaves()
    for each in command(path).params
    if isinstance(each, click.Option) and not each.is_flag and each.opts[0] not in {"--host", "--data"}
]


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids="".join)
def test_nothing_out_of_all_bounds_ends_in_a_traceback(
    path: tuple[str, ...], option: str, tmp_path: Path
) -> None:
    data = library(tmp_path / "library")
    run(data, "token", "create", "--dialect", "native", "--account", "native")
    for given in ("9" * 40, str(2**63), "999999999999999P", "-1", "0x1", "", " ", "\0", "\udcff"):
        result = call(data, *whole(path, tmp_path), option, given)
        assert result.exit_code in {0, 1, 2}
