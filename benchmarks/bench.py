"""The arguments and the results of every cell."""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path

from msgspec import Struct

from benchmarks.load import Sample
from benchmarks.peers import Tools

SETTLE_SECONDS = 0.5
"""Between two loads, so that one contender's last work isn't in another's figures."""
OURS = "tintype"


class Bench(Struct, frozen=True):
    """How to measure.

    Attributes:
        pictures: the folder where generated originals are kept.
        work: a folder for this run's own files, removed afterwards.
        tools: the peers.
        seconds, rounds: how long one load lasts, and how often each contender has its turn.
        renders: how many of them the memory is watched over.
        largest: the most megapixels of a generated original.
        images: a folder of more originals, or None.
        against: a revision of the repository to compare with, or None.
    """

    pictures: Path
    work: Path
    tools: Tools
    seconds: float
    rounds: int
    renders: int
    largest: float
    images: Path | None
    against: str | None

    def folder(self) -> Path:
        """A new folder that stays until the run ends.

        To remove one between two cells would slow the next down: ext4 gives no inode out again for some
        minutes after its file was deleted, and passes over thousands of them for every file it makes.
        """
        return Path(tempfile.mkdtemp(dir=self.work))


class Row(Struct, frozen=True, omit_defaults=True):
    """One contender in one cell.

    Attributes:
        samples: of each round.
        peak: the most bytes resident, of all its processes together.
        bytes: of a rendition, on average.
        ssim, ssimulacra2: of a rendition, on average.
    """

    contender: str
    samples: tuple[Sample, ...] = ()
    peak: int | None = None
    bytes: float | None = None
    ssim: float | None = None
    ssimulacra2: float | None = None

    @property
    def rate(self) -> float:
        """Requests a second, the median of the rounds."""
        return statistics.median(sample.rate for sample in self.samples)

    @property
    def errors(self) -> int:
        """Of all rounds."""
        return sum(sample.errors for sample in self.samples)


class Verdict(Struct, frozen=True):
    """One claim of a cell: `said` names it with its figure, `target` what was to reach; None: only told."""

    said: str
    target: str = ""
    ok: bool | None = None


class Result(Struct, frozen=True):
    """What one cell came to."""

    cell: str
    title: str
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()


def take_turns(bench: Bench, contenders: Mapping[str, Callable[[], Sample]]) -> dict[str, tuple[Sample, ...]]:
    """Every contender once a round, in turn, so that what the machine does besides meets all alike."""
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(bench.rounds):
        for name, load in contenders.items():
            samples[name].append(load())
            time.sleep(SETTLE_SECONDS)
    return {name: tuple(found) for name, found in samples.items()}


def ratio(said: str, ours: Row, other: Row, target: float) -> Verdict:
    """The verdict on our rate as a part of the other's; who answered nothing in time is passed at once."""
    value = ours.rate / other.rate if other.rate else inf
    return Verdict(f"{said}: {value:.2f}", f"≥ {target:g}", value >= target)


def at_most(said: str, value: float, target: float, unit: str = "") -> Verdict:
    """The verdict on a figure that must not pass the target."""
    return Verdict(f"{said}: {value:.2f}{unit}", f"≤ {target:g}{unit}", value <= target)


def none_failed(rows: tuple[Row, ...]) -> Verdict:
    """The verdict on the errors of our own rows."""
    errors = sum(row.errors for row in rows if row.contender.startswith(OURS))
    return Verdict(f"requests that failed: {errors}", "0", errors == 0)
