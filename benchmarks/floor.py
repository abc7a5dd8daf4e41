"""The floor: our own pipeline in a bare loop on two threads, without a service around it.

Run as a process of its own: `python -m benchmarks.floor` reads a job as JSON from standard input and writes a
sample as JSON to standard output.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.load import Sample
from benchmarks.processes import peak_resident
from tintype.imaging import Recipe, render

THREADS = 2


class Job(Struct, frozen=True):
    """Which originals to render in turn, by which recipe, for how long."""

    paths: list[str]
    recipe: Recipe
    seconds: float


class Loop(Struct, frozen=True):
    """What the loop came to; `peak` is in bytes."""

    sample: Sample
    peak: int


def loop(job: Job) -> Loop:
    """Carry the job out in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.floor"],
        input=msgspec.json.encode(job),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Loop)


def main() -> None:
    """Read the job, run it, say what it came to."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(Loop(_run(job), peak_resident(os.getpid()))))


def _run(job: Job) -> Sample:
    turns, times = count(), []
    render(Path(job.paths[0]), job.recipe)  # what is loaded only once is no part of it
    began = time.perf_counter()

    def work() -> None:
        while time.perf_counter() < began + job.seconds:
            started = time.perf_counter()
            render(Path(job.paths[next(turns) % len(job.paths)]), job.recipe)
            times.append(1000 * (time.perf_counter() - started))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    percentiles = statistics.quantiles([*times, times[-1]], n=100)
    return Sample(len(times), seconds, percentiles[49], percentiles[98], errors=0)


if __name__ == "__main__":
    main()
