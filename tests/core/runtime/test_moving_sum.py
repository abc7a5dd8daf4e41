"""How much was used lately, by whom."""

import math

import pytest

from tests.core.runtime.seconds import Seconds
from tintype.core.runtime import moving_sum as module
from tintype.core.runtime.moving_sum import MovingSum


def test_what_was_used_counts_less_and_less(seconds: Seconds) -> None:
    used = MovingSum(60, seconds)
    used.add("a", 10.0)
    assert (used.sum("a"), used.sum("b")) == (10.0, 0.0)
    seconds.now += 60
    assert used.sum("a") == pytest.approx(10 / math.e)
    used.add("a", 1.0)
    assert used.sum("a") == pytest.approx(10 / math.e + 1)


def test_who_uses_as_much_all_the_time_comes_to_what_it_uses_in_a_minute(seconds: Seconds) -> None:
    used = MovingSum(60, seconds)
    for _ in range(20_000):
        seconds.now += 0.1
        used.add("a", 0.2)
    assert used.sum("a") == pytest.approx(2 * 60, rel=0.01)


@pytest.mark.parametrize(("amount", "wait"), [(9.9, 0), (10.0, 1), (10.1, 1), (20.0, 42), (10 * math.e, 60)])
def test_one_who_used_too_much_waits_until_it_is_below_the_limit(
    seconds: Seconds, amount: float, wait: int
) -> None:
    used = MovingSum(60, seconds)
    used.add("a", amount)
    assert used.wait("a", 10.0) == wait
    assert used.wait("a", 0) == used.wait("b", 10.0) == 0
    seconds.now += wait + 0.001
    assert used.wait("a", 10.0) == 0


def test_the_key_that_used_something_longest_ago_is_forgotten(
    seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KEYS", 2)  # a bound, lowered: not a piece of code put in another's place
    used = MovingSum(60, seconds)
    for key in ("a", "b", "a", "c"):
        used.add(key, 1.0)
    assert [used.sum(key) for key in ("a", "b", "c")] == [2.0, 0.0, 1.0]
