"""Records and bytes kept in step: every fault is found, what is left over is removed and nothing else."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from tests import pictures
from tests.core.conftest import Instance, once, path_of
from tests.core.rendering import rendition
from tintype.catalogue import tables
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import record_image, stage
from tintype.core.library.originals import published
from tintype.core.upkeep import check as checking
from tintype.core.upkeep.check import Finding, check, count_steps, leftovers
from tintype.core.upkeep.collect_garbage import GcResult, GcSettings, plan_gc, restore_removed
from tintype.core.upkeep.collect_garbage import collect_garbage as carry_out
from tintype.core.upkeep.unused import ABANDONED_AFTER_SECONDS, unused_originals
from tintype.imaging import Recipe, inspect
from tintype.model import Error, Image, Invalid
from tintype.storage.blobs import digest

NOTHING = GcResult()


async def sweep(instance: Instance, confirmed: int | None = None) -> GcResult:
    return await carry_out(instance.services, await plan_gc(instance.services, GcSettings()), confirmed)


async def findings(instance: Instance, *, deep: bool = False) -> list[tuple[str, UUID | None]]:
    return [(found.fault.value, found.image) async for found in check(instance.services, deep=deep)]


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def orphan(instance: Instance, data: bytes = b"left over") -> str:
    """Bytes without a record, as a crash between publication and commit leaves them."""
    with instance.services.staging.stage(len(data)) as staged:
        staged.write(data)
        staged.seal()
        instance.services.originals.put(staged)
        return staged.sha256


def grow_old(path: Path, seconds: float = ABANDONED_AFTER_SECONDS + 60) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def unfinished(instance: Instance, name: str) -> Path:
    path = instance.data / "incoming" / name
    path.write_bytes(b"half an uplo")
    return path


async def test_a_sound_library_has_no_faults_and_nothing_to_remove(instance: Instance) -> None:
    for _ in range(3):
        await rendition(instance.services, await instance.add(), Recipe(width=4))
    before = instance.files()
    assert await findings(instance, deep=True) == []
    assert await sweep(instance) == NOTHING
    assert instance.files() == before


@pytest.mark.parametrize(
    ("spoil", "shallow", "deep"),
    [
        (Path.unlink, ["bytes-missing"], ["bytes-missing"]),
        (truncate, ["bytes-damaged"], ["bytes-damaged"]),
        (flip_a_bit, [], ["bytes-damaged"]),
    ],
)
async def test_every_image_whose_bytes_are_lost_is_found(
    instance: Instance, spoil: Callable[[Path], None], shallow: list[str], deep: list[str]
) -> None:
    image, _ = await instance.add(), await instance.add()
    spoil(instance.original(image.sha256))
    assert await findings(instance) == [(fault, image.id) for fault in shallow]
    assert await findings(instance, deep=True) == [(fault, image.id) for fault in deep]


async def test_what_came_in_damaged_before_such_was_refused_is_found_and_answered_as_refused(
    instance: Instance,
) -> None:
    whole = pictures.jpeg(64, 48)
    data = whole[: len(whole) // 2] + whole[-2:]
    async with stage(instance.services, once(data), len(data)) as staged:
        image = await record_image(instance.services, instance.anna, staged, inspect(whole), "old.jpg")
    with pytest.raises(Invalid):
        await rendition(instance.services, image, Recipe(width=20))
    assert await findings(instance) == []
    assert await findings(instance, deep=True) == [("bytes-unreadable", image.id)]


async def test_each_record_that_shares_lost_bytes_is_found(instance: Instance) -> None:
    data = pictures.png()
    ours, theirs = await instance.add(instance.anna, data), await instance.add(instance.boris, data)
    instance.services.originals.delete(ours.sha256)
    assert await findings(instance) == [("bytes-missing", ours.id), ("bytes-missing", theirs.id)]


async def test_every_batch_of_records_is_read(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BATCH", 2)
    lost = [await instance.add() for _ in range(5)]
    for image in lost:
        instance.original(image.sha256).unlink()
    assert await findings(instance) == [("bytes-missing", image.id) for image in lost]


async def test_bytes_without_a_record_are_found(instance: Instance) -> None:
    sha256 = orphan(instance)
    await instance.add()
    (found,) = [found async for found in check(instance.services)]
    assert found == Finding(found.fault, sha256)
    assert found.fault.value == "object-unused"


async def test_what_was_deleted_since_it_was_listed_is_not_unused(instance: Instance) -> None:
    there, gone = orphan(instance), "0" * 64
    assert [each async for each in unused_originals(instance.services, [there, gone])] == [there]


async def test_progress_is_told_once_an_image_and_once_an_original(instance: Instance) -> None:
    data = pictures.png()
    await instance.add(data=data)
    await instance.add(data=data, filename="copy.png")
    orphan(instance)
    steps: list[None] = []
    async for _ in check(instance.services, on_step=lambda: steps.append(None)):
        pass
    assert len(steps) == await count_steps(instance.services) == 4


async def test_exactly_what_is_left_over_is_removed(instance: Instance) -> None:
    kept, gone = await instance.add(), await instance.add()
    kept_rendition = await rendition(instance.services, kept, Recipe(width=4))
    draft, fresh_draft = (path_of(kept_rendition).with_name(name) for name in ("new-old", "new-fresh"))
    for path in (draft, fresh_draft):
        path.write_bytes(b"half a pict")
    await delete(instance.services, instance.anna, gone.id)
    await rendition(instance.services, kept, Recipe(width=3))
    late = instance.services.renditions.key(gone.id, 1, "f" * 32, "png")
    instance.services.renditions.put(late, b"made while the image was deleted")
    orphan(instance)
    old, fresh = unfinished(instance, "upload-old"), unfinished(instance, "upload-fresh")
    for path in (old, draft, path_of(kept_rendition), instance.original(kept.sha256)):
        grow_old(path)
    grow_old(fresh, ABANDONED_AFTER_SECONDS - 60)

    before = instance.files()
    planned = await plan_gc(instance.services, GcSettings())
    assert [len(planned.unused), len(planned.rendition_folders), planned.temporary_files] == [1, 1, 2]
    assert instance.files() == before
    assert await sweep(instance) == GcResult(set_aside=1, rendition_folders=1, temporary_files=2)
    assert await sweep(instance) == NOTHING
    assert await findings(instance, deep=True) == []
    after = {str(path.relative_to(instance.data)) for path in (fresh, fresh_draft, path_of(kept_rendition))}
    gone_files = set(before) - set(instance.files())
    assert len(gone_files) == 4
    assert not gone_files & after
    assert instance.has_original(kept.sha256)


def aside(instance: Instance) -> list[str]:
    """Originals that were set aside, each below the time at which that was."""
    removed = instance.data / "removed"
    return sorted(str(path.relative_to(removed)) for path in removed.rglob("*") if path.is_file())


async def test_originals_are_set_aside_for_a_week_and_then_deleted(instance: Instance) -> None:
    await instance.add()
    sha256 = orphan(instance)
    assert (await sweep(instance)).set_aside == 1
    assert not instance.has_original(sha256)
    assert aside(instance) == [f"20240229T120000Z/{sha256}"]
    assert (await leftovers(instance.services)).removed_bytes == len(b"left over")
    instance.clock.go(days=7, seconds=-1)
    assert await sweep(instance) == NOTHING
    assert aside(instance) == [f"20240229T120000Z/{sha256}"]
    instance.clock.go(seconds=1)
    assert await sweep(instance) == GcResult(deleted=1)
    assert [path.name for path in (instance.data / "removed").iterdir()] == ["deleted"]


async def test_a_delete_that_a_killed_backup_postponed_is_carried_out(instance: Instance) -> None:
    image = await instance.add()
    left = instance.data / "removed" / "deleted" / image.sha256
    left.write_bytes(instance.original(image.sha256).read_bytes())
    await delete(instance.services, instance.anna, image.id)
    assert await sweep(instance) == GcResult(deleted=1)
    assert not left.exists()


async def test_of_what_was_set_aside_and_came_in_again_one_copy_stays(instance: Instance) -> None:
    image = await set_aside_by_mistake(instance)
    data = (instance.data / "removed").rglob(image.sha256)
    again = await instance.add(data=next(data).read_bytes(), filename="again.png")
    instance.clock.go(days=8)
    assert await sweep(instance) == GcResult(deleted=1)
    assert instance.has_original(again.sha256)
    assert await findings(instance, deep=True) == []


async def set_aside_by_mistake(instance: Instance) -> Image:
    """An image whose bytes were set aside while another catalogue was in its place."""
    image = await instance.add()
    instance.services.originals.set_aside(image.sha256, instance.clock())
    return image


async def test_what_an_image_needs_is_told_and_put_back(instance: Instance) -> None:
    image = await set_aside_by_mistake(instance)
    assert await findings(instance) == [("bytes-set-aside", image.id)]
    assert await restore_removed(instance.services) == {True: 1}
    assert await findings(instance, deep=True) == []
    assert aside(instance) == []


async def test_what_an_image_needs_is_never_deleted(instance: Instance) -> None:
    image = await set_aside_by_mistake(instance)
    instance.clock.go(days=8)
    assert await sweep(instance) == GcResult(put_back=1)
    assert digest(instance.services.originals, image.sha256) == image.sha256


async def test_damaged_bytes_are_not_put_back_and_not_deleted(instance: Instance) -> None:
    image = await set_aside_by_mistake(instance)
    (lying,) = (instance.data / "removed").rglob(image.sha256)
    flip_a_bit(lying)
    instance.clock.go(days=8)
    assert await restore_removed(instance.services) == {False: 1}
    assert await sweep(instance) == NOTHING
    assert lying.exists()


async def test_what_came_in_again_meanwhile_is_not_touched_by_the_end_of_its_week(instance: Instance) -> None:
    await instance.add()
    sha256 = orphan(instance)
    await sweep(instance)
    orphan(instance)
    instance.clock.go(days=8)
    assert await sweep(instance) == GcResult(deleted=1, set_aside=1)
    assert [path.rpartition("/")[2] for path in aside(instance)] == [sha256]


async def forget(instance: Instance, images: list[Image]) -> None:
    """As if another catalogue stood in place of theirs."""
    gone = tables.images.c.number.in_([image.number for image in images])
    await instance.services.catalogue.write(lambda tx: tx.execute(tables.images.delete().where(gone)))


@pytest.mark.parametrize(
    ("present", "unused", "is_refused"),
    [
        (1, 1, True),
        (14, 14, True),
        (2, 1, False),
        (10, 1, False),
        (20, 2, False),
        (19, 2, True),
        (5, 4, True),
    ],
)
async def test_more_than_a_tenth_is_refused_unless_the_number_is_named(
    instance: Instance,
    present: int,
    unused: int,
    is_refused: bool,  # noqa: FBT001  a column of the table
) -> None:
    await forget(instance, [await instance.add() for _ in range(present)][:unused])
    (instance.data / "incoming" / "upload-old").write_bytes(b"")
    grow_old(instance.data / "incoming" / "upload-old")
    before = instance.files()
    with pytest.raises(Error, match="nothing was removed"):
        await sweep(instance, unused + 1)
    if is_refused:
        with pytest.raises(Error, match=f"{unused} of {present} originals .* --yes-remove {unused}`"):
            await sweep(instance)
        assert (instance.files(), aside(instance)) == (before, [])
        assert (await sweep(instance, unused)).set_aside == unused
    else:
        assert (await sweep(instance)).set_aside == unused
    assert len(aside(instance)) == unused


async def test_originals_older_than_the_catalogue_are_refused(instance: Instance) -> None:
    for _ in range(11):
        await instance.add()
    sha256 = orphan(instance)
    grow_old(instance.original(sha256), 60)
    with pytest.raises(Error, match="1 unused originals are older than the catalogue"):
        await sweep(instance)
    assert instance.has_original(sha256)
    assert (await sweep(instance, 1)).set_aside == 1


async def test_nothing_is_removed_while_a_backup_runs(instance: Instance) -> None:
    await instance.add()
    sha256 = orphan(instance)
    with instance.services.originals.trash.postpone_deletes() as is_ours:
        assert is_ours
        with pytest.raises(Error, match="A backup is running"):
            await sweep(instance)
    assert instance.has_original(sha256)


async def test_a_sweep_beside_an_upload_of_the_same_bytes_never_takes_its_bytes(instance: Instance) -> None:
    for _ in range(11):
        await instance.add()
    for turn in range(30):
        data = pictures.png(8, 6, seed=turn)
        orphan(instance, data)
        swept, image = await asyncio.gather(sweep(instance), instance.add(data=data))
        assert instance.original(image.sha256).read_bytes() == data
        assert swept.set_aside in {0, 1}
    assert [fault async for fault in check(instance.services, deep=True)] == []


async def test_what_lies_there_and_is_not_ours_is_left_alone(instance: Instance) -> None:
    await instance.add()
    for folder in ("originals", "renditions", "incoming"):
        (instance.data / folder / ".nfs0001").write_bytes(b"")
        grow_old(instance.data / folder / ".nfs0001")
    before = instance.files()
    assert await findings(instance, deep=True) == []
    assert await sweep(instance) == NOTHING
    assert instance.files() == before


async def test_bytes_whose_record_is_about_to_be_written_are_not_unused(instance: Instance) -> None:
    await instance.add()
    data = b"uploaded"
    async with (
        stage(instance.services, once(data), len(data)) as staged,
        published(instance.services, staged),
    ):
        assert instance.has_original(staged.sha256)
        assert await findings(instance) == []
        assert await sweep(instance) == NOTHING
        assert instance.has_original(staged.sha256)


async def test_bytes_of_an_image_that_was_deleted_meanwhile_are_not_missing(instance: Instance) -> None:
    lost, deleted = await instance.add(), await instance.add()
    instance.services.originals.delete(lost.sha256)
    found = []
    async for finding in check(instance.services):
        found.append(finding.image)
        # The record was read with the one before it; its bytes have not been looked for yet.
        await delete(instance.services, instance.anna, deleted.id)
    assert found == [lost.id]


async def test_a_sweep_beside_uploads_takes_nothing_that_is_needed(instance: Instance) -> None:
    data = [pictures.png(8, 6, seed=seed) for seed in range(4)]

    async def come_and_stay(mine: bytes) -> None:
        for turn in range(6):
            image = await instance.add(data=mine, filename=f"{turn}.png")
            assert instance.has_original(image.sha256)

    async def sweep_often() -> None:
        for _ in range(12):
            await sweep(instance)

    await asyncio.gather(*(come_and_stay(each) for each in data), sweep_often())
    assert await findings(instance, deep=True) == []
