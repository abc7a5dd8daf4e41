"""The cache is kept within its size by the service itself, beside its work."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests import pictures
from tests.core.conftest import Clock, Instance, open_instance, path_of
from tests.core.counting import count
from tests.core.rendering import rendition
from tintype.core.delivery.evict import evict
from tintype.imaging import Recipe
from tintype.settings import load

BLOCK = 4096


@pytest.fixture
async def small(tmp_path: Path, clock: Clock) -> AsyncIterator[Instance]:
    """An instance whose cache holds ten small renditions."""
    settings = load(tmp_path, [], {"TINTYPE_RENDITIONS_MAX_BYTES": str(10 * BLOCK)})
    async with open_instance(settings, clock) as instance:
        yield instance


async def made(instance: Instance, count: int) -> list[Path]:
    image = await instance.add(data=pictures.png(64, 48))
    drawn = [await rendition(instance.services, image, Recipe(width=width)) for width in range(1, count + 1)]
    return [path_of(picture) for picture in drawn]


async def test_room_is_made_beside_the_work_and_nobody_waits_for_it(small: Instance) -> None:
    paths = await made(small, 9)
    for path in paths:
        os.utime(path, (0, 0))
    image = await small.add(data=pictures.png(64, 48, seed=1))
    async with asyncio.timeout(60):
        for width in itertools.count(1):
            await rendition(small.services, image, Recipe(width=width))
            if not all(path.exists() for path in paths):
                break


async def test_a_picture_that_has_no_room_in_the_cache_is_delivered(small: Instance) -> None:
    paths = await made(small, 15)
    assert [path.exists() for path in paths].count(True) == 10
    image = await small.add(data=pictures.png(64, 48, seed=1))
    picture = await rendition(small.services, image, Recipe(width=32))
    assert picture.data is not None
    assert pictures.decode(picture.data).size == (32, 24)
    assert not path_of(picture).exists()


async def test_two_at_once_do_it_once(small: Instance) -> None:
    for _ in range(10):
        key = small.services.renditions.key(uuid4(), 1, "a", "png")
        small.services.renditions.put(key, b"picture")
        os.utime(small.data / "renditions" / key, (0, 0))
    assert sorted(await asyncio.gather(evict(small.services), evict(small.services))) == [0, 1]
    assert count(small.services.workers.counters.evicted) == 1
