"""What a service takes, read from /proc over its processes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.02
RESTING_SAMPLES = 50
MEGABYTE = 1_000_000


@dataclass
class Peak:
    """The most memory that the processes took together, in bytes, and what they took before."""

    before: int
    most: int = 0

    @property
    def growth(self) -> int:
        """Bytes above what was taken before."""
        return self.most - self.before


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def memory(pid: int) -> int:
    """Bytes of a process and all below it; what several share is counted once (the sum of their PSS)."""
    return sum(_pss(each) for each in tree(pid))


def resting(pid: int) -> int:
    """Bytes of a process and all below it once they have started: a second within one megabyte."""
    samples: list[int] = []
    deadline = time.monotonic() + 30.0
    while len(samples) < RESTING_SAMPLES or max(samples) - min(samples) > MEGABYTE:
        samples = [*samples, memory(pid)][-RESTING_SAMPLES:]
        assert time.monotonic() < deadline, samples
        time.sleep(SAMPLE_SECONDS)
    return max(samples)


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """The peak of memory while the block runs, sampled."""
    peak, stop = Peak(memory(pid)), threading.Event()

    def sample() -> None:
        while not stop.is_set():
            peak.most = max(peak.most, memory(pid))
            stop.wait(SAMPLE_SECONDS)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        peak.most = max(peak.most, memory(pid))
        stop.set()
        thread.join()


def settles(pid: int, below: int, seconds: float = 10.0) -> bool:
    """Whether memory comes to be below so many bytes within so many seconds."""
    deadline = time.monotonic() + seconds
    while memory(pid) >= below:
        if time.monotonic() > deadline:
            return False
        time.sleep(SAMPLE_SECONDS)
    return True


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
