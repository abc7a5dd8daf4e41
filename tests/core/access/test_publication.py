"""Through which dialects an account publishes: who comes in, which links open, what is told of it."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from tests.core.conftest import Instance
from tests.core.following import following, remembered, stay_fresh, until
from tintype.catalogue import tables
from tintype.catalogue.audit import AuditFilter
from tintype.core.access.audit import entries
from tintype.core.access.auth import authenticate, issue_token, list_tokens, revoke_token
from tintype.core.access.publication import publish, published, set_links
from tintype.core.delivery.invalidation import find_deliverable
from tintype.dialects import discover
from tintype.model import Actor, Error, Forbidden, Image, Links, NotFound

ANNA = Actor("tintype account publish", "anna")


async def opens(instance: Instance, image: Image, dialect: str, default: Links | None = None) -> bool:
    with suppress(Error):
        return (await find_deliverable(instance.services, dialect, image.id, default=default)).image == image
    with pytest.raises(NotFound, match="no such image"):
        await find_deliverable(instance.services, dialect, image.id, default=default)
    return False


async def test_a_link_opens_if_its_dialect_is_published(instance: Instance) -> None:
    ours, theirs = await instance.add(), await instance.add(instance.boris)
    assert await publish(instance.services, "north", ["mews"], ANNA) == {"mews": None}
    assert await publish(instance.services, "south", [], ANNA) == {}
    assert [await opens(instance, ours, dialect) for dialect in ("mews", "native")] == [True, False]
    assert not await opens(instance, theirs, "mews")


async def test_dialects_are_added_and_taken_away(instance: Instance) -> None:
    await publish(instance.services, "north", ["mews", "native"], ANNA)
    await set_links(instance.services, "north", "mews", Links.SIGNED, ANNA)
    mews = {"mews": Links.SIGNED}
    assert await publish(instance.services, "north", ["evotor"], ANNA, add=True) == {
        "evotor": None,
        "native": None,
        **mews,
    }
    assert await publish(instance.services, "north", ["evotor", "publisher"], ANNA, remove=True) == {
        "native": None,
        **mews,
    }
    assert (
        await publish(instance.services, "north", ["mews"], ANNA)
        == await published(instance.services, "north")
        == mews
    )


@pytest.mark.parametrize(
    ("own", "default", "opened"),
    [
        (None, Links.PLAIN, True),
        (None, Links.SIGNED, False),
        (Links.PLAIN, Links.SIGNED, True),
        (Links.SIGNED, Links.PLAIN, False),
        # A signed link opens either way.
        (None, None, True),
        (Links.PLAIN, None, True),
        (Links.SIGNED, None, True),
    ],
)
async def test_a_plain_link_opens_where_links_are_plain(
    instance: Instance, own: Links | None, default: Links | None, *, opened: bool
) -> None:
    image = await instance.add()
    assert (await set_links(instance.services, "north", "mews", own, ANNA))["mews"] is own
    assert await opens(instance, image, "mews", default) is opened
    # As well from memory, though a signed link has just opened.
    stay_fresh(instance.services)
    assert (await find_deliverable(instance.services, "mews", image.id)).is_valid
    assert await opens(instance, image, "mews", default) is opened


async def test_what_is_remembered_ends_with_its_publication(instance: Instance) -> None:
    image = await instance.add()
    async with following(instance.services):
        known = await find_deliverable(instance.services, "mews", image.id)
        await publish(instance.services, "north", ["native"], ANNA)
        await until(lambda: not known.is_valid)
        assert not await opens(instance, image, "mews")
        known = await find_deliverable(instance.services, "native", image.id)
        await set_links(instance.services, "north", "native", Links.SIGNED, ANNA)
        await until(lambda: not known.is_valid)
        # What is published again is at once: memory never refuses.
        known = await remembered(instance.services, "native", image.id)
        await publish(instance.services, "north", ["native", "mews"], ANNA)
        assert known.is_valid
        assert await opens(instance, image, "mews")


async def test_who_asks_for_what_is_not_published_takes_nothing_from_memory(instance: Instance) -> None:
    image = await instance.add()
    await publish(instance.services, "north", ["native"], ANNA)
    stay_fresh(instance.services)
    known = await find_deliverable(instance.services, "native", image.id)
    for _ in range(3):
        assert not await opens(instance, image, "mews", Links.PLAIN)
    assert known.is_valid
    assert await find_deliverable(instance.services, "native", image.id) is known


async def test_a_token_publishes_and_its_end_does_not_end_that(instance: Instance) -> None:
    await publish(instance.services, "north", [], ANNA)
    (secret,) = await issue_token(
        instance.services, instance.anna.account, instance.anna.person, "native", actor=ANNA
    )
    assert await published(instance.services, "north") == {"native": None}
    await set_links(instance.services, "north", "native", Links.SIGNED, ANNA)
    await issue_token(instance.services, instance.anna.account, instance.anna.person, "native", actor=ANNA)
    assert await published(instance.services, "north") == {"native": Links.SIGNED}
    assert (await authenticate(instance.services, "native", secret)).links is Links.SIGNED
    for token in await list_tokens(instance.services):
        await revoke_token(instance.services, token.id, ANNA)
    assert "native" in await published(instance.services, "north")


async def test_a_token_for_what_is_not_published_lets_nobody_in(instance: Instance) -> None:
    (secret,) = await issue_token(
        instance.services, instance.anna.account, instance.anna.person, "native", actor=ANNA
    )
    await publish(instance.services, "north", ["mews"], ANNA)
    with pytest.raises(Forbidden, match="doesn't publish through native"):
        await authenticate(instance.services, "native", secret)
    await publish(instance.services, "north", ["native"], ANNA)
    assert (await authenticate(instance.services, "native", secret)).links is None


async def test_an_unknown_account_and_what_it_does_not_publish_are_missing(instance: Instance) -> None:
    for change in (
        publish(instance.services, "east", ["mews"], ANNA),
        published(instance.services, "east"),
        set_links(instance.services, "east", "mews", None, ANNA),
        set_links(instance.services, "north", "telegraph", None, ANNA),
    ):
        with pytest.raises(NotFound):
            await change


async def test_only_what_changes_is_recorded_and_only_what_ends_is_told_to_others(instance: Instance) -> None:
    async def recorded() -> tuple[list[dict[str, object]], int]:
        found = [each async for each in entries(instance.services, AuditFilter(account="north"))]
        assert {each.actor for each in found} == {ANNA}
        rows = await instance.services.catalogue.read(lambda tx: list(tx.execute(select(tables.outbox))))
        return [each.details for each in found], len(rows)

    await publish(instance.services, "north", ["mews"], ANNA)
    before = [dialect.name for dialect in discover()]
    first = {"before": before, "after": ["mews"]}
    assert await recorded() == ([first], 1)
    await publish(instance.services, "north", ["mews"], ANNA)
    assert await recorded() == ([first], 1)
    await publish(instance.services, "north", ["native"], ANNA, add=True)
    second = {"before": ["mews"], "after": ["mews", "native"]}
    assert await recorded() == ([first, second], 1)
    await set_links(instance.services, "north", "mews", Links.SIGNED, ANNA)
    third = {"dialect": "mews", "before": None, "after": "signed"}
    assert await recorded() == ([first, second, third], 2)
