"""Who changed what: recorded with the change, or not at all."""

import pytest

from tests.core.conftest import Town
from tintype.catalogue.audit import AuditFilter
from tintype.core import audit as module
from tintype.core.audit import entries, record
from tintype.model import Actor
from tintype.model.audit import Event

ANNA = Actor("tintype keys rotate", "anna")


async def test_what_is_recorded_goes_with_its_transaction(town: Town) -> None:
    async with town.house.catalogue.write() as tx:
        await record(tx, town.clock(), ANNA, Event.KEY_ADDED, key="1f2e3d4c")

    async def fail() -> None:
        async with town.house.catalogue.write() as tx:
            await record(tx, town.clock(), ANNA, Event.KEY_ADDED, key="never added")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    (entry,) = [entry async for entry in entries(town.house, AuditFilter(event=Event.KEY_ADDED))]
    assert (entry.actor, entry.account, entry.details) == (ANNA, None, {"key": "1f2e3d4c"})


async def test_a_long_log_is_read_in_batches(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)  # a bound, lowered: not a piece of code put in another's place
    asked = AuditFilter(event=Event.KEY_ADDED)
    for most in range(8):
        found = [entry.details["key"] async for entry in entries(town.house, asked)]
        assert found == list(range(most))
        async with town.house.catalogue.write() as tx:
            await record(tx, town.clock(), ANNA, Event.KEY_ADDED, key=most)


async def test_a_caller_is_told_by_token_and_address(town: Town) -> None:
    assert town.anna.actor == Actor(str(town.anna.token_id), "")
