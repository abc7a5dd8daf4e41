"""Queries on images: pages and their order; numbers; separation of accounts."""

from uuid import UUID, uuid4

import pytest

from tests.catalogue.conftest import Sample
from tintype.catalogue import Database, Transaction, images, placements, publications
from tintype.model import Image, Links, Placement, Status
from tintype.model.list_query import ListQuery, SortKey


async def names(sample: Sample, selection: ListQuery) -> list[str]:
    return [image.name for image in (await page(sample, selection))[1]]


async def page(sample: Sample, selection: ListQuery) -> tuple[int, list[Image]]:
    return await sample.database.read(images.list_page, sample.north.id, selection)


async def delete(database: Database, account: UUID, id: UUID) -> images.DeletedImage | None:
    return await database.write(images.delete_image, account, id)


async def library(sample: Sample) -> None:
    """Five images of the north: the order by each key is another."""
    await sample.add(name="Éclair", extension="JPG", status=Status.ARCHIVED)
    await sample.add(name="apple", extension="png", person=sample.boris)
    await sample.add(name="Zoo", extension="gif")
    await sample.add(name="100%_off", extension="jpg", person=sample.boris)
    await sample.add(name="Яблоко", extension="webp", status=Status.ARCHIVED)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (SortKey.NAME, ["100%_off", "apple", "Éclair", "Zoo", "Яблоко"]),
        (SortKey.CREATED_AT, ["Éclair", "apple", "Zoo", "100%_off", "Яблоко"]),
        (SortKey.MODIFIED_AT, ["Éclair", "apple", "Zoo", "100%_off", "Яблоко"]),
        (SortKey.CREATED_BY, ["Éclair", "Zoo", "Яблоко", "apple", "100%_off"]),
        (SortKey.STATUS, ["apple", "Zoo", "100%_off", "Éclair", "Яблоко"]),
        (SortKey.EXTENSION, ["Zoo", "Éclair", "100%_off", "apple", "Яблоко"]),
    ],
)
async def test_pages_are_sorted_and_equal_keys_by_number(
    sample: Sample, sort: SortKey, order: list[str]
) -> None:
    await library(sample)
    assert await names(sample, ListQuery(sort=sort, descending=False)) == order
    assert await names(sample, ListQuery(sort=sort, descending=True)) == order[::-1]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (ListQuery(), {"Éclair", "apple", "Zoo", "100%_off", "Яблоко"}),
        (ListQuery(extensions=("jpg",)), {"Éclair", "100%_off"}),
        (ListQuery(extensions=("png", "gif")), {"apple", "Zoo"}),
        (ListQuery(extensions=("bmp",)), set()),
        (ListQuery(statuses=(Status.ARCHIVED,)), {"Éclair", "Яблоко"}),
        (ListQuery(statuses=(Status.ARCHIVED, Status.ACTIVE), extensions=("webp",)), {"Яблоко"}),
        (ListQuery(search="ECLAIR"), {"Éclair"}),
        (ListQuery(search="блок"), {"Яблоко"}),
        (ListQuery(search="o"), {"Zoo", "100%_off"}),
        (ListQuery(search="%"), {"100%_off"}),
        (ListQuery(search="_"), {"100%_off"}),
        (ListQuery(search="%_o"), {"100%_off"}),
        (ListQuery(search="a%e"), set()),
        (ListQuery(search="'; DROP TABLE images; --"), set()),
        (ListQuery(search="\0"), set()),
        (ListQuery(search="\ud800"), set()),
        (ListQuery(search="x" * 100_000), set()),
        (ListQuery(search="zoo", statuses=(Status.ARCHIVED,)), set()),
    ],
)
async def test_filters_are_joined_by_and_and_search_is_plain_text(
    sample: Sample, selection: ListQuery, found: set[str]
) -> None:
    await library(sample)
    total, shown = await page(sample, selection)
    assert total == len(found)
    assert {image.name for image in shown} == found


async def test_pages_neither_overlap_nor_leave_out(sample: Sample) -> None:
    for _ in range(7):
        await sample.add(name="all alike")
    pages = [
        await page(sample, ListQuery(sort=SortKey.NAME, descending=True, limit=3, skip=skip))
        for skip in (0, 3, 6, 9)
    ]
    assert [total for total, _ in pages] == [7, 7, 7, 7]
    assert [[image.number for image in shown] for _, shown in pages] == [[7, 6, 5], [4, 3, 2], [1], []]


@pytest.mark.parametrize("skip", [5, 2**31, 2**63 - 1, 2**63, 10**30])
async def test_a_page_beyond_the_last_is_empty_however_far(sample: Sample, skip: int) -> None:
    await library(sample)
    assert await page(sample, ListQuery(skip=skip)) == (5, [])


async def test_a_number_is_never_given_twice(sample: Sample) -> None:
    first, second = uuid4(), uuid4()
    assert await sample.add(id=first) == 1
    assert await sample.add(id=second) == 2
    assert await delete(sample.database, sample.north.id, second)
    assert await sample.add() == 3
    assert await delete(sample.database, sample.north.id, first)
    assert await sample.add() == 4


async def test_an_image_comes_back_as_it_was_recorded(sample: Sample) -> None:
    id = uuid4()
    number = await sample.add(
        id=id,
        filename="Отель 🦊.JPG",
        name="Отель 🦊",
        extension="JPG",
        sha256="a" * 64,
        bytes=2**40,
        width=20_000,
        height=3,
        frames=7,
        has_alpha=True,
        status=Status.ARCHIVED,
    )
    image = await sample.database.read(images.get, sample.north.id, id)
    assert image is not None
    assert (image.id, image.number, image.account_id) == (id, number, sample.north.id)
    assert (image.filename, image.name, image.extension) == ("Отель 🦊.JPG", "Отель 🦊", "JPG")
    assert (image.sha256, image.bytes, image.width, image.height) == ("a" * 64, 2**40, 20_000, 3)
    assert (image.frames, image.has_alpha, image.status, image.version) == (7, True, Status.ARCHIVED, 1)
    assert image.created_by == image.modified_by == sample.anna
    assert image.created_at == image.modified_at
    assert image.created_at.isoformat() == "2024-02-29T12:01:00+00:00"


async def test_newest_goes_back_through_the_numbers(sample: Sample) -> None:
    await library(sample)

    def ask(tx: Transaction) -> None:
        assert [image.number for image in images.list_newest(tx, sample.north.id, None, 2)] == [5, 4]
        assert [image.number for image in images.list_newest(tx, sample.north.id, 4, 2)] == [3, 2]
        assert [image.number for image in images.list_newest(tx, sample.north.id, 10**30, 1)] == [5]
        assert images.list_newest(tx, sample.north.id, 1, 2) == []

    await sample.database.read(ask)


async def test_originals_are_listed_once_over_all_batches(sample: Sample) -> None:
    await library(sample)
    listed: list[int] = []
    while batch := await sample.database.read(images.originals, listed[-1] if listed else 0, 2):
        listed += [number for number, *_ in batch]
    assert listed == [1, 2, 3, 4, 5]


async def test_a_link_names_an_image_by_id_or_number_and_nothing_else(sample: Sample) -> None:
    id = uuid4()
    number = await sample.add(id=id)

    def change(tx: Transaction) -> None:
        publications.add(tx, sample.north.id, "mews")
        publications.add(tx, sample.south.id, "native")
        for key in (id, number):
            found = images.find_deliverable(tx, "mews", key, None, Links.PLAIN)
            assert found is not None
            assert (found[0].id, found[1]) == (id, {"mews": None})
            assert images.find(tx, key) == found[0]
        for key in (uuid4(), 0, -1, number + 1, 2**63 - 1, 2**63, 10**30):
            assert images.find_deliverable(tx, "mews", key, None, Links.PLAIN) is None
            assert images.find(tx, key) is None

    await sample.database.write(change)


async def test_an_account_publishes_what_it_was_given(sample: Sample) -> None:
    id = uuid4()
    await sample.add(id=id)

    def change(tx: Transaction) -> None:
        assert images.find_deliverable(tx, "mews", id, None, None) is None
        for dialect in ("mews", "evotor", "mews"):
            publications.add(tx, sample.north.id, dialect)
        publications.set_links(tx, sample.north.id, "mews", Links.SIGNED)
        publications.add(tx, sample.north.id, "mews")
        links = {"evotor": None, "mews": Links.SIGNED}
        assert publications.get(tx, sample.north.id) == links
        assert publications.get(tx, sample.south.id) == {}
        found = images.find_deliverable(tx, "mews", id, 1, None)
        assert found is not None
        assert found[1] == links
        publications.set_links(tx, sample.north.id, "mews", None)
        publications.remove(tx, sample.south.id, "evotor")
        publications.remove(tx, sample.north.id, "evotor")
        assert publications.get(tx, sample.north.id) == {"mews": None}

    await sample.database.write(change)


async def test_nothing_crosses_accounts(sample: Sample) -> None:
    """Every query that serves a caller, asked by the south about an image of the north."""
    id, south = uuid4(), sample.south.id
    placement = Placement("product", "store", "holder", "slot")
    number = await sample.add(id=id, sha256="a" * 64, filename="photo.png", name="photo")
    assert await sample.database.write(placements.attach, sample.north.id, number, placement)

    def change(tx: Transaction) -> None:
        assert images.get(tx, south, id) is None
        assert images.link_targets(tx, south, [id]) == {}
        assert images.find_duplicate(tx, south, "a" * 64, "photo.png") is None
        assert images.list_page(tx, south, ListQuery()) == (0, [])
        assert images.list_page(tx, south, ListQuery(search="photo")) == (0, [])
        assert images.list_newest(tx, south, None, 10) == []
        assert images.by_numbers(tx, south, [number]) == {}
        assert placements.attached(tx, south, placement) == []
        assert not placements.is_attached(tx, south, placement, id)
        assert images.delete_image(tx, south, id) is None
        placements.clear(tx, south, placement)

    await sample.database.write(change)

    def ask(tx: Transaction) -> None:
        assert images.get(tx, sample.north.id, id) is not None
        assert placements.is_attached(tx, sample.north.id, placement, id)
        assert [image.number for image in images.list_newest(tx, sample.north.id, None, 10)] == [number]

    await sample.database.read(ask)


async def test_each_account_may_use_the_same_place(sample: Sample) -> None:
    placement = Placement("product", "store", "holder", "slot")
    ours, theirs = await sample.add(), await sample.add(sample.south)

    def change(tx: Transaction) -> None:
        assert placements.attach(tx, sample.north.id, ours, placement)
        assert placements.attach(tx, sample.south.id, theirs, placement)
        assert not placements.attach(tx, sample.south.id, theirs, placement)

    await sample.database.write(change)


async def test_deleting_an_image_frees_its_places(sample: Sample) -> None:
    id, placement = uuid4(), Placement("product", "store", "holder", "slot", "alt")
    number = await sample.add(id=id)
    assert await sample.database.write(placements.attach, sample.north.id, number, placement)
    assert await delete(sample.database, sample.north.id, id) == images.DeletedImage("photo.png", "0" * 64, 1)
    other = await sample.add()

    def change(tx: Transaction) -> None:
        assert placements.attached(tx, sample.north.id, placement) == []
        assert placements.attach(tx, sample.north.id, other, placement)

    await sample.database.write(change)


async def test_a_digest_is_referred_to_as_long_as_any_account_has_it(sample: Sample) -> None:
    ours, theirs = uuid4(), uuid4()
    await sample.add(id=ours, sha256="a" * 64)
    await sample.add(sample.south, id=theirs, sha256="a" * 64)
    for account, id, left in ((sample.north, ours, True), (sample.south, theirs, False)):
        await delete(sample.database, account.id, id)
        assert await sample.database.read(images.is_referenced, "a" * 64) is left
        found = await sample.database.read(images.referenced_digests, ["a" * 64, "b" * 64])
        assert found == ({"a" * 64} if left else set())
