"""Pictures for delivery: made once, kept, and made again when lost."""

import asyncio
import errno
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from uuid import UUID

import pytest
from msgspec import structs

from tests import pictures
from tests.core.conftest import Clock, Instance, path_of
from tests.core.counting import count
from tests.core.rendering import rendition, rendition_tag
from tintype.app import build_services, close_services
from tintype.core import Services
from tintype.core.delivery.draw import variant_keys, work_key
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.delivery.render import original
from tintype.core.delivery.variant import choose_variants
from tintype.core.library.deletion import delete
from tintype.imaging import Format, Mode, Recipe
from tintype.model import Image, Invalid, NotFound, OriginalMissing
from tintype.settings import Settings


async def test_the_original_is_delivered_as_it_came(instance: Instance) -> None:
    data = pictures.jpeg()
    picture = original(instance.services, await instance.add(data=data, filename="photo.jpg"))
    assert path_of(picture).read_bytes() == data
    assert (picture.size, picture.media_type) == (len(data), "image/jpeg")


async def test_a_rendition_is_what_the_recipe_says(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    picture = await rendition(instance.services, image, Recipe(mode=Mode.FIT, width=32, format=Format.WEBP))
    made = pictures.decode(path_of(picture).read_bytes())
    assert (made.format, made.size) == ("WEBP", (32, 24))
    assert (picture.size, picture.media_type) == (path_of(picture).stat().st_size, "image/webp")
    assert picture.tag == rendition_tag(image, Recipe(mode=Mode.FIT, width=32, format=Format.WEBP))


async def test_a_second_request_is_served_from_the_cache(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    first = await rendition(instance.services, image, Recipe(width=32))
    # Nothing can be made without the original.
    instance.services.originals.delete(image.sha256)
    again = await rendition(instance.services, image, Recipe(width=32))
    assert (again.key, again.size, again.tag) == (first.key, first.size, first.tag)
    # What was just made needs no reading again; what was there is not read before it is asked for.
    assert (first.data, again.data) == (path_of(first).read_bytes(), None)
    with pytest.raises(OriginalMissing):
        await rendition(instance.services, image, Recipe(width=31))


async def test_many_at_once_have_it_made_once(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    image = await instance.add(data=pictures.png(640, 480))
    put: list[Path] = []
    rename = os.replace

    def watch(source: Path, target: Path) -> None:
        put.append(target)
        rename(source, target)

    # The operating system's own call is watched, and carried out: each rendering puts one file in place.
    monkeypatch.setattr(os, "replace", watch)
    made = await asyncio.gather(*(rendition(instance.services, image, Recipe(width=320)) for _ in range(20)))
    assert put == [path_of(made[0])]
    assert all(picture == made[0] for picture in made)


async def test_a_lost_or_empty_rendition_is_made_again(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    first = await rendition(instance.services, image, Recipe(width=32))
    whole = path_of(first).read_bytes()
    for spoil in (path_of(first).unlink, lambda: path_of(first).write_bytes(b"")):
        spoil()
        again = await rendition(instance.services, image, Recipe(width=32))
        assert again.tag == first.tag
        assert path_of(again).read_bytes() == whole


async def test_different_recipes_and_images_have_different_tags(instance: Instance) -> None:
    one, other = await instance.add(), await instance.add()
    tags = {rendition_tag(image, Recipe(width=width)) for image in (one, other) for width in (1, 2)}
    assert len(tags | {original(instance.services, one).tag, original(instance.services, other).tag}) == 6


@pytest.mark.parametrize(
    "recipe", [Recipe(width=1001), Recipe(height=1001), Recipe(mode=Mode.SCALE, width=1, height=10**9)]
)
async def test_a_result_beyond_the_limits_is_invalid(instance: Instance, recipe: Recipe) -> None:
    image = await instance.add()
    with pytest.raises(Invalid) as raised:
        await rendition(instance.services, image, recipe)
    assert "1000" in raised.value.message
    assert [name for name in instance.files() if name.startswith("renditions/")] == []


async def test_a_link_to_another_version_is_missing(instance: Instance) -> None:
    image = await instance.add()
    assert (await find_deliverable(instance.services, "native", image.id)).image == image
    assert (await find_deliverable(instance.services, "native", image.number, 1)).image == image
    for key, version in ((image.id, 2), (image.number, 0), (UUID(int=1), None), (0, None), (10**30, None)):
        with pytest.raises(NotFound):
            await find_deliverable(instance.services, "native", key, version)


async def test_an_image_deleted_while_it_is_drawn_is_missing_or_drawn_but_no_other_error(
    instance: Instance,
) -> None:
    for _ in range(10):
        image = await instance.add(data=pictures.png(320, 240))
        drawn, _ = await asyncio.gather(
            rendition(instance.services, image, Recipe(width=160)),
            delete(instance.services, instance.anna, image.id),
            return_exceptions=True,
        )
        assert not isinstance(drawn, BaseException) or (isinstance(drawn, NotFound))


@asynccontextmanager
async def next_door(settings: Settings, clock: Clock, **workers: float) -> AsyncIterator[Services]:
    """Another worker process's services on the same folder: to file locks it is a stranger."""
    own = structs.replace(settings.workers, **workers)
    renderers = structs.replace(settings.renderers, count=1)
    services = build_services(structs.replace(settings, workers=own, renderers=renderers), clock)
    yield services
    await close_services(services)


def unlocked_recipes(services: Services, image: Image, count: int) -> list[Recipe]:
    """Recipes whose lock is free now: one in 256 renditions shares the lock file of another."""
    recipes = (Recipe(width=width) for width in range(1, 100))
    free = (recipe for recipe in recipes if not is_locked(services, image, recipe))
    return list(islice(free, count))


def is_locked(services: Services, image: Image, recipe: Recipe) -> bool:
    best = choose_variants(image, recipe, frozenset()).best
    return services.renditions.locks.is_held(work_key(variant_keys(services, image, best)))


async def test_two_processes_make_a_rendition_once(
    instance: Instance, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await instance.add(data=pictures.png(640, 480))
    put: list[str] = []
    rename = os.replace

    def watch(source: Path, target: Path) -> None:
        put.append(str(target))
        rename(source, target)

    # As above: the operating system's own call is watched.
    monkeypatch.setattr(os, "replace", watch)
    async with next_door(settings, clock) as other:
        recipes = [Recipe(width=width) for width in range(300, 320)]
        made = await asyncio.gather(
            *(
                rendition(services, image, recipe)
                for recipe in recipes
                for services in (instance.services, other)
            )
        )
    assert sorted(put) == sorted({str(path_of(picture)) for picture in made})
    assert len(put) == len(recipes)
    assert sum(count(services.workers.counters.made) for services in (instance.services, other)) == len(
        recipes
    )


async def test_who_waits_for_another_process_takes_no_slot_and_serves_what_it_made(
    instance: Instance, settings: Settings, clock: Clock
) -> None:
    image, different = await instance.add(data=pictures.png(64, 48)), await instance.add()
    async with next_door(settings, clock, disk_threads=1) as other:
        first = await rendition(other, image, Recipe(width=32))
        path_of(first).unlink()
        with instance.services.renditions.locks.hold(first.key) as is_ours:
            assert is_ours
            waiting = asyncio.create_task(rendition(other, image, Recipe(width=32)))
            # The only slot and the only disk thread go on serving others.
            for recipe in unlocked_recipes(other, different, 5):
                assert (await rendition(other, different, recipe)).size
            assert not waiting.done()
            instance.services.renditions.put(first.key, b"made next door")
        assert (await waiting).size == len(b"made next door")
        assert (await waiting).data is None


async def test_a_process_that_was_killed_while_it_made_a_rendition_holds_nobody_up(
    instance: Instance,
) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    first = await rendition(instance.services, image, Recipe(width=32))
    path_of(first).unlink()
    program = """if True:
        import pathlib, sys, time
        from tintype.storage.rendition_locks import RenditionLocks
        with RenditionLocks(pathlib.Path(sys.argv[1])).hold(sys.argv[2]) as is_ours:
            print(is_ours, flush=True)
            time.sleep(60)
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, instance.data / "renditions/.locks", first.key, stdout=-1
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"True\n"
    waiting = asyncio.create_task(rendition(instance.services, image, Recipe(width=32)))
    assert (await instance.add()).bytes
    assert not waiting.done()
    process.kill()
    await process.wait()
    assert (await waiting).data == first.data


async def test_who_waits_too_long_for_another_process_makes_the_rendition_itself(
    instance: Instance, settings: Settings, clock: Clock
) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    first = await rendition(instance.services, image, Recipe(width=32))
    path_of(first).unlink()
    async with next_door(settings, clock, render_wait_seconds=0.05) as other:
        with instance.services.renditions.locks.hold(first.key):
            assert (await rendition(other, image, Recipe(width=32))).data == first.data


async def test_on_a_full_disk_the_picture_is_delivered_and_nothing_is_left(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await instance.add(data=pictures.png(64, 48))

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # The operating system's own call is made to fail as it does then.
    monkeypatch.setattr(os, "replace", refuse)
    picture = await rendition(instance.services, image, Recipe(width=32))
    assert picture.data is not None
    assert pictures.decode(picture.data).size == (32, 24)
    assert picture.size == len(picture.data)
    counters = instance.services.workers.counters
    assert (count(counters.made), count(counters.not_cached)) == (1, 1)
    assert [name for name in instance.files() if name.startswith("renditions/")] == []


async def test_the_cache_may_be_emptied_or_removed_at_any_time(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    first = await rendition(instance.services, image, Recipe(width=32))
    shutil.rmtree(instance.data / "renditions")
    again = await rendition(instance.services, image, Recipe(width=32))
    assert path_of(again).read_bytes() == first.data
