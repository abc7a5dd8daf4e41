"""What is remembered holds until anybody changes anything, and not a moment longer."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from uuid import UUID

import pytest

from tests import pictures
from tests.core.conftest import NOBODY, Instance
from tintype.catalogue import CATALOGUE, Database
from tintype.core.access.auth import authenticate, issue_token, list_tokens, revoke_token
from tintype.core.library.deletion import delete
from tintype.core.library.resolve import resolve_ids
from tintype.core.runtime.query_cache import BatchCache, QueryCache
from tintype.model import Error, ExpiredToken, LinkTarget, UnknownToken


def write_elsewhere(instance: Instance, sql: str = "UPDATE people SET name = name") -> None:
    """A change by somebody who knows nothing of this process."""
    with closing(sqlite3.connect(instance.data / CATALOGUE)) as other, other:
        other.execute(sql)


async def found(instance: Instance, *names: str) -> list[int | None]:
    """The widths of images of Anna's."""
    answers = await resolve_ids(instance.services, instance.anna, names, UUID, lambda version: version.width)
    return [answers[name] for name in names]


async def test_a_page_holds_until_another_process_commits(instance: Instance) -> None:
    page = instance.services.query_cache.snapshot()
    page.put("a", 1)
    assert instance.services.query_cache.snapshot().get("a") == 1
    write_elsewhere(instance)
    assert not instance.services.query_cache.snapshot()


async def test_a_page_holds_until_this_process_commits(instance: Instance) -> None:
    instance.services.query_cache.snapshot().put("a", 1)
    await instance.add()
    assert not instance.services.query_cache.snapshot()


async def test_an_answer_that_comes_after_a_change_lands_where_nobody_reads(instance: Instance) -> None:
    page = instance.services.query_cache.snapshot()
    write_elsewhere(instance)
    instance.services.query_cache.snapshot()
    page.put("a", "from before")
    assert not instance.services.query_cache.snapshot()


async def test_reading_forgets_nothing(instance: Instance) -> None:
    instance.services.query_cache.snapshot().put("a", 1)
    await list_tokens(instance.services)
    assert instance.services.query_cache.snapshot().get("a") == 1


def test_beyond_the_most_the_oldest_is_forgotten() -> None:
    memory = QueryCache(lambda: 1, 2)
    for key in ("a", "b", "c"):
        memory.snapshot().put(key, key)
    assert [memory.snapshot().get(key) for key in ("a", "b", "c")] == [None, "b", "c"]


@pytest.mark.parametrize("state", [1, None])
async def test_nothing_is_remembered_without_room_or_when_nobody_can_tell(state: int | None) -> None:
    memory, asked = QueryCache(lambda: state, 0 if state else 10), []

    async def query() -> int:
        asked.append("query")
        return len(asked)

    assert [await memory.get("a", query) for _ in range(2)] == [1, 2]


async def test_a_query_is_made_once_even_if_its_result_is_nothing() -> None:
    memory, asked = QueryCache(lambda: 1, 10), []

    async def query() -> int | None:
        asked.append("query")
        return None

    for _ in range(2):
        assert await memory.get("a", query) is None
    assert asked == ["query"]


async def test_a_catalogue_that_is_not_there_can_not_tell(instance: Instance) -> None:
    database = Database(instance.data / "no such folder" / "catalogue.sqlite3")
    assert database.state() is None
    await database.close()


async def test_images_are_asked_for_once_and_again_after_a_change(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(8, 6, seed=1))
    assert await found(instance, str(image.id)) == [8]
    asked: list[LinkTarget] = []
    await resolve_ids(instance.services, instance.anna, [str(image.id)], UUID, asked.append)
    assert asked == [], "it was remembered"
    write_elsewhere(instance, "UPDATE images SET width = 9")
    assert await found(instance, str(image.id)) == [9]


async def test_a_remembered_image_that_is_deleted_is_not_found(instance: Instance) -> None:
    image = await instance.add()
    assert await found(instance, str(image.id)) == [8]
    await delete(instance.services, instance.anna, image.id)
    assert await found(instance, str(image.id)) == [None]


async def test_an_image_that_was_not_there_is_found_once_it_is(instance: Instance) -> None:
    unknown = str(UUID(int=7))
    assert await found(instance, unknown) == [None]
    await instance.add()
    write_elsewhere(instance, "UPDATE images SET id = '00000000000000000000000000000007'")
    assert await found(instance, unknown) == [8]


async def test_what_one_account_asked_for_tells_another_nothing(instance: Instance) -> None:
    image = await instance.add()
    assert await found(instance, str(image.id)) == [8]
    others = await resolve_ids(
        instance.services, instance.boris, [str(image.id)], UUID, lambda version: version.width
    )
    assert others == {str(image.id): None}


async def test_an_id_that_can_not_be_read_raises_each_time(instance: Instance) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="badly formed"):
            await found(instance, "no id")


async def test_a_remembered_token_is_refused_once_it_is_revoked(instance: Instance) -> None:
    (secret,) = await issue_token(
        instance.services, instance.anna.account, instance.anna.person, "native", actor=NOBODY
    )
    caller = await authenticate(instance.services, "native", secret)
    assert await authenticate(instance.services, "native", secret) == caller
    await revoke_token(instance.services, caller.token_id, NOBODY)
    with pytest.raises(UnknownToken):
        await authenticate(instance.services, "native", secret)


async def test_a_token_that_was_unknown_is_known_once_it_is_there(instance: Instance) -> None:
    (secret,) = await issue_token(
        instance.services, instance.anna.account, instance.anna.person, "native", actor=NOBODY
    )
    write_elsewhere(instance, "UPDATE tokens SET dialect = 'mews'")
    with pytest.raises(Error):
        await authenticate(instance.services, "native", secret)
    write_elsewhere(instance, "UPDATE tokens SET dialect = 'native'")
    assert (await authenticate(instance.services, "native", secret)).person == instance.anna.person


async def test_tokens_that_nobody_knows_are_not_remembered(instance: Instance) -> None:
    for number in range(100):
        with pytest.raises(Error):
            await authenticate(instance.services, "native", f"made up {number}")
    assert not instance.services.query_cache.snapshot()


async def test_a_remembered_token_expires(instance: Instance) -> None:
    lifetime = timedelta(minutes=1)
    (secret,) = await issue_token(
        instance.services,
        instance.anna.account,
        instance.anna.person,
        "native",
        lifetime=lifetime,
        actor=NOBODY,
    )
    await authenticate(instance.services, "native", secret)
    instance.clock.go(minutes=1)
    with pytest.raises(ExpiredToken):
        await authenticate(instance.services, "native", secret)


class Batches:
    """Batches of numbers, answered with their doubles; those of odd numbers are not cached."""

    def __init__(self) -> None:
        self.version: int | None = 1
        self.cache = QueryCache(lambda: self.version, 100)
        self.made: list[list[int]] = []

    async def ask(self, *numbers: int, prefix: str = "a", items: tuple[int, ...] | None = None) -> list[int]:
        batch: BatchCache[int, int] = BatchCache(self.cache, prefix, lambda double: double % 4 == 0)

        async def make() -> list[int]:
            self.made.append(list(numbers))
            return [2 * number for number in numbers]

        return await batch.answers(numbers if items is None else items, make)


async def test_a_batch_is_answered_from_the_cache_when_all_its_items_are_there() -> None:
    batches = Batches()
    assert await batches.ask(2, 4) == [4, 8]
    assert await batches.ask(4, 2, 2) == [8, 4, 4]
    assert batches.made == [[2, 4]]
    assert await batches.ask(2, 6) == [4, 12]
    assert await batches.ask(6) == [12]
    assert batches.made == [[2, 4], [2, 6]]


async def test_answers_that_are_not_cacheable_are_made_each_time() -> None:
    batches = Batches()
    assert [await batches.ask(1, 2) for _ in range(2)] == [[2, 4]] * 2
    assert batches.made == [[1, 2]] * 2


async def test_a_batch_whose_items_are_not_known_is_made_and_nothing_of_it_cached() -> None:
    batches = Batches()
    assert [await batches.ask(2, items=()) for _ in range(2)] == [[4]] * 2
    assert await batches.ask(2) == [4]
    assert batches.made == [[2]] * 3


@pytest.mark.parametrize("change", ["the prefix", "the data", "the data, unknown"])
async def test_answers_to_another_question_are_not_taken(change: str) -> None:
    batches = Batches()
    await batches.ask(2)
    prefix = "b" if change == "the prefix" else "a"
    batches.version = {"the prefix": 1, "the data": 2}.get(change)
    await batches.ask(2, prefix=prefix)
    assert batches.made == [[2]] * 2
