"""The audit log: append-only, and read in order."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.catalogue.conftest import NOON, Sample
from tintype.catalogue import audit
from tintype.catalogue.audit import AuditFilter
from tintype.model import Actor

ANNA = Actor("tintype token create", "anna")


async def add(sample: Sample, event: str, account: str | None = None, minutes: int = 0) -> None:
    await sample.database.write(
        audit.add, NOON + timedelta(minutes=minutes), ANNA, event, account, {"minutes": minutes}
    )


async def events(sample: Sample, asked: AuditFilter, seq: int = 0, limit: int = 100) -> list[str]:
    return [entry.event for entry in await sample.database.read(audit.list_after, seq, asked, limit)]


async def test_an_entry_is_read_as_it_was_recorded(sample: Sample) -> None:
    await add(sample, "token-created", "north", minutes=7)
    (entry,) = await sample.database.read(audit.list_after, 0, AuditFilter(), 10)
    assert (entry.seq, entry.event, entry.account) == (1, "token-created", "north")
    assert (entry.at, entry.actor, entry.details) == (NOON + timedelta(minutes=7), ANNA, {"minutes": 7})


async def test_entries_are_chosen_by_time_account_and_event_and_read_on_from_where_one_stopped(
    sample: Sample,
) -> None:
    for minutes, (event, account) in enumerate([("a", "north"), ("b", "south"), ("c", "north"), ("a", None)]):
        await add(sample, event, account, minutes)
    assert await events(sample, AuditFilter()) == ["a", "b", "c", "a"]
    assert await events(sample, AuditFilter(account="north")) == ["a", "c"]
    assert await events(sample, AuditFilter(event="a")) == ["a", "a"]
    assert await events(sample, AuditFilter(since=NOON + timedelta(minutes=2))) == ["c", "a"]
    assert await events(sample, AuditFilter(), seq=1, limit=2) == ["b", "c"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2",
        "DELETE FROM audit",
        "REPLACE INTO audit SELECT seq, at, 'b', account, actor, origin, details FROM audit WHERE seq = 1",
        "INSERT INTO audit SELECT * FROM audit WHERE true ON CONFLICT (seq) DO UPDATE SET event = 'b'",
    ],
)
async def test_the_database_itself_refuses_to_change_what_was_recorded(
    sample: Sample, path: Path, change: str
) -> None:
    await add(sample, "a")
    await add(sample, "a", minutes=1)
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.DatabaseError, match="only ever added to"),
    ):
        connection.execute(change)
    assert await events(sample, AuditFilter()) == ["a", "a"]
