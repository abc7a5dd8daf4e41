"""No statement reads an account from end to end, but for those that count or sort it.

SQLite decides by itself how it finds rows. Here every query of the catalogue is asked of a library of three
accounts, and the plan of every statement is read, with and without statistics.
"""

import importlib
import inspect
import pkgutil
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct, structs
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.catalogue.conftest import BLANK
from tintype import catalogue
from tintype.catalogue import (
    Database,
    Transaction,
    accounts,
    audit,
    images,
    leases,
    oauth,
    placements,
    publications,
    schema,
    tokens,
    usage,
)
from tintype.catalogue import library as library_
from tintype.catalogue.transaction import BATCH
from tintype.model import (
    Account,
    Actor,
    Links,
    OAuthApp,
    OAuthCode,
    Person,
    Placement,
    QuotaOverrides,
    Status,
    Token,
    TokenKind,
)
from tintype.model.list_query import ListQuery, SortKey

IMAGES = 20_000
OWNER = UUID(int=1)
MODULES = [
    importlib.import_module(f"{catalogue.__name__}.{found.name}")
    for found in pkgutil.iter_modules(catalogue.__path__)
    if not found.ispkg
]

FILL = """
WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO images (number, id, account_id, filename, name, folded, extension, format, sha256, bytes, width,
    height, frames, has_alpha, status, version, created_by, created_at, modified_by, modified_at)
SELECT i, printf('%032x', i), printf('%032x', min(3, 1 + i % 10)), 'f' || i, 'f' || i, 'f' || i, 'png', 'png',
    printf('%064x', i), 1, 1, 1, 1, 0, 1 + (i % 20 = 0), 1, 1, i, 1, i FROM n
"""
"""A tenth of the images are the first account's, another the second's, the others the third's."""


class Case(Struct, frozen=True):
    """Arguments of a query that has to be asked in several ways, and what it may do besides."""

    arguments: dict[str, Any] = {}
    reads: str = ""
    """Why it has to read all of an account, or all there is."""


def sorts(key: SortKey, reads: str = "counts") -> list[Case]:
    """A list in both directions."""
    selections = [ListQuery(sort=key, descending=descending) for descending in (True, False)]
    return [Case({"selection": each}, reads) for each in selections]


CASES: dict[Callable[..., Any], list[Case]] = {
    images.link_targets: [Case({"ids": [UUID(int=i) for i in range(n)]}) for n in (1, 3, 100, 2 * BATCH + 1)],
    images.by_numbers: [Case({"numbers": list(range(n))}) for n in (1, 3, 100, 2 * BATCH + 1)],
    images.referenced_digests: [Case({"digests": [f"{i:064x}" for i in range(n)]}) for n in (1, 100, 1000)],
    images.existing: [Case({"ids": [UUID(int=i) for i in range(n)]}) for n in (1, 100, 1000)],
    images.find: [Case({"key": UUID(int=7)}), Case({"key": 7})],
    images.find_deliverable: [
        Case({"key": key, "version": version, "default": default})
        for key in (UUID(int=7), 7)
        for version in (None, 1)
        for default in (None, Links.PLAIN)
    ],
    images.list_newest: [Case({"before": None}), Case({"before": IMAGES // 2})],
    images.list_page: [
        *sorts(SortKey.MODIFIED_AT),
        *sorts(SortKey.NAME),
        *sorts(SortKey.CREATED_AT),
        *sorts(SortKey.STATUS, "counts and sorts"),
        *sorts(SortKey.EXTENSION, "counts and sorts"),
        *sorts(SortKey.CREATED_BY, "counts and sorts"),
        Case({"selection": ListQuery(search="7", statuses=(Status.ACTIVE,))}, "counts"),
        Case({"selection": ListQuery(extensions=("png",))}, "counts"),
    ],
    images.list_matching: [
        Case({"selection": ListQuery(), "before": None}),
        Case({"selection": ListQuery(), "before": IMAGES // 2}),
        Case({"selection": ListQuery(), "before": None, "account": None}, "lists all"),
    ],
    images.count: [Case(reads="counts")],
    images.count_without_placeholder: [Case(reads="counts")],
    audit.add: [Case({"account": "a"})],
    audit.list_after: [
        Case({"audit_filter": audit.AuditFilter()}),
        Case({"audit_filter": audit.AuditFilter(datetime.now(UTC), "a", "e")}),
    ],
    usage.mismatches: [Case(reads="counts all images")],
    usage.repair: [Case(reads="counts all images")],
    library_.made_at: [Case(reads="the only row")],
    leases.begin_delete: [Case(reads="drops the expired of a few")],
    accounts.list_all: [Case(reads="lists all")],
    publications.accounts_without: [Case(reads="lists accounts")],
    tokens.list_all: [Case({"account": None}, "lists all"), Case({"account": "a"}, "lists all")],
    placements.totals: [Case(reads="counts a container")],
    placements.list_holders: [Case(reads="sorts the holders of a container")],
    placements.list_slots: [Case(reads="sorts the slots of a container")],
    placements.list_containers: [Case(reads="lists those of an account")],
    placements.count_containers: [Case(reads="counts those of an account")],
    oauth.list_apps: [Case(reads="lists all")],
    oauth.revoke_app: [Case(reads="deletes from the codes of a few minutes")],
    tokens.revoke_all_of_app: [Case(), Case({"person_id": 1})],
    tokens.use: [Case(reads="as revoke")],
    tokens.revoke: [Case(reads="of a client token too, among all tokens")],
}
"""What is not listed is asked once, with `ARGUMENTS`."""

ARGUMENTS: dict[str, Any] = {
    "account": OWNER,
    "app": OAuthApp(UUID(int=2), "native", "client", "app", "https://localhost/", "s", datetime.now(UTC)),
    "app_id": UUID(int=1),
    "client_id": "c",
    "code": OAuthCode(UUID(int=1), Account(OWNER, "a", 1), Person(1, "p"), frozenset(), datetime.now(UTC)),
    "kind": "cell",
    "container": "sheet",
    "holders": ["row"],
    "offset": 0,
    "kept": 1,
    "person_id": 1,
    "actor": Actor("command", "here"),
    "after": IMAGES // 2,
    "at": datetime.now(UTC),
    "colour": None,
    "count": 1,
    "details": {},
    "dialect": "native",
    "digest": "d",
    "digests": ["c", "d"],
    "new": structs.replace(BLANK, id=UUID(int=10**6)),
    "event": "e",
    "filename": "f",
    "given": QuotaOverrides(),
    "id": UUID(int=10**7),
    "ids": [UUID(int=7)],
    "image": UUID(int=7),
    "lease": UUID(int=10**7),
    "limit": 30,
    "links": Links.SIGNED,
    "name": "b",
    "now": datetime.now(UTC),
    "person": Person(1, "p"),
    "placement": Placement("cell", "sheet", "row", "column"),
    "seq": 0,
    "sha256": "0" * 64,
    "size": 1,
    "sizes": None,
    "status": Status.ARCHIVED,
    "strips": True,
    "thumbhash": "t",
}


def fill(path: Path, first: int, last: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for n in (1, 2, 3):
            owner = (UUID(int=n).hex, f"a{n}")
            connection.execute(
                "INSERT OR IGNORE INTO accounts (id, name, number, created_at)"
                " SELECT ?, ?, count(*) + 1, 0 FROM accounts",
                owner,
            )
            connection.execute("INSERT OR IGNORE INTO people VALUES (?, ?, ?, ?3, 0)", (n, *owner))
        connection.execute(
            "INSERT OR IGNORE INTO oauth_apps VALUES (?, 'native', 'first', 'app', 'x', 's', 0, NULL)",
            (UUID(int=1).hex,),
        )
        connection.execute(FILL, {"first": first, "last": last})
        connection.commit()


def analyze(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")
        connection.commit()


def without(path: Path) -> None:
    fill(path, 1, IMAGES)


def with_statistics(path: Path) -> None:
    fill(path, 1, IMAGES)
    analyze(path)


def with_those_of_the_small_library_that_it_was(path: Path) -> None:
    fill(path, 1, 2)
    analyze(path)
    fill(path, 3, IMAGES)
    # As every start does.
    schema.migrate(path)


@pytest.fixture(
    scope="module", params=[without, with_statistics, with_those_of_the_small_library_that_it_was]
)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "catalogue.sqlite3"
    schema.migrate(path)
    request.param(path)
    return path


@pytest.fixture
async def database(library: Path) -> AsyncIterator[Database]:
    opened = Database(library)
    yield opened
    await opened.close()


@contextmanager
def listening() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is executed meanwhile, with its parameters."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        heard.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def queries(module: ModuleType) -> list[Callable[..., Any]]:
    """What a module of the catalogue asks or changes: its functions whose first argument is a transaction."""
    members = inspect.getmembers(module, inspect.isfunction)
    own = [found for name, found in members if found.__module__ == module.__name__ and name[0] != "_"]
    return [found for found in own if next(iter(inspect.signature(found).parameters), "") == "tx"]


ALL = [
    pytest.param(query, case, id=f"{query.__module__.rpartition('.')[2]}.{query.__name__}-{at}")
    for module in MODULES
    for query in queries(module)
    for at, case in enumerate(CASES.get(query, [Case()]))
]


@pytest.mark.parametrize(("query", "case"), ALL)
async def test_no_statement_reads_more_than_it_has_to(
    database: Database, library: Path, query: Callable[..., Any], case: Case
) -> None:
    with listening() as heard:
        await ask(database, query, case)
    found = [line for statement, given in heard for line in plan(library, statement, given)]
    assert found
    if query is images.list_page and "sorts" not in case.reads:
        assert "USE TEMP B-TREE FOR ORDER BY" not in found
    if not case.reads:
        assert [line for line in found if reads_much(line) and not is_led(query, line)] == []


async def ask(database: Database, query: Callable[..., Any], case: Case) -> None:
    """Ask, and leave everything as it was."""

    def change(tx: Transaction) -> None:
        image = images.find(tx, 3)
        given = {**ARGUMENTS, "tx": tx, "token": TOKEN, **own(query, image), **case.arguments}
        query(**{name: given[name] for name in needed(query, given)})
        raise UndoneError

    with suppress(UndoneError):
        await database.write(change)


class UndoneError(Exception):
    """What was changed is taken back."""


TOKEN = Token(
    id=UUID(int=5),
    account=Account(OWNER, "a1", 1),
    person=Person(1, "p"),
    dialect="native",
    kind=TokenKind.ACCESS,
    label="",
    hint="",
    role="",
    scopes=frozenset(),
    issued_for=None,
    created_at=datetime.now(UTC),
    expires_at=None,
    revoked_at=None,
)


def own(query: Callable[..., Any], image: Any) -> dict[str, Any]:  # noqa: ANN401  an image, or its number
    """What some call by a name that means something else with others."""
    if query in {images.set_status, images.replace}:
        return {"image": image}
    if query is placements.attach:
        return {"image": image.number}
    return {"person": "p"} if query is accounts.get_or_create_person else {}


def needed(query: Callable[..., Any], given: dict[str, Any]) -> list[str]:
    """The parameters to fill; a new query whose parameters nobody knows here fails."""
    parameters = inspect.signature(query).parameters.values()
    return [each.name for each in parameters if each.name in given or each.default is each.empty]


def plan(path: Path, statement: str, given: Any) -> list[str]:  # noqa: ANN401  as the driver takes them
    """What SQLite does for a statement, a line a step."""
    if re.match(r"BEGIN|PRAGMA|EXPLAIN", statement):
        return []
    with closing(sqlite3.connect(path)) as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)] or ["WRITE"]


def reads_much(line: str) -> bool:
    """Whether a step goes through a table, or through all that an account has in it."""
    return bool(re.match(r"SCAN (?!CONSTANT)|SEARCH images .*\(account_id=\?\)", line))


def is_led(query: Callable[..., Any], line: str) -> bool:
    """Whether such a step ends early: the newest images are read in their order, as many as asked for."""
    in_order = query in {images.list_newest, images.list_matching}
    return in_order and line.startswith("SEARCH images USING INDEX images_by_number ")
