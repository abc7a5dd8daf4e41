"""Migrations: of a new catalogue, of a current one, by several processes at once."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.types import TypeDecorator, TypeEngine

from tintype.catalogue import migrations, schema, upgrade
from tintype.catalogue.tables import metadata


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_a_new_catalogue_is_brought_to_the_newest_schema(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    assert schema.migrate(path) == (None, schema.HEAD)
    assert schema.revision(path) == schema.HEAD
    assert query(path, "PRAGMA journal_mode") == [("wal",)]


def test_an_empty_file_counts_as_new(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    path.write_bytes(b"")
    assert schema.migrate(path) == (None, schema.HEAD)


def test_asking_for_the_schema_makes_no_file(tmp_path: Path) -> None:
    assert schema.revision(tmp_path / "catalogue.sqlite3") is None
    assert list(tmp_path.iterdir()) == []


def test_the_program_calls_newest_what_the_folder_of_migrations_does() -> None:
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads() == [schema.HEAD]
    assert schema.HEAD in upgrade.known_revisions()


def test_migrated_tables_are_those_that_the_queries_know(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        options = {"compare_type": _differs, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()


def test_numbers_are_counted_by_the_database_and_never_go_back(path: Path) -> None:
    # What a comparison of tables does not see.
    for table in ("images", "people", "outbox"):
        (definition,) = query(path, f"SELECT sql FROM sqlite_master WHERE name = '{table}'")  # noqa: S608  our own names
        assert "AUTOINCREMENT" in str(definition[0])


def test_foreign_keys_and_their_cascades_are_those_that_the_queries_know(path: Path) -> None:
    for table in metadata.sorted_tables:
        found = {
            (row[3], row[2], row[4], row[6]) for row in query(path, f"PRAGMA foreign_key_list({table.name})")
        }
        assert found == {
            (key.parent.name, key.column.table.name, key.column.name, key.ondelete or "NO ACTION")
            for key in table.foreign_keys
        }


def test_a_second_time_does_nothing(path: Path) -> None:
    before = query(path, "SELECT * FROM sqlite_master")
    assert schema.migrate(path) == (schema.HEAD, schema.HEAD)
    upgrade.to_head(path)
    assert query(path, "SELECT * FROM sqlite_master") == before


def test_two_processes_at_once_both_find_the_work_done(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    program = (
        "import sys; from pathlib import Path; from tintype.catalogue import schema, upgrade; "
        "print(flush=True); input(); schema.migrate(Path(sys.argv[1]))"
    )
    pipe = subprocess.PIPE
    together = [
        subprocess.Popen(
            [sys.executable, "-c", program, path], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        for _ in range(2)
    ]
    for process in together:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n"
    for process in together:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [(process.communicate()[1], process.returncode) for process in together] == [("", 0)] * 2
    assert query(path, "SELECT version_num FROM alembic_version") == [(schema.HEAD,)]


def test_a_newer_catalogue_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(schema.SchemaTooNew, match="9999"):
        schema.migrate(path)
    assert schema.revision(path) == "9999"


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("CREATE TABLE stores (id INTEGER)"))  # in the way of the last table
    engine.dispose()
    with pytest.raises(Exception, match="stores"):
        schema.migrate(path)
    tables = query(path, "SELECT name FROM sqlite_master WHERE type = 'table'")
    assert tables == [("alembic_version",), ("stores",)]


def test_the_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(schema.ForeignDatabase, match="another program"):
        schema.migrate(path)
    assert path.read_bytes() == before


def test_accounts_that_exist_publish_through_the_dialects_of_their_tokens_and_keep_their_places(
    tmp_path: Path,
) -> None:
    path = tmp_path / "catalogue.sqlite3"
    migrate_from(path, "0002", OF_A_VERSION_BEFORE)
    assert query(path, "SELECT account_id, dialect, links FROM publications ORDER BY 1, 2") == [
        ("a1", "evotor", None),
        ("a1", "mews", None),
        ("a2", "evotor", None),
    ]
    assert query(path, "SELECT account_id, container, holder FROM placements") == [("a1", "store", "till")]
    assert query(path, "SELECT name FROM sqlite_master WHERE name = 'stores'") == []
    assert query(path, "SELECT id, name, number, created_at FROM accounts ORDER BY id") == [
        ("a1", "n1", 1, 0),
        ("a2", "n2", 2, 0),
        ("a3", "n3", 7, 0),
    ]
    assert query(path, "PRAGMA foreign_key_check") == []


def migrate_from(path: Path, revision: str, statements: list[str]) -> None:
    """Migrate a catalogue of this revision to which these statements added rows."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = upgrade._config()  # noqa: SLF001  its migrations, and not all of them
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    schema.migrate(path)


def _token(id: int, account: str, dialect: str, revoked_at: str = "NULL") -> str:
    described = (
        f"'t{id}', '{account}', 1, '{dialect}', 'access', '', 'd{id}', '', '', '', NULL, 0, 5, {revoked_at}"
    )
    return f"INSERT INTO tokens VALUES ({described})"  # noqa: S608  our own words


OF_A_VERSION_BEFORE = [
    "INSERT INTO accounts VALUES ('a1', 'n1', '02-200000000000001', 0, NULL)",
    "INSERT INTO accounts VALUES ('a2', 'n2', '02-200000000000002', 0, NULL)",
    "INSERT INTO accounts VALUES ('a3', 'n3', '02-200000000000007', 0, NULL)",
    "INSERT INTO people VALUES (1, 'a1', 'p', 'p', 0)",
    _token(1, "a1", "mews"),
    _token(2, "a1", "mews"),
    _token(3, "a1", "evotor"),
    _token(4, "a1", "native", revoked_at="9"),
    _token(5, "a2", "evotor"),
    (
        "INSERT INTO images VALUES"
        " (1, 'i1', 'a1', 'f', 'f', 'f', 'png', 'png', 's', 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0, NULL, NULL)"
    ),
    "INSERT INTO placements VALUES (1, 'a1', 1, 'product', 'store', 'till', '', '')",
    "INSERT INTO stores VALUES ('store', 'a1', 0)",
]

UUID = "5e46f8de-ec4f-4f87-85de-337b88fa2bdd"


def test_placements_are_found_by_their_keys_and_of_two_that_differ_in_case_the_newer_one_stays(
    tmp_path: Path,
) -> None:
    path = tmp_path / "catalogue.sqlite3"
    places = ["'Store', 'Till'", f"'{UUID.upper()}', 'A'", f"'{UUID}', 'A'", f"'{UUID}', 'a'"]
    rows = [
        f"INSERT INTO placements VALUES ({number}, 'a1', 1, 'product', {place}, '', '')"  # noqa: S608  our own words
        for number, place in enumerate(places, 2)
    ]
    migrate_from(path, "0002", OF_A_VERSION_BEFORE + rows)
    assert query(path, "SELECT container, container_key, holder, holder_key FROM placements ORDER BY id") == [
        ("store", "store", "till", "till"),
        ("Store", "Store", "Till", "Till"),
        (UUID, UUID, "A", "A"),
        (UUID, UUID, "a", "a"),
    ]


def _differs(
    _context: object,
    _inspected: object,
    _column: object,
    inspected: TypeEngine[object],
    known: TypeEngine[object],
) -> bool | None:
    """A type of ours is compared by what it is stored as."""
    if isinstance(known, TypeDecorator):
        return not isinstance(inspected, type(known.impl_instance))
    return None
