"""Through which dialects an account publishes: who comes in, which links open, what is told of it."""

from contextlib import suppress

import pytest

from tests.core.conftest import Town
from tests.core.test_facts import following, until
from tintype.catalogue import changes
from tintype.catalogue.audit import AuditFilter
from tintype.core.audit import entries
from tintype.core.follow import linked
from tintype.core.permit import admit, grant, issued, revoke
from tintype.core.publish import publish, published, set_links
from tintype.model import Actor, Error, Image, Kind, Links

ANNA = Actor("tintype account publish", "anna")


async def opens(town: Town, image: Image, dialect: str, default: Links | None = None) -> bool:
    with suppress(Error):
        return (await linked(town.house, dialect, image.id, default=default)).image == image
    with pytest.raises(Error, match="no such image") as raised:
        await linked(town.house, dialect, image.id, default=default)
    assert raised.value.kind is Kind.MISSING
    return False


async def test_a_link_opens_if_its_dialect_is_published(town: Town) -> None:
    ours, theirs = await town.add(), await town.add(town.boris)
    assert await publish(town.house, "north", ["mews"], ANNA) == {"mews": None}
    assert await publish(town.house, "south", [], ANNA) == {}
    assert [await opens(town, ours, dialect) for dialect in ("mews", "native")] == [True, False]
    assert not await opens(town, theirs, "mews")


async def test_dialects_are_added_and_taken_away(town: Town) -> None:
    await publish(town.house, "north", ["mews", "native"], ANNA)
    await set_links(town.house, "north", "mews", Links.SIGNED, ANNA)
    mews = {"mews": Links.SIGNED}
    assert await publish(town.house, "north", ["evotor"], ANNA, add=True) == {
        "evotor": None,
        "native": None,
        **mews,
    }
    assert await publish(town.house, "north", ["evotor", "publisher"], ANNA, remove=True) == {
        "native": None,
        **mews,
    }
    assert await publish(town.house, "north", ["mews"], ANNA) == await published(town.house, "north") == mews


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
    assert (await set_links(town.house, "north", "mews", own, ANNA))["mews"] is own
    assert await opens(town, image, "mews", default) is opened


async def test_what_is_remembered_ends_with_its_publication(town: Town) -> None:
    image = await town.add()
    async with following(town.house):
        known = await linked(town.house, "mews", image.id)
        await publish(town.house, "north", ["native"], ANNA)
        await until(lambda: not known.holds)
        assert not await opens(town, image, "mews")
        known = await linked(town.house, "native", image.id)
        await set_links(town.house, "north", "native", Links.SIGNED, ANNA)
        await until(lambda: not known.holds)
        # What is published again is at once: memory never refuses.
        known = await linked(town.house, "native", image.id)
        await publish(town.house, "north", ["native", "mews"], ANNA)
        assert known.holds
        assert await opens(town, image, "mews")


async def test_who_asks_for_what_is_not_published_takes_nothing_from_memory(town: Town) -> None:
    image = await town.add()
    await publish(town.house, "north", ["native"], ANNA)
    async with following(town.house):
        known = await linked(town.house, "native", image.id)
        for _ in range(3):
            assert not await opens(town, image, "mews", Links.PLAIN)
        assert known.holds
        assert await linked(town.house, "native", image.id) is known


async def test_a_token_publishes_and_its_end_does_not_end_that(town: Town) -> None:
    await publish(town.house, "north", [], ANNA)
    (secret,) = await grant(town.house, town.anna.account, town.anna.person, "native", actor=ANNA)
    assert await published(town.house, "north") == {"native": None}
    await set_links(town.house, "north", "native", Links.SIGNED, ANNA)
    await grant(town.house, town.anna.account, town.anna.person, "native", actor=ANNA)
    assert await published(town.house, "north") == {"native": Links.SIGNED}
    assert (await admit(town.house, "native", secret)).links is Links.SIGNED
    for token in await issued(town.house):
        await revoke(town.house, token.id, ANNA)
    assert "native" in await published(town.house, "north")


async def test_a_token_for_what_is_not_published_lets_nobody_in(town: Town) -> None:
    (secret,) = await grant(town.house, town.anna.account, town.anna.person, "native", actor=ANNA)
    await publish(town.house, "north", ["mews"], ANNA)
    with pytest.raises(Error, match="doesn't publish through native") as raised:
        await admit(town.house, "native", secret)
    assert raised.value.kind is Kind.FORBIDDEN
    await publish(town.house, "north", ["native"], ANNA)
    assert (await admit(town.house, "native", secret)).links is None


async def test_an_unknown_account_and_what_it_does_not_publish_are_missing(town: Town) -> None:
    for change in (
        publish(town.house, "east", ["mews"], ANNA),
        published(town.house, "east"),
        set_links(town.house, "east", "mews", None, ANNA),
        set_links(town.house, "north", "telegraph", None, ANNA),
    ):
        with pytest.raises(Error) as raised:
            await change
        assert raised.value.kind is Kind.MISSING


async def test_only_what_changes_is_recorded_and_only_what_ends_is_told_to_others(town: Town) -> None:
    async def told() -> tuple[list[dict[str, object]], int]:
        found = [each async for each in entries(town.house, AuditFilter(account="north"))]
        assert {each.actor for each in found} == {ANNA}
        async with town.house.catalogue.read() as tx:
            return [each.details for each in found], await changes.last(tx)

    await publish(town.house, "north", ["mews"], ANNA)
    before = ["evotor", "mews", "native", "publisher", "smartsheet"]
    first = {"before": before, "after": ["mews"]}
    assert await told() == ([first], 1)
    await publish(town.house, "north", ["mews"], ANNA)
    assert await told() == ([first], 1)
    await publish(town.house, "north", ["native"], ANNA, add=True)
    second = {"before": ["mews"], "after": ["mews", "native"]}
    assert await told() == ([first, second], 1)
    await set_links(town.house, "north", "mews", Links.SIGNED, ANNA)
    third = {"dialect": "mews", "before": None, "after": "signed"}
    assert await told() == ([first, second, third], 2)
