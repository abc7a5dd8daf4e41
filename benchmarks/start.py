"""From starting `tintype serve` to the first 200 of /readyz."""

import statistics
from collections.abc import Iterator

from benchmarks.bench import Bench, Result, at_most
from benchmarks.start_to_ready import start

RUNS = 3
"""For each round."""
WITHIN = 1.5


def measure(bench: Bench) -> Iterator[Result]:
    """The one result of the cell."""
    folder = bench.folder()
    data = folder / "data"
    first = start(data)
    seconds = [start(data) for _ in range(RUNS * bench.rounds)]
    note = f"new folder: {first:.2f} s; existing: {min(seconds):.2f} to {max(seconds):.2f} s"
    verdict = at_most("seconds to ready, median", statistics.median(seconds), WITHIN, " s")
    yield Result("start", "start to ready", (), (verdict,), (note,))
