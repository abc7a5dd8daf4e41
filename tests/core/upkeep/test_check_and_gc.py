"""Records and bytes kept in step: every fault is found, what is left over is removed and nothing else."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from tests import pictures
from tests.core.conftest import Town, once, path_of
from tests.core.rendering import rendition
from tintype.catalogue import tables
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import stage
from tintype.core.library.originals import published
from tintype.core.upkeep.check_and_gc import (
    ABANDONED_AFTER_SECONDS,
    Finding,
    GcResult,
    GcSettings,
    check,
    count_steps,
    leftovers,
    plan_gc,
    restore_removed,
)
from tintype.core.upkeep.check_and_gc import collect_garbage as carry_out
from tintype.imaging import Recipe
from tintype.model import Error, Image
from tintype.storage.blobs import digest

NOTHING = GcResult()


async def sweep(town: Town, confirmed: int | None = None) -> GcResult:
    return await carry_out(town.services, await plan_gc(town.services, GcSettings()), confirmed)


async def findings(town: Town, *, deep: bool = False) -> list[tuple[str, UUID | None]]:
    return [(found.fault.value, found.image) async for found in check(town.services, deep=deep)]


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def orphan(town: Town, data: bytes = b"left over") -> str:
    """Bytes without a record, as a crash between publication and commit leaves them."""
    with town.services.staging.stage(len(data)) as staged:
        staged.write(data)
        staged.seal()
        town.services.originals.put(staged)
        return staged.sha256


def grow_old(path: Path, seconds: float = ABANDONED_AFTER_SECONDS + 60) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def unfinished(town: Town, name: str) -> Path:
    path = town.data / "incoming" / name
    path.write_bytes(b"half an uplo")
    return path


async def test_a_sound_library_has_no_faults_and_nothing_to_remove(town: Town) -> None:
    for _ in range(3):
        await rendition(town.services, await town.add(), Recipe(width=4))
    before = town.files()
    assert await findings(town, deep=True) == []
    assert await sweep(town) == NOTHING
    assert town.files() == before


@pytest.mark.parametrize(
    ("spoil", "shallow", "deep"),
    [
        (Path.unlink, ["bytes-missing"], ["bytes-missing"]),
        (truncate, ["bytes-damaged"], ["bytes-damaged"]),
        (flip_a_bit, [], ["bytes-damaged"]),
    ],
)
async def test_every_image_whose_bytes_are_lost_is_found(
    town: Town, spoil: Callable[[Path], None], shallow: list[str], deep: list[str]
) -> None:
    image, _ = await town.add(), await town.add()
    spoil(town.original(image.sha256))
    assert await findings(town) == [(fault, image.id) for fault in shallow]
    assert await findings(town, deep=True) == [(fault, image.id) for fault in deep]


async def test_each_record_that_shares_lost_bytes_is_found(town: Town) -> None:
    data = pictures.png()
    ours, theirs = await town.add(town.anna, data), await town.add(town.boris, data)
    town.services.originals.delete(ours.sha256)
    assert await findings(town) == [("bytes-missing", ours.id), ("bytes-missing", theirs.id)]


async def test_bytes_without_a_record_are_found(town: Town) -> None:
    sha256 = orphan(town)
    await town.add()
    (found,) = [found async for found in check(town.services)]
    assert found == Finding(found.fault, sha256)
    assert found.fault.value == "object-unused"


async def test_progress_is_told_once_an_image_and_once_an_original(town: Town) -> None:
    data = pictures.png()
    await town.add(data=data)
    await town.add(data=data, filename="copy.png")
    orphan(town)
    steps: list[None] = []
    async for _ in check(town.services, on_step=lambda: steps.append(None)):
        pass
    assert len(steps) == await count_steps(town.services) == 4


async def test_exactly_what_is_left_over_is_removed(town: Town) -> None:
    kept, gone = await town.add(), await town.add()
    kept_rendition = await rendition(town.services, kept, Recipe(width=4))
    draft, fresh_draft = (path_of(kept_rendition).with_name(name) for name in ("new-old", "new-fresh"))
    for path in (draft, fresh_draft):
        path.write_bytes(b"half a pict")
    await delete(town.services, town.anna, gone.id)
    await rendition(town.services, kept, Recipe(width=3))
    late = town.services.renditions.key(gone.id, 1, "f" * 32, "png")
    town.services.renditions.put(late, b"made while the image was deleted")
    orphan(town)
    old, fresh = unfinished(town, "upload-old"), unfinished(town, "upload-fresh")
    for path in (old, draft, path_of(kept_rendition), town.original(kept.sha256)):
        grow_old(path)
    grow_old(fresh, ABANDONED_AFTER_SECONDS - 60)

    before = town.files()
    planned = await plan_gc(town.services, GcSettings())
    assert [len(planned.unused), len(planned.rendition_folders), planned.temporary_files] == [1, 1, 2]
    assert town.files() == before
    assert await sweep(town) == GcResult(set_aside=1, rendition_folders=1, temporary_files=2)
    assert await sweep(town) == NOTHING
    assert await findings(town, deep=True) == []
    after = {str(path.relative_to(town.data)) for path in (fresh, fresh_draft, path_of(kept_rendition))}
    gone_files = set(before) - set(town.files())
    assert len(gone_files) == 4
    assert not gone_files & after
    assert town.has_original(kept.sha256)


def aside(town: Town) -> list[str]:
    """Originals that were set aside, each below the time at which that was."""
    removed = town.data / "removed"
    return sorted(str(path.relative_to(removed)) for path in removed.rglob("*") if path.is_file())


async def test_originals_are_set_aside_for_a_week_and_then_deleted(town: Town) -> None:
    await town.add()
    sha256 = orphan(town)
    assert (await sweep(town)).set_aside == 1
    assert not town.has_original(sha256)
    assert aside(town) == [f"20240229T120000Z/{sha256}"]
    assert (await leftovers(town.services)).removed_bytes == len(b"left over")
    town.clock.go(days=7, seconds=-1)
    assert await sweep(town) == NOTHING
    assert aside(town) == [f"20240229T120000Z/{sha256}"]
    town.clock.go(seconds=1)
    assert await sweep(town) == GcResult(deleted=1)
    assert [path.name for path in (town.data / "removed").iterdir()] == ["deleted"]


async def set_aside_by_mistake(town: Town) -> Image:
    """An image whose bytes were set aside while another catalogue was in its place."""
    image = await town.add()
    town.services.originals.set_aside(image.sha256, town.clock())
    return image


async def test_what_an_image_needs_is_told_and_put_back(town: Town) -> None:
    image = await set_aside_by_mistake(town)
    assert await findings(town) == [("bytes-set-aside", image.id)]
    assert await restore_removed(town.services) == {True: 1}
    assert await findings(town, deep=True) == []
    assert aside(town) == []


async def test_what_an_image_needs_is_never_deleted(town: Town) -> None:
    image = await set_aside_by_mistake(town)
    town.clock.go(days=8)
    assert await sweep(town) == GcResult(put_back=1)
    assert digest(town.services.originals, image.sha256) == image.sha256


async def test_damaged_bytes_are_not_put_back_and_not_deleted(town: Town) -> None:
    image = await set_aside_by_mistake(town)
    (lying,) = (town.data / "removed").rglob(image.sha256)
    flip_a_bit(lying)
    town.clock.go(days=8)
    assert await restore_removed(town.services) == {False: 1}
    assert await sweep(town) == NOTHING
    assert lying.exists()


async def test_what_came_in_again_meanwhile_is_not_touched_by_the_end_of_its_week(town: Town) -> None:
    await town.add()
    sha256 = orphan(town)
    await sweep(town)
    orphan(town)
    town.clock.go(days=8)
    assert await sweep(town) == GcResult(deleted=1, set_aside=1)
    assert [path.rpartition("/")[2] for path in aside(town)] == [sha256]


async def forget(town: Town, images: list[Image]) -> None:
    """As if another catalogue stood in place of theirs."""
    gone = tables.images.c.number.in_([image.number for image in images])
    await town.services.catalogue.write(lambda tx: tx.execute(tables.images.delete().where(gone)))


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
    town: Town,
    present: int,
    unused: int,
    is_refused: bool,  # noqa: FBT001  a column of the table
) -> None:
    await forget(town, [await town.add() for _ in range(present)][:unused])
    (town.data / "incoming" / "upload-old").write_bytes(b"")
    grow_old(town.data / "incoming" / "upload-old")
    before = town.files()
    with pytest.raises(Error, match="nothing was removed"):
        await sweep(town, unused + 1)
    if is_refused:
        with pytest.raises(Error, match=f"{unused} of {present} originals .* --yes-remove {unused}`"):
            await sweep(town)
        assert (town.files(), aside(town)) == (before, [])
        assert (await sweep(town, unused)).set_aside == unused
    else:
        assert (await sweep(town)).set_aside == unused
    assert len(aside(town)) == unused


async def test_originals_older_than_the_catalogue_are_refused(town: Town) -> None:
    for _ in range(11):
        await town.add()
    sha256 = orphan(town)
    grow_old(town.original(sha256), 60)
    with pytest.raises(Error, match="1 unused originals are older than the catalogue"):
        await sweep(town)
    assert town.has_original(sha256)
    assert (await sweep(town, 1)).set_aside == 1


async def test_nothing_is_removed_while_a_backup_runs(town: Town) -> None:
    await town.add()
    sha256 = orphan(town)
    with town.services.originals.trash.postpone_deletes() as is_ours:
        assert is_ours
        with pytest.raises(Error, match="A backup is running"):
            await sweep(town)
    assert town.has_original(sha256)


async def test_a_sweep_beside_an_upload_of_the_same_bytes_never_takes_its_bytes(town: Town) -> None:
    for _ in range(11):
        await town.add()
    for turn in range(30):
        data = pictures.png(8, 6, seed=turn)
        orphan(town, data)
        swept, image = await asyncio.gather(sweep(town), town.add(data=data))
        assert town.original(image.sha256).read_bytes() == data
        assert swept.set_aside in {0, 1}
    assert [fault async for fault in check(town.services, deep=True)] == []


async def test_what_lies_there_and_is_not_ours_is_left_alone(town: Town) -> None:
    await town.add()
    for folder in ("originals", "renditions", "incoming"):
        (town.data / folder / ".nfs0001").write_bytes(b"")
        grow_old(town.data / folder / ".nfs0001")
    before = town.files()
    assert await findings(town, deep=True) == []
    assert await sweep(town) == NOTHING
    assert town.files() == before


async def test_bytes_whose_record_is_about_to_be_written_are_not_unused(town: Town) -> None:
    await town.add()
    data = b"uploaded"
    async with stage(town.services, once(data), len(data)) as staged, published(town.services, staged):
        assert town.has_original(staged.sha256)
        assert await findings(town) == []
        assert await sweep(town) == NOTHING
        assert town.has_original(staged.sha256)


async def test_bytes_of_an_image_that_was_deleted_meanwhile_are_not_missing(town: Town) -> None:
    lost, deleted = await town.add(), await town.add()
    town.services.originals.delete(lost.sha256)
    found = []
    async for finding in check(town.services):
        found.append(finding.image)
        # The record was read with the one before it; its bytes have not been looked for yet.
        await delete(town.services, town.anna, deleted.id)
    assert found == [lost.id]


async def test_a_sweep_beside_uploads_takes_nothing_that_is_needed(town: Town) -> None:
    data = [pictures.png(8, 6, seed=seed) for seed in range(4)]

    async def come_and_stay(mine: bytes) -> None:
        for turn in range(6):
            image = await town.add(data=mine, filename=f"{turn}.png")
            assert town.has_original(image.sha256)

    async def sweep_often() -> None:
        for _ in range(12):
            await sweep(town)

    await asyncio.gather(*(come_and_stay(each) for each in data), sweep_often())
    assert await findings(town, deep=True) == []
