"""Taking images in: whole or not at all."""

import asyncio
import hashlib
import io

import pytest
from PIL import Image as Pillow

from tests import pictures
from tests.core.conftest import Instance, once
from tintype.core import Services
from tintype.core.library import browse
from tintype.core.library.ingest import examine, find_duplicate, stage
from tintype.imaging import Reason
from tintype.model import Conflict, Error, Image, InvalidImage, Kind, Placement, TooLarge
from tintype.model.list_query import ListQuery
from tintype.storage import Staged

CELL = Placement("cell", "sheet", "row", "column")
PRODUCT = Placement("product", "store", "product")


async def library(instance: Instance) -> list[Image]:
    return (await browse.list_page(instance.services, instance.anna, ListQuery()))[1]


async def test_an_image_is_kept_as_it_came_with_the_facts_of_its_bytes(instance: Instance) -> None:
    data = pictures.jpeg(40, 30)
    image = await instance.add(data=data, filename=r"C:\Fotos\Süd.JPG")
    assert (image.filename, image.name, image.extension) == ("Süd.JPG", "Süd", "JPG")
    seen = Pillow.open(io.BytesIO(data))
    assert (image.width, image.height) == seen.size
    assert (image.bytes, image.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (image.created_by.name, image.created_at) == ("Anna Koch", instance.clock.now)
    assert instance.original(image.sha256).read_bytes() == data
    assert await browse.find_image(instance.services, instance.anna, image.id) == image


async def test_a_wrong_extension_gives_way_to_the_true_one(instance: Instance) -> None:
    image = await instance.add(data=pictures.webp(), filename="photo.jpg")
    assert (image.filename, image.name, image.extension) == ("photo.jpg", "photo", "webp")


async def test_bytes_up_to_the_limit_come_in_and_one_more_does_not(
    services: Services, instance: Instance
) -> None:
    async with stage(services, once(b"x" * 300_000, b"y" * 700_000), 1_000_000) as staged:
        assert staged.sha256 == hashlib.sha256(b"x" * 300_000 + b"y" * 700_000).hexdigest()
    with pytest.raises(TooLarge):
        async with stage(services, once(b"x" * 300_000, b"y" * 700_001), 1_000_000):
            pass
    assert instance.files() == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unsupported"),
        (b"no picture at all", "unsupported"),
        (pictures.png(64, 48)[:-60], "damaged"),
        (pictures.png_header(20_001, 1), "too-large-side"),
        (pictures.png_header(15_000, 15_000), "too-many-pixels"),
        (pictures.tiny_gif(1_001), "too-many-frames"),
    ],
)
async def test_what_is_no_sound_picture_is_refused_and_leaves_no_trace(
    instance: Instance, data: bytes, reason: str
) -> None:
    with pytest.raises(InvalidImage) as raised:
        await instance.add(data=data)
    assert raised.value.reason is Reason(reason)
    assert await library(instance) == []
    assert instance.files() == []


async def test_a_taken_place_is_a_conflict_that_leaves_no_trace(instance: Instance) -> None:
    first = await instance.add(placement=CELL)
    before = instance.files()
    with pytest.raises(Conflict):
        await instance.add(placement=CELL)
    assert await library(instance) == [first]
    assert instance.files() == before
    assert [image for _, image in await browse.attached(instance.services, instance.anna, CELL)] == [first]


async def test_of_many_that_want_one_place_at_once_one_gets_it(instance: Instance) -> None:
    outcomes = await asyncio.gather(*(instance.add(placement=CELL) for _ in range(8)), return_exceptions=True)
    kept = [outcome for outcome in outcomes if isinstance(outcome, Image)]
    refused = [outcome.kind for outcome in outcomes if isinstance(outcome, Error)]
    assert (len(kept), refused) == (1, [Kind.CONFLICT] * 7)
    assert await library(instance) == kept
    assert len(instance.files()) == 1


async def test_replacing_hangs_the_new_image_and_keeps_the_old_one_in_the_library(instance: Instance) -> None:
    first = await instance.add(placement=CELL)
    second = await instance.add(placement=CELL, replace=True)
    assert [image for _, image in await browse.attached(instance.services, instance.anna, CELL)] == [second]
    assert {image.id for image in await library(instance)} == {first.id, second.id}


async def test_each_account_has_a_place_of_its_own_under_the_same_ids(instance: Instance) -> None:
    ours, theirs = (
        await instance.add(placement=PRODUCT),
        await instance.add(instance.boris, placement=PRODUCT),
    )
    for who, image in ((instance.anna, ours), (instance.boris, theirs)):
        assert await browse.attached(instance.services, who, PRODUCT) == [(PRODUCT, image)]


async def test_the_same_bytes_of_two_accounts_share_one_original(instance: Instance) -> None:
    data = pictures.png()
    ours, theirs = await instance.add(instance.anna, data), await instance.add(instance.boris, data)
    assert ours.id != theirs.id
    assert instance.files() == [f"originals/{ours.sha256[:2]}/{ours.sha256}"]


async def test_the_same_bytes_are_present_only_under_the_same_name_in_the_same_account(
    instance: Instance,
) -> None:
    image = await instance.add(filename="photo.png")
    assert (
        await find_duplicate(instance.services, instance.anna, image.sha256, "/elsewhere/photo.png") == image
    )
    assert await find_duplicate(instance.services, instance.anna, image.sha256, "photo2.png") is None
    assert await find_duplicate(instance.services, instance.anna, "0" * 64, "photo.png") is None
    assert await find_duplicate(instance.services, instance.boris, image.sha256, "photo.png") is None


async def test_a_unique_image_comes_in_once_however_many_bring_it(instance: Instance) -> None:
    data = pictures.png()
    outcomes = await asyncio.gather(
        *(instance.add(data=data, unique=True) for _ in range(6)), return_exceptions=True
    )
    assert [outcome.kind for outcome in outcomes if isinstance(outcome, Error)] == [Kind.CONFLICT] * 5
    assert len(await library(instance)) == 1
    await instance.add(data=data, filename="other name.png", unique=True)
    await instance.add(instance.boris, data, unique=True)


async def test_times_and_numbers_are_in_the_same_order(instance: Instance) -> None:
    async def later() -> Image:
        instance.clock.go(seconds=1)
        return await instance.add()

    kept = sorted(await asyncio.gather(*(later() for _ in range(8))), key=lambda image: image.number)
    assert [image.created_at for image in kept] == sorted(image.created_at for image in kept)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55])
async def test_an_upload_that_is_broken_off_leaves_no_record_without_bytes(
    instance: Instance, steps: int
) -> None:
    task = asyncio.create_task(instance.add())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert not [name for name in instance.files() if name.startswith("incoming/")]
    for image in await library(instance):
        assert instance.has_original(image.sha256)
    await instance.add()


async def test_examining_changes_nothing(instance: Instance) -> None:
    data = pictures.png()
    async with stage(instance.services, once(data), len(data)) as staged:
        await examine(instance.services, instance.anna, staged)
        with staged.read() as file:
            assert file.read() == data


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_bytes_that_were_published_but_not_recorded_are_removed(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    kept = await instance.add()
    loop, publish = asyncio.get_running_loop(), instance.services.originals.put

    def publish_in_vain(staged: Staged) -> None:
        publish(staged)
        assert instance.has_original(staged.sha256)
        if how == "failed":
            raise OSError(28, "No space left on device")
        asyncio.run_coroutine_threadsafe(cancel(), loop).result(30)

    async def cancel() -> None:
        adding.cancel()
        for _ in range(5):
            # So that the transaction knows before it would commit.
            await asyncio.sleep(0)

    monkeypatch.setattr(instance.services.originals, "put", publish_in_vain)
    # Bytes of its own, and those of an image that is there.
    for data in (pictures.png(), instance.original(kept.sha256).read_bytes()):
        adding = asyncio.create_task(instance.add(data=data))
        await asyncio.wait([adding])
        assert adding.cancelled() or isinstance(adding.exception(), OSError)
    assert instance.files() == [f"originals/{kept.sha256[:2]}/{kept.sha256}"]
