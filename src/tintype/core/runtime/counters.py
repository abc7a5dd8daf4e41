"""Metrics of the service since its start, for `/metrics`."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import structlog
from prometheus_client import Counter, Gauge, values

# A folder in the environment that tintype is started in is another program's, or is not there.
values.ValueClass = values.MutexValue

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  a private folder is made in it
"""Where Linux keeps files in memory: the event loop must not wait for a disk when it counts."""
PREFIX = "tintype-metrics-"
FILES = ("counter", "gauge_livesum")
"""What prometheus-client names the files of a worker, by the kinds of metrics below."""
FILE_BYTES = 64 * 1024
"""Their size, as prometheus-client makes them; they are nowhere near full."""
ABANDONED_AFTER = 60.0
"""Seconds after which a folder that no process has locked is removed: a new one is locked long before."""

log = structlog.get_logger("tintype")


@contextmanager
def counters_folder(workers: int) -> Iterator[Path | None]:
    """A new folder for `share_counters` of so many processes, removed at the end; None if there is no space.

    It is in memory where there is such a file system. Folders of services that were killed are removed first.
    """
    with ExitStack() as open_until_the_end:
        for parent in (MEMORY_FOLDER, Path(gettempdir())):
            try:
                folder = open_until_the_end.enter_context(_reserved(parent, workers))
            except OSError as failed:
                log.warning("metrics-folder-unusable", folder=str(parent), reason=failed.strerror)
            else:
                yield folder
                return
        yield None


@contextmanager
def _reserved(parent: Path, workers: int) -> Iterator[Path]:
    for folder in parent.glob(f"{PREFIX}*"):
        _remove_abandoned(folder)
    with TemporaryDirectory(prefix=PREFIX, dir=parent) as name, _opened(Path(name)) as descriptor:
        # Worker processes inherit the lock.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for worker in range(workers):
            _reserve(Path(name), worker)
        yield Path(name)


def _reserve(folder: Path, worker: int) -> None:
    """Reserve the space of a worker's files, which are mapped: writing without it would end it (SIGBUS)."""
    for kind in FILES:
        with (folder / f"{kind}_{worker}.db").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, FILE_BYTES)


def _remove_abandoned(folder: Path) -> None:
    # OSError: it is locked, another user's, or gone.
    with suppress(OSError), _opened(folder) as descriptor:
        if time.time() - folder.stat().st_mtime > ABANDONED_AFTER:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def share_counters(folder: Path, worker: int) -> None:
    """Keep the metrics that this process creates from now on in files, for `/metrics` of any worker process.

    Counters go on where a worker of the same number stopped, so that they never decrease, and there are no
    more files than workers.

    Args:
        folder: of `counters_folder`, shared by the worker processes of one service.
        worker: the number of this worker process; no two that run have the same.
    """
    # prometheus-client's own setting, which its collector reads as well.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]  # its own


class Counters:
    """Monotonic counters and a gauge, changed only on the event loop."""

    def __init__(self) -> None:
        self.made = _counter("renditions_made", "Renditions made.")
        self.shared = _counter(
            "renditions_shared", "Requests that waited for a rendition that another had begun."
        )
        self.coalesced = _counter(
            "renditions_coalesced", "Renditions that another process had made before it was their turn."
        )
        self.dropped = _counter("renditions_dropped", "Renditions not begun, as all who asked went away.")
        self.not_cached = _counter(
            "renditions_not_cached", "Renditions delivered and not kept: the disk or the cache was full."
        )
        self.evicted = _counter("renditions_evicted", "Renditions removed to make room.")
        self.deferred_made = _counter(
            "renditions_deferred_made", "Renditions made after something had stood in for them."
        )
        self.deferred_dropped = _counter(
            "renditions_deferred_dropped", "Such renditions dropped, as there was too much to do."
        )
        self.refused = _counter("work_refused", "Work on pixels refused as busy.")
        self.originals_missing = _counter(
            "originals_missing", "Deliveries that found an original missing or damaged."
        )
        self.pixel_seconds = _counter("pixel_seconds", "Seconds of render slots used, by uploads too.")
        self.waiting = Gauge(
            "tintype_work_waiting", "Work on pixels that waits.", registry=None, multiprocess_mode="livesum"
        )
        # A worker that crashed leaves the last value of its gauge.
        self.waiting.set(0)


def _counter(name: str, meaning: str) -> Counter:
    return Counter(f"tintype_{name}", meaning, registry=None)
