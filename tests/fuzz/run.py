"""Fuzz every parser for a while: `python -m tests.fuzz.run SECONDS`, or `make fuzz SECONDS=120`.

The time is shared out evenly. One line a target says how many values it was given, in how many seconds, and
what was found; a finding comes with the smallest value that shows it, and makes the exit status 1.
"""

import argparse
import importlib
import itertools
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from msgspec import Struct

from tests.fuzz.target import Target, within
from tests.removed import names_removed

TESTS = Path(__file__).parent.parent
BATCH = 200
"""Values that are made with one seed."""
SHOWN = 2000
"""Characters of a value that are printed."""


class Outcome(Struct, frozen=True):
    """How many values a target was given, and what was found: how it failed, and with which value."""

    runs: int
    finding: str = ""


class Trial:
    """A target, and what it was given."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.runs = 0
        self.last: Any = None

    def try_one(self, value: Any) -> None:  # noqa: ANN401  each target has its own
        """Raises whatever the target raises."""
        self.runs += 1
        self.last = value
        with within(self._target.seconds):
            self._target.check(value)

    def try_batch(self, number: int, size: int = BATCH) -> None:
        """Try so many values, always the same ones with the same number. Raises as `try_one`."""
        if not isinstance(self._target.values, SearchStrategy):
            dice = Random(number)
            for _ in range(size):
                self.try_one(self._target.values(dice))
            return
        drawn = settings(
            max_examples=size,
            database=None,
            deadline=None,
            suppress_health_check=tuple(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        seed(number)(drawn(given(self._target.values)(self.try_one)))()


def targets() -> list[Target]:
    """All that there are: here, and beside the tests of each dialect."""
    modules = [path for path in sorted((TESTS / "fuzz").glob("*.py")) if path.stem not in {"run", "target"}]
    modules = [path for path in modules if not path.stem.startswith("test_")]
    modules += [path for path in sorted(TESTS.glob("dialects/*/fuzz.py")) if not names_removed(path)]
    return [target for path in modules for target in _in(path)]


def fuzz(target: Target, seconds: float, first: int) -> Outcome:
    """Try a target for so long, in batches that are numbered from the first on."""
    until = time.monotonic() + seconds
    trial = Trial(target)
    for number in itertools.count(first):
        try:
            trial.try_batch(number)
        except Exception:  # noqa: BLE001  whatever it is, it is what was sought
            return Outcome(trial.runs, _shown(trial.last, number))
        if time.monotonic() > until:
            break
    return Outcome(trial.runs)


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=120.0)
    parser.add_argument("-k", default="", help="only targets with this in their names")
    parser.add_argument("--seed", type=int, default=None, help="to see a finding again")
    asked = parser.parse_args()
    chosen = [target for target in targets() if asked.k in target.name]
    first = Random().randrange(10**9) if asked.seed is None else asked.seed
    found = 0
    for target in chosen:
        began = time.monotonic()
        outcome = fuzz(target, asked.seconds / len(chosen), first)
        found += bool(outcome.finding)
        result = outcome.finding or "nothing found"
        seconds = time.monotonic() - began
        print(f"{target.name:34} {outcome.runs:8} runs {seconds:6.1f} s  {result}", flush=True)
    print(f"{found} of {len(chosen)} targets with findings.")
    sys.exit(bool(found))


def _in(path: Path) -> Iterator[Target]:
    name = ".".join(("tests", *path.relative_to(TESTS).with_suffix("").parts))
    yield from importlib.import_module(name).TARGETS


def _shown(value: object, number: int) -> str:
    return f"FOUND with --seed {number}\n  value: {value!r:.{SHOWN}}\n{traceback.format_exc()}"


if __name__ == "__main__":
    main()
