"""Each target of `make fuzz`, for a moment, and always with the same values."""

import time
from random import Random

import pytest
from hypothesis import strategies as st

from tests.fuzz.run import Trial, fuzz, targets
from tests.fuzz.target import Target, mutated
from tintype.dialects import discover
from tintype.imaging import Format

RUNS = 40
TARGETS = targets()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_is_found(target: Target) -> None:
    Trial(target).try_batch(1, RUNS)


def test_every_target_has_a_name_of_its_own() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS)


def test_every_format_and_every_dialect_has_targets() -> None:
    names = {target.name for target in TARGETS}
    assert names >= {f"{what} of {format_}" for what in ("header", "metadata") for format_ in Format}
    for dialect in discover():
        assert any(name.startswith(f"{dialect.name}: ") for name in names) or dialect.api is None


def hates_x(value: bytes | str) -> None:
    assert "x" not in str(value)


@pytest.mark.parametrize("values", [mutated(b"abcdefghijklmnopqrstuvw"), st.text()])
def test_what_is_wrong_is_found(values: object) -> None:
    outcome = fuzz(Target("x", values, hates_x), 20.0, 1)  # type: ignore[arg-type]  # either kind
    assert "x" in outcome.finding
    assert "AssertionError" in outcome.finding


def test_what_never_ends_is_found() -> None:
    def never(_: object) -> None:
        while True:
            pass

    began = time.process_time()
    outcome = fuzz(Target("never", lambda dice: dice.random(), never, seconds=0.2), 5.0, 1)
    assert "TooSlowError" in outcome.finding
    assert time.process_time() - began < 2


def test_the_same_seed_makes_the_same_values() -> None:
    make = mutated(b"abc" * 100, b"def" * 200)
    one, two = Random(5), Random(5)
    assert [make(one) for _ in range(50)] == [make(two) for _ in range(50)]
