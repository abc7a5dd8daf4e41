"""Resident memory over two thousand mixed renders, while the queue is full."""

import asyncio
import random
import statistics
from collections.abc import Iterator
from ctypes.util import find_library
from math import inf
from pathlib import Path

from msgspec import Struct

from benchmarks import pictures
from benchmarks.bench import OURS, Bench, Result, Row, at_most, none_failed
from benchmarks.load import exhaust
from benchmarks.pictures import Original
from benchmarks.processes import MEGABYTE, Watch, peak_resident, resident
from benchmarks.service import Library, Service, fill, serving
from tintype.imaging import Format, Recipe

CONNECTIONS = 66
"""Two in the slots, and 64 in the queue."""
WEIGH_EVERY = 0.1
FLAT, MOST = 1.1, 250
FORMATS = (None, None, Format.WEBP, Format.AVIF, Format.PNG)
"""That are asked for; None is the source's own."""
PATIENT = {"TINTYPE_WORKERS_RENDER_WAIT_SECONDS": "600", "TINTYPE_WORKERS_RENDER_QUEUE": "64"}
JEMALLOC = "libjemalloc.so.2"
BY_ITSELF = {"TINTYPE_WORKERS_MALLOC_ARENAS": "0"}
ALLOCATORS: dict[str, dict[str, str]] = {
    OURS: {},
    "glibc by itself": BY_ITSELF,
    "MALLOC_ARENA_MAX=2": BY_ITSELF | {"MALLOC_ARENA_MAX": "2"},
    "jemalloc": BY_ITSELF | {"LD_PRELOAD": JEMALLOC},
}


class Weights(Struct, frozen=True):
    """Bytes resident in the worker: medians of each quarter of the renders, and the most there ever was."""

    quarters: tuple[float, ...]
    peak: int


def measure(bench: Bench) -> Iterator[Result]:
    """The one result of the cell."""
    folder = bench.folder()
    originals = _originals(bench)
    library = fill(folder / "library", originals)
    row, weights = _weigh(bench, library, originals, OURS, folder)
    second, last = weights.quarters[1], weights.quarters[3]
    verdicts = (
        none_failed((row,)),
        at_most("the last quarter's memory beside the second's", last / (second or inf), FLAT),
        at_most("peak of the worker", weights.peak / MEGABYTE, MOST, " MB"),
    )
    title = f"{bench.renders:,} mixed renders, {CONNECTIONS} connections, one worker"
    yield Result("memory", title, (row,), verdicts, (_said(row, weights),))


def measure_allocators(bench: Bench) -> Iterator[Result]:
    """The same under each allocator, one after another."""
    rows, notes = [], []
    folder = bench.folder()
    originals = _originals(bench)
    for number, name in enumerate(_present()):
        library = fill(folder / str(number), originals)
        row, weights = _weigh(bench, library, originals, name, folder)
        rows.append(row)
        notes.append(_said(row, weights))
    title = f"{bench.renders:,} mixed renders by allocator"
    yield Result("allocators", title, tuple(rows), notes=tuple(notes))


def _present() -> Iterator[str]:
    """The allocators that this machine has; the loader would pass over another with no more than a line."""
    for name, settings in ALLOCATORS.items():
        if "LD_PRELOAD" not in settings or find_library("jemalloc"):
            yield name


def _originals(bench: Bench) -> list[Original]:
    jpegs = [each for size in pictures.JPEG_SIZES[:4] for each in pictures.jpegs(bench.pictures, size, 2)]
    return jpegs + [
        each for size in pictures.PNG_SIZES[:2] for each in pictures.pngs(bench.pictures, size, 2)
    ]


def _weigh(
    bench: Bench, library: Library, originals: list[Original], name: str, folder: Path
) -> tuple[Row, Weights]:
    settings = PATIENT | ALLOCATORS[name]
    with serving(library, folder / "tintype.log", settings=settings) as service:
        worker = service.workers()[0]
        paths = list(_paths(service, originals, bench.renders))
        with _Diary(worker) as diary:
            sample = asyncio.run(exhaust(service.server, paths, CONNECTIONS, diary.tell))
        weights = Weights(diary.quarters(len(paths)), peak_resident(worker))
    return Row(name, (sample,), weights.peak), weights


def _paths(service: Service, originals: list[Original], renders: int) -> Iterator[str]:
    """Links to different renditions of every original, by the same dice every time."""
    dice = random.Random(renders)  # noqa: S311  a seed is wanted
    for number in range(renders):
        width = dice.randint(100, 1600)
        recipe = Recipe(width=width, height=width + number, format=dice.choice(FORMATS))
        yield service.path(dice.choice(originals), recipe)


def _said(row: Row, weights: Weights) -> str:
    quarters = ", ".join(f"{quarter / MEGABYTE:.0f}" for quarter in weights.quarters)
    return f"{row.contender}: medians of the quarters {quarters} MB, at most {weights.peak / MEGABYTE:.0f} MB"


class _Diary(Watch):
    """How much was resident when so many were answered."""

    def __init__(self, pid: int) -> None:
        super().__init__(WEIGH_EVERY)
        self._pid = pid
        self._answered = 0
        self._entries: list[tuple[int, int]] = []

    def tell(self, answered: int) -> None:
        self._answered = answered

    def quarters(self, whole: int) -> tuple[float, ...]:
        of_each: list[list[int]] = [[] for _ in range(4)]
        for answered, weight in self._entries:
            of_each[min(3, 4 * answered // whole)].append(weight)
        return tuple(statistics.median(weights or [0]) for weights in of_each)

    def look(self) -> None:
        """Make an entry."""
        self._entries.append((self._answered, resident(self._pid)))
