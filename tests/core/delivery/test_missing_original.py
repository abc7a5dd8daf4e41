"""An original that is lost is an error of ours; one that was deleted is not there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests import pictures
from tests.core.conftest import Instance, once
from tests.core.counting import count
from tests.core.rendering import rendition
from tintype.core.delivery import render
from tintype.core.delivery.missing_original import missing_original
from tintype.core.delivery.render import Client
from tintype.core.delivery.variant import stripped
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import examine, stage
from tintype.core.library.update import replace
from tintype.imaging import Recipe
from tintype.model import Error, Image, Invalid, NotFound, OriginalMissing

RECIPE = Recipe(width=32)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def overwrite(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def blank_its_middle(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:200] + bytes(len(data) - 400) + data[-200:])


async def refused(instance: Instance, image: Image) -> Error:
    with pytest.raises(Error) as error:
        await rendition(instance.services, image, RECIPE)
    return error.value


@pytest.mark.parametrize("spoil", [Path.unlink, cut, overwrite, blank_its_middle])
async def test_what_the_disk_lost_is_told_to_the_log_and_counted(
    instance: Instance, spoil: Callable[[Path], None]
) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    spoil(instance.original(image.sha256))
    with capture_logs() as lines:
        error = await refused(instance, image)
    assert isinstance(error, OriginalMissing)
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("original-missing", "error")
    assert (line["image"], line["sha256"]) == (str(image.id), image.sha256)
    assert line["reason"]
    assert count(instance.services.workers.counters.originals_missing) == 1


def png_of_two_readings() -> bytes:
    """A PNG with more transparent entries than its palette has: some decoders ignore them, others don't."""
    data = pictures.encode(pictures.photo(80, 60).quantize(4), "png")
    at = data.index(b"IDAT") - 4
    return data[:at] + pictures.png_chunk(b"tRNS", bytes(20)) + data[at:]


async def test_what_cannot_be_stripped_is_not_said_to_be_lost(instance: Instance) -> None:
    image = await instance.add(data=png_of_two_readings())
    with capture_logs() as lines, pytest.raises(Invalid):
        await render.rendition(instance.services, image, stripped(image), Client(image.account_id))
    assert [(line["event"], line["image"]) for line in lines] == [("rendition-refused", str(image.id))]
    assert count(instance.services.workers.counters.originals_missing) == 0


async def test_a_deleted_image_is_missing_and_no_fault(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    await delete(instance.services, instance.anna, image.id)
    with capture_logs() as lines:
        assert isinstance(await refused(instance, image), NotFound)
    assert lines == []
    assert count(instance.services.workers.counters.originals_missing) == 0


async def test_an_image_that_was_replaced_meanwhile_is_no_fault(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    data = pictures.png(64, 48, seed=9)
    async with stage(instance.services, once(data), len(data)) as staged:
        info = await examine(instance.services, instance.anna, staged)
        await replace(instance.services, instance.anna, image.id, staged, info, "")
    assert isinstance(await missing_original(instance.services, image, "the file is gone"), NotFound)
