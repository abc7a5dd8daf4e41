"""Through which dialects an account publishes: who comes in, which links open, what is told of it."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from tests.core.conftest import Town
from tests.core.following import following, until
from tintype.catalogue import tables
from tintype.catalogue.audit import AuditFilter
from tintype.core.access.audit import entries
from tintype.core.access.auth import authenticate, issue_token, list_tokens, revoke_token
from tintype.core.access.publication import publish, published, set_links
from tintype.core.delivery.invalidation import find_deliverable
from tintype.model import Actor, Error, Forbidden, Image, Links, NotFound

ANNA = Actor("tintype account publish", "anna")


async def opens(town: Town, image: Image, dialect: str, default: Links | None = None) -> bool:
    with suppress(Error):
        return (await find_deliverable(town.services, dialect, image.id, default=default)).image == image
    with pytest.raises(NotFound, match="no such image"):
        await find_deliverable(town.services, dialect, image.id, default=default)
    return False


async def test_a_link_opens_if_its_dialect_is_published(town: Town) -> None:
    ours, theirs = await town.add(), await town.add(town.boris)
    assert await publish(town.services, "north", ["mews"], ANNA) == {"mews": None}
    assert await publish(town.services, "south", [], ANNA) == {}
    assert [await opens(town, ours, dialect) for dialect in ("mews", "native")] == [True, False]
    assert not await opens(town, theirs, "mews")


async def test_dialects_are_added_and_taken_away(town: Town) -> None:
    await publish(town.services, "north", ["mews", "native"], ANNA)
    await set_links(town.services, "north", "mews", Links.SIGNED, ANNA)
    mews = {"mews": Links.SIGNED}
    assert await publish(town.services, "north", ["evotor"], ANNA, add=True) == {
        "evotor": None,
        "native": None,
        **mews,
    }
    assert await publish(town.services, "north", ["evotor", "publisher"], ANNA, remove=True) == {
        "native": None,
        **mews,
    }
    assert (
        await publish(town.services, "north", ["mews"], ANNA)
        == await published(town.services, "north")
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
    town: Town, own: Links | None, default: Links | None, *, opened: bool
) -> None:
    image = await town.add()
    assert (await set_links(town.services, "north", "mews", own, ANNA))["mews"] is own
    assert await opens(town, image, "mews", default) is opened


async def test_what_is_remembered_ends_with_its_publication(town: Town) -> None:
    image = await town.add()
    async with following(town.services):
        known = await find_deliverable(town.services, "mews", image.id)
        await publish(town.services, "north", ["native"], ANNA)
        await until(lambda: not known.is_valid)
        assert not await opens(town, image, "mews")
        known = await find_deliverable(town.services, "native", image.id)
        await set_links(town.services, "north", "native", Links.SIGNED, ANNA)
        await until(lambda: not known.is_valid)
        # What is published again is at once: memory never refuses.
        known = await find_deliverable(town.services, "native", image.id)
        await publish(town.services, "north", ["native", "mews"], ANNA)
        assert known.is_valid
        assert await opens(town, image, "mews")


async def test_who_asks_for_what_is_not_published_takes_nothing_from_memory(town: Town) -> None:
    image = await town.add()
    await publish(town.services, "north", ["native"], ANNA)
    async with following(town.services):
        known = await find_deliverable(town.services, "native", image.id)
        for _ in range(3):
            assert not await opens(town, image, "mews", Links.PLAIN)
        assert known.is_valid
        assert await find_deliverable(town.services, "native", image.id) is known


async def test_a_token_publishes_and_its_end_does_not_end_that(town: Town) -> None:
    await publish(town.services, "north", [], ANNA)
    (secret,) = await issue_token(town.services, town.anna.account, town.anna.person, "native", actor=ANNA)
    assert await published(town.services, "north") == {"native": None}
    await set_links(town.services, "north", "native", Links.SIGNED, ANNA)
    await issue_token(town.services, town.anna.account, town.anna.person, "native", actor=ANNA)
    assert await published(town.services, "north") == {"native": Links.SIGNED}
    assert (await authenticate(town.services, "native", secret)).links is Links.SIGNED
    for token in await list_tokens(town.services):
        await revoke_token(town.services, token.id, ANNA)
    assert "native" in await published(town.services, "north")


async def test_a_token_for_what_is_not_published_lets_nobody_in(town: Town) -> None:
    (secret,) = await issue_token(town.services, town.anna.account, town.anna.person, "native", actor=ANNA)
    await publish(town.services, "north", ["mews"], ANNA)
    with pytest.raises(Forbidden, match="doesn't publish through native"):
        await authenticate(town.services, "native", secret)
    await publish(town.services, "north", ["native"], ANNA)
    assert (await authenticate(town.services, "native", secret)).links is None


async def test_an_unknown_account_and_what_it_does_not_publish_are_missing(town: Town) -> None:
    for change in (
        publish(town.services, "east", ["mews"], ANNA),
        published(town.services, "east"),
        set_links(town.services, "east", "mews", None, ANNA),
        set_links(town.services, "north", "telegraph", None, ANNA),
    ):
        with pytest.raises(NotFound):
            await change


async def test_only_what_changes_is_recorded_and_only_what_ends_is_told_to_others(town: Town) -> None:
    async def told() -> tuple[list[dict[str, object]], int]:
        found = [each async for each in entries(town.services, AuditFilter(account="north"))]
        assert {each.actor for each in found} == {ANNA}
        rows = await town.services.catalogue.read(lambda tx: list(tx.execute(select(tables.outbox))))
        return [each.details for each in found], len(rows)

    await publish(town.services, "north", ["mews"], ANNA)
    before = ["evotor", "mews", "native", "publisher", "smartsheet"]
    first = {"before": before, "after": ["mews"]}
    assert await told() == ([first], 1)
    await publish(town.services, "north", ["mews"], ANNA)
    assert await told() == ([first], 1)
    await publish(town.services, "north", ["native"], ANNA, add=True)
    second = {"before": ["mews"], "after": ["mews", "native"]}
    assert await told() == ([first, second], 1)
    await set_links(town.services, "north", "mews", Links.SIGNED, ANNA)
    third = {"dialect": "mews", "before": None, "after": "signed"}
    assert await told() == ([first, second, third], 2)
