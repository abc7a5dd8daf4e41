"""What takes long is made later, and something stands in for it until it is there."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

from tests import pictures
from tests.core.conftest import Clock, Instance, open_instance, path_of
from tests.core.counting import count
from tests.core.following import until
from tests.core.rendering import rendition, rendition_tag
from tintype.core.delivery.render import Client, Picture
from tintype.core.runtime.deferred import DeferredEncodes
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.settings import DeferredSettings, WorkerSettings
from tintype.core.runtime.workers import Workers
from tintype.imaging import Format, Recipe, extras
from tintype.imaging.sandbox.process import Renderer
from tintype.model import Error, Image, TooManyRequests
from tintype.settings import load

BOTH = frozenset({Format.AVIF, Format.WEBP})
AVIF = Recipe(width=160, format=Format.AVIF)


@pytest.fixture
async def instance(tmp_path: Path, clock: Clock) -> AsyncIterator[Instance]:
    """An instance where nobody waits for an AVIF of more than 128 x 128 pixels."""
    settings = load(tmp_path, [], {"TINTYPE_DEFERRED_LIVE_PIXELS": str(128 * 128)})
    async with open_instance(settings, clock) as instance:
        yield instance


@pytest.fixture
async def photo(instance: Instance) -> Image:
    return await instance.add(data=pictures.jpeg(320, 320, seed=5), filename="photo.jpg")


async def lasting(
    instance: Instance, image: Image, recipe: Recipe, accepted: frozenset[Format] = BOTH
) -> Picture:
    """The picture once nothing stands in for it any more."""
    async with asyncio.timeout(60):
        while (picture := await rendition(instance.services, image, recipe, accepted)).is_stand_in:  # noqa: ASYNC110  another task makes it
            await asyncio.sleep(0.01)
    return picture


async def test_a_webp_stands_in_for_an_avif_until_that_is_there(instance: Instance, photo: Image) -> None:
    first = await rendition(instance.services, photo, AVIF, BOTH)
    assert (first.media_type, first.is_stand_in) == ("image/webp", True)
    assert first.tag == rendition_tag(photo, Recipe(width=160, format=Format.WEBP))
    last = await lasting(instance, photo, AVIF)
    made = pictures.decode(path_of(last).read_bytes())
    assert (last.media_type, made.format, made.size) == ("image/avif", "AVIF", (160, 160))
    assert last.tag == rendition_tag(photo, AVIF, BOTH) != first.tag
    # It is counted a moment after it can be delivered. Who asked in between may have had it looked for again.
    await until(lambda: count(instance.services.workers.counters.deferred_made) > 0)
    assert count(instance.services.workers.counters.deferred_dropped) == 0


async def test_a_jpeg_stands_in_where_no_webp_is_read(instance: Instance, photo: Image) -> None:
    assert (await rendition(instance.services, photo, AVIF)).media_type == "image/jpeg"
    assert (await lasting(instance, photo, AVIF, frozenset())).media_type == "image/avif"


async def test_something_stands_in_for_a_jxl_too(instance: Instance, photo: Image) -> None:
    jxl = Recipe(width=160, format=Format.JXL)
    assert (await rendition(instance.services, photo, jxl, BOTH)).media_type == "image/webp"
    assert (await lasting(instance, photo, jxl)).media_type == "image/jxl"


async def test_a_jxl_that_cannot_be_made_is_refused_and_nothing_stands_in(
    instance: Instance, photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "_is_here", lambda _package: False)
    # In a renderer, too, the package is missing.
    without = "from tintype.imaging import extras; extras._is_here = lambda _: False\n"
    run = f"{without}from tintype.imaging.sandbox.renderer import main; main()"
    monkeypatch.setattr(
        Renderer, "_command", lambda _, *arguments: [sys.executable, "-c", run, *map(str, arguments)]
    )
    for slot in instance.services.renderers._slots:  # noqa: SLF001  those that are there have it
        if slot.renderer is not None:
            slot.renderer.result().end()
    with pytest.raises(Error, match=r"tintype-server\[jxl\]"):
        await rendition(instance.services, photo, Recipe(width=160, format=Format.JXL))


async def test_auto_comes_to_the_same_in_the_end(instance: Instance, photo: Image) -> None:
    auto = Recipe(width=160, auto=True)
    assert (await rendition(instance.services, photo, auto, BOTH)).media_type == "image/webp"
    assert (await lasting(instance, photo, auto)).tag == rendition_tag(photo, AVIF)
    assert not (await rendition(instance.services, photo, auto, frozenset({Format.WEBP}))).is_stand_in


async def test_a_small_avif_is_waited_for(instance: Instance, photo: Image) -> None:
    picture = await rendition(instance.services, photo, Recipe(width=128, format=Format.AVIF))
    assert (picture.media_type, picture.is_stand_in) == ("image/avif", False)


async def test_of_a_tiny_picture_the_smallest_is_delivered(instance: Instance) -> None:
    dot = await instance.add(data=pictures.png(64, 64), filename="dot.png")
    recipe = Recipe(width=8, auto=True)
    best = await rendition(instance.services, dot, recipe, BOTH)
    each = [
        await rendition(instance.services, dot, Recipe(width=8, format=format))
        for format in (Format.AVIF, Format.WEBP, Format.PNG)
    ]
    assert best.size == min(picture.size for picture in each)
    assert f"image/{(pictures.decode(path_of(best).read_bytes()).format or '').lower()}" == best.media_type
    again = await rendition(instance.services, dot, recipe, BOTH)
    assert (again.key, again.media_type, again.data) == (best.key, best.media_type, None)


async def test_a_gate_is_asked_before_anything_new_only(instance: Instance, photo: Image) -> None:
    asked = 0

    async def admission_check() -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise TooManyRequests("Slowly.", retry_after=1)

    client = Client(instance.anna.account.id, admission_check)
    small, large = Recipe(width=20), Recipe(width=30)
    same = [rendition(instance.services, photo, small, client=client) for _ in range(5)]
    assert len({picture.tag for picture in await asyncio.gather(*same)}) == 1
    await rendition(instance.services, photo, small, client=client)
    assert asked == 1
    with pytest.raises(Error):
        await rendition(instance.services, photo, large, client=client)
    assert (await rendition(instance.services, photo, large)).data is not None


async def test_too_much_is_dropped_and_comes_back_when_it_is_asked_again() -> None:
    workers = Workers(WorkerSettings())
    later = DeferredEncodes(DeferredSettings(waiting=1), workers)
    done, go_on = asyncio.Queue[str](), asyncio.Event()

    async def work(name: str) -> None:
        await go_on.wait()
        await done.put(name)

    for name in ("one", "one", "two"):
        later.add(name, lambda name=name: work(name))  # type: ignore[misc]  # a default that binds
    assert count(workers.counters.deferred_dropped) == 1
    go_on.set()
    async with asyncio.timeout(30):
        assert await done.get() == "one"
        await until(lambda: count(workers.counters.deferred_made) == 1)
        later.add("two", lambda: work("two"))
        assert await done.get() == "two"
    await workers.close()


@asynccontextmanager
async def waiting_clients(workers: Workers) -> AsyncIterator[None]:
    """One works in the only slot until the block ends, and another waits for it."""
    work, go_on = WorkEstimate("clients", 1), threading.Event()
    tasks = [asyncio.create_task(workers.pixels(work, go_on.wait, 30)) for _ in range(2)]
    try:
        await until(workers.has_waiters)
        yield
    finally:
        go_on.set()
        await asyncio.gather(*tasks)


async def test_nothing_is_made_later_while_clients_wait() -> None:
    workers = Workers(WorkerSettings())
    later = DeferredEncodes(DeferredSettings(), workers)
    async with waiting_clients(workers):
        later.add("picture", lambda: asyncio.sleep(0))
        assert count(workers.counters.deferred_made) == 0
        assert count(workers.counters.deferred_dropped) == 1
    await workers.close()


async def test_what_was_to_be_made_later_is_dropped_once_clients_wait() -> None:
    workers = Workers(WorkerSettings())
    later, go_on = DeferredEncodes(DeferredSettings(), workers), asyncio.Event()
    later.add("begun", go_on.wait)
    for name in ("queued", "queued too"):
        later.add(name, lambda: asyncio.sleep(0))
    async with waiting_clients(workers):
        go_on.set()
        await until(lambda: count(workers.counters.deferred_dropped) == 2)
    assert count(workers.counters.deferred_made) == 1
    await workers.close()


def test_how_long_one_takes_is_learnt_from_those_before() -> None:
    later = DeferredEncodes(DeferredSettings(live_pixels=10**9, live_seconds=1.0), None)  # type: ignore[arg-type]  # no work here
    assert not later.is_deferred(Format.AVIF, 1_000_000)
    for _ in range(20):
        later.record_duration(Format.AVIF, 1_000_000, 4.0)
    assert not later.is_deferred(Format.JXL, 1_000_000)
    assert later.is_deferred(Format.AVIF, 300_000)
    assert not later.is_deferred(Format.AVIF, 200_000)
    for _ in range(40):
        later.record_duration(Format.AVIF, 1_000_000, 0.1)
    assert not later.is_deferred(Format.AVIF, 1_000_000)


class Interrupted(float):
    """Seconds in whose division by pixels another thread gets a turn, if it can."""

    def __new__(cls, seconds: float, other: threading.Thread) -> Self:
        self = super().__new__(cls, seconds)
        self.other = other
        return self

    other: threading.Thread

    def __truediv__(self, pixels: float) -> float:
        self.other.start()
        self.other.join(0.2)
        return super().__truediv__(pixels)


def test_of_two_threads_that_measured_at_once_both_count() -> None:
    later = DeferredEncodes(DeferredSettings(live_pixels=10**9, live_seconds=1.0), None)  # type: ignore[arg-type]  # no work here
    other = threading.Thread(target=later.record_duration, args=(Format.AVIF, 1_000_000, 4.0))
    later.record_duration(Format.AVIF, 1_000_000, Interrupted(4.0, other))
    other.join()
    # 0.3, then 1.04, then 1.63 microseconds a pixel.
    assert later.is_deferred(Format.AVIF, 700_000)
    assert not later.is_deferred(Format.AVIF, 600_000)


def test_a_tiny_picture_tells_nothing_about_large_ones() -> None:
    later = DeferredEncodes(DeferredSettings(), None)  # type: ignore[arg-type]  # no work here
    for _ in range(20):
        later.record_duration(Format.AVIF, 100, 1.0)
    assert not later.is_deferred(Format.AVIF, 1_000_000)
