"""A thousand clients that request the same cold rendition at the same moment."""

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import pictures
from benchmarks.bench import OURS, Bench, Result, Row, Verdict, none_failed
from benchmarks.load import burst, fetch
from benchmarks.processes import Scales
from benchmarks.service import Service, fill, serving
from tintype.imaging import Recipe

CLIENTS = 1000
WORKERS = (1, 2)
WIDE, WIDER = Recipe(width=256), Recipe(width=512)
IN_CREATE, IN_MOVED_TO = 0x100, 0x80
HEAD = struct.Struct("iIII")
"""Of an event of inotify(7): watch, what happened, cookie, length of the name behind."""


def measure(bench: Bench) -> Iterator[Result]:
    """A result for one worker, and one for two."""
    originals = pictures.jpegs(bench.pictures, pictures.JPEG_SIZES[2])[:1]
    for workers in WORKERS:
        folder = bench.folder()
        library = fill(folder / "library", originals)
        with serving(library, folder / "tintype.log", workers=workers) as service:
            warm, cold = (service.path(originals[0], recipe) for recipe in (WIDE, WIDER))
            yield _result(service, warm, cold, workers)


def _result(service: Service, warm: str, cold: str, workers: int) -> Result:
    # The image's folder has to be there, so that it can be watched.
    fetch(service.server.url + warm).expect(200)
    with Scales(service.server.pid) as scales, _arrivals(_folder(service)) as arrived:
        sample, bodies = asyncio.run(burst(service.server, cold, CLIENTS))
        renders = len([name for name in arrived() if not name.startswith("new-")])
    row = Row(OURS, (sample,), scales.peak, float(len(next(iter(bodies), b""))))
    made = Verdict(f"renders: {renders}", f"at most {workers}, one a worker", 1 <= renders <= workers)
    alike = Verdict(f"different answers: {len(bodies)}", "1", len(bodies) == 1)
    title = f"{CLIENTS:,} clients at once for one cold rendition, {workers} worker{'s'[: workers - 1]}"
    return Result("storm", title, (row,), (none_failed((row,)), made, alike))


def _folder(service: Service) -> Path:
    """Where the renditions of the one image lie."""
    image = next(iter(service.images.values()))
    return next((service.library.data / "renditions").glob(f"*/{image.id}"))


@contextmanager
def _arrivals(folder: Path) -> Iterator[Callable[[], list[str]]]:
    """What is given tells, once, the names of the files that came into the folder since the block began."""
    libc = ctypes.CDLL(None, use_errno=True)
    watcher = libc.inotify_init1(os.O_NONBLOCK)
    libc.inotify_add_watch(watcher, os.fsencode(folder), IN_CREATE | IN_MOVED_TO)
    try:
        yield lambda: list(_names(os.read(watcher, 1 << 20)))
    finally:
        os.close(watcher)


def _names(events: bytes) -> Iterator[str]:
    at = 0
    while at < len(events):
        length = HEAD.unpack_from(events, at)[3]
        at += HEAD.size
        yield events[at : at + length].rstrip(b"\0").decode()
        at += length
