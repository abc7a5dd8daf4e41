"""Who changed what: recorded with the change, or not at all."""

import pytest
from msgspec import structs

from tests import pictures
from tests.core.conftest import NOBODY, Town, once
from tintype.app import CATALOGUE
from tintype.catalogue import Transaction
from tintype.catalogue.audit import AuditFilter
from tintype.core.access import audit as module
from tintype.core.access.audit import entries, record
from tintype.core.access.auth import issue_token, list_tokens, revoke_token
from tintype.core.access.keys import retire, rotate
from tintype.core.access.size_allowlist import parse_sizes, set_allowlist
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import examine, stage
from tintype.core.library.update import replace
from tintype.model import Actor, Error
from tintype.model.audit import Event

ANNA = Actor("tintype keys rotate", "anna")


async def test_what_is_recorded_goes_with_its_transaction(town: Town) -> None:
    await town.services.catalogue.write(record, town.clock(), ANNA, Event.KEY_ADDED, key="1f2e3d4c")

    def fail(tx: Transaction) -> None:
        record(tx, town.clock(), ANNA, Event.KEY_ADDED, key="never added")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await town.services.catalogue.write(fail)
    (entry,) = [entry async for entry in entries(town.services, AuditFilter(event=Event.KEY_ADDED))]
    assert (entry.actor, entry.account, entry.details) == (ANNA, None, {"key": "1f2e3d4c"})


async def test_a_long_log_is_read_in_batches(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)  # a bound, lowered: not a piece of code put in another's place
    asked = AuditFilter(event=Event.KEY_ADDED)
    for most in range(8):
        found = [entry.details["key"] async for entry in entries(town.services, asked)]
        assert found == list(range(most))
        await town.services.catalogue.write(record, town.clock(), ANNA, Event.KEY_ADDED, key=most)


async def test_a_caller_is_told_by_token_and_address(town: Town) -> None:
    assert town.anna.actor == Actor(str(town.anna.token_id), "")


async def told(town: Town, event: Event) -> tuple[Actor, str | None, dict[str, object]]:
    """The one entry of an event."""
    (entry,) = [entry async for entry in entries(town.services, AuditFilter(event=event))]
    assert entry.at == town.clock()
    return entry.actor, entry.account, entry.details


async def test_tokens_are_recorded_without_their_secrets(town: Town) -> None:
    (secret,) = await issue_token(
        town.services,
        town.anna.account,
        town.anna.person,
        "native",
        role="manager",
        scopes=frozenset({"images:read"}),
        actor=ANNA,
    )
    (token,) = await list_tokens(town.services)
    details = {
        "token": str(token.id),
        "dialect": "native",
        "kind": "access",
        "person": "Anna Koch",
        "role": "manager",
        "scopes": ["images:read"],
    }
    assert await told(town, Event.TOKEN_CREATED) == (ANNA, "north", details)
    town.clock.go(days=1)
    await revoke_token(town.services, token.id, NOBODY)
    assert await told(town, Event.TOKEN_REVOKED) == (NOBODY, "north", details)
    assert secret not in (town.data / CATALOGUE).read_bytes().decode("latin-1")


async def test_deleted_and_replaced_images_are_recorded_by_who_did_it(town: Town) -> None:
    boris = structs.replace(town.boris, origin="192.0.2.7")
    image = await town.add(boris, filename="till.png")
    async with stage(town.services, once(pictures.png(3, 4)), 10_000) as staged:
        info = await examine(town.services, boris, staged)
        changed = await replace(town.services, boris, image.id, staged, info, "")
    by = Actor(str(boris.token_id), "192.0.2.7")
    assert await told(town, Event.IMAGE_REPLACED) == (
        by,
        "south",
        {"image": str(image.id), "version": 2, "before": image.sha256, "after": changed.sha256},
    )
    await delete(town.services, boris, image.id)
    assert await told(town, Event.IMAGE_DELETED) == (
        by,
        "south",
        {"image": str(image.id), "filename": "till.png", "sha256": changed.sha256},
    )


async def test_what_was_not_done_is_not_recorded(town: Town) -> None:
    image = await town.add(town.boris)
    with pytest.raises(Error):
        await delete(town.services, town.anna, image.id)
    with pytest.raises(Error):
        await retire(town.services, town.services.keyring.all()[0].id, ANNA)
    assert [entry async for entry in entries(town.services, AuditFilter())] == []


async def test_keys_and_sizes_are_recorded(town: Town) -> None:
    first = town.services.keyring.all()[0].id
    second = await rotate(town.services, ANNA)
    assert await told(town, Event.KEY_ADDED) == (ANNA, None, {"key": second.id})
    await retire(town.services, first, ANNA)
    assert await told(town, Event.KEY_RETIRED) == (ANNA, None, {"key": first})
    await set_allowlist(town.services, town.anna.account, parse_sizes("320x240"), ANNA)
    assert await told(town, Event.SIZES_CHANGED) == (ANNA, "north", {"before": None, "after": "320x240"})
