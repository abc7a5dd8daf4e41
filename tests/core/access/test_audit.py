"""Who changed what: recorded with the change, or not at all."""

import pytest
from msgspec import structs

from tests import pictures
from tests.core.conftest import NOBODY, Instance, once
from tintype.catalogue import CATALOGUE, Transaction
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


async def test_what_is_recorded_goes_with_its_transaction(instance: Instance) -> None:
    await instance.services.catalogue.write(record, instance.clock(), ANNA, Event.KEY_ADDED, key="1f2e3d4c")

    def fail(tx: Transaction) -> None:
        record(tx, instance.clock(), ANNA, Event.KEY_ADDED, key="never added")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await instance.services.catalogue.write(fail)
    (entry,) = [entry async for entry in entries(instance.services, AuditFilter(event=Event.KEY_ADDED))]
    assert (entry.actor, entry.account, entry.details) == (ANNA, None, {"key": "1f2e3d4c"})


async def test_a_long_log_is_read_in_batches(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)  # a bound, lowered: not a piece of code put in another's place
    asked = AuditFilter(event=Event.KEY_ADDED)
    for most in range(8):
        found = [entry.details["key"] async for entry in entries(instance.services, asked)]
        assert found == list(range(most))
        await instance.services.catalogue.write(record, instance.clock(), ANNA, Event.KEY_ADDED, key=most)


async def test_a_caller_is_told_by_token_and_address(instance: Instance) -> None:
    assert instance.anna.actor == Actor(str(instance.anna.token_id), "")


async def recorded(instance: Instance, event: Event) -> tuple[Actor, str | None, dict[str, object]]:
    """The one entry of an event."""
    (entry,) = [entry async for entry in entries(instance.services, AuditFilter(event=event))]
    assert entry.at == instance.clock()
    return entry.actor, entry.account, entry.details


async def test_tokens_are_recorded_without_their_secrets(instance: Instance) -> None:
    (secret,) = await issue_token(
        instance.services,
        instance.anna.account,
        instance.anna.person,
        "native",
        role="manager",
        scopes=frozenset({"images:read"}),
        actor=ANNA,
    )
    (token,) = await list_tokens(instance.services)
    details = {
        "token": str(token.id),
        "dialect": "native",
        "kind": "access",
        "person": "Anna Koch",
        "role": "manager",
        "scopes": ["images:read"],
    }
    assert await recorded(instance, Event.TOKEN_CREATED) == (ANNA, "north", details)
    instance.clock.go(days=1)
    await revoke_token(instance.services, token.id, NOBODY)
    assert await recorded(instance, Event.TOKEN_REVOKED) == (NOBODY, "north", details)
    assert secret not in (instance.data / CATALOGUE).read_bytes().decode("latin-1")


async def test_deleted_and_replaced_images_are_recorded_by_who_did_it(instance: Instance) -> None:
    boris = structs.replace(instance.boris, origin="192.0.2.7")
    image = await instance.add(boris, filename="till.png")
    async with stage(instance.services, once(pictures.png(3, 4)), 10_000) as staged:
        info = await examine(instance.services, boris, staged)
        changed = await replace(instance.services, boris, image.id, staged, info, "")
    by = Actor(str(boris.token_id), "192.0.2.7")
    assert await recorded(instance, Event.IMAGE_REPLACED) == (
        by,
        "south",
        {"image": str(image.id), "version": 2, "before": image.sha256, "after": changed.sha256},
    )
    await delete(instance.services, boris, image.id)
    assert await recorded(instance, Event.IMAGE_DELETED) == (
        by,
        "south",
        {"image": str(image.id), "filename": "till.png", "sha256": changed.sha256},
    )


async def test_what_was_not_done_is_not_recorded(instance: Instance) -> None:
    image = await instance.add(instance.boris)
    with pytest.raises(Error):
        await delete(instance.services, instance.anna, image.id)
    with pytest.raises(Error):
        await retire(instance.services, instance.services.keyring.all()[0].id, ANNA)
    assert [entry async for entry in entries(instance.services, AuditFilter())] == []


async def test_keys_and_sizes_are_recorded(instance: Instance) -> None:
    first = instance.services.keyring.all()[0].id
    second = await rotate(instance.services, ANNA)
    assert await recorded(instance, Event.KEY_ADDED) == (ANNA, None, {"key": second.id})
    await retire(instance.services, first, ANNA)
    assert await recorded(instance, Event.KEY_RETIRED) == (ANNA, None, {"key": first})
    await set_allowlist(instance.services, instance.anna.account, parse_sizes("320x240"), ANNA)
    assert await recorded(instance, Event.SIZES_CHANGED) == (
        ANNA,
        "north",
        {"before": None, "after": "320x240"},
    )
