"""Refusals leave in their turn, and nobody waits for long."""

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from tintype.web.refusals import BURST, MAX_WAIT, RefusalThrottle


class Now:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_few_leave_at_once_and_the_others_one_after_the_other() -> None:
    refusals = RefusalThrottle(100, Now())
    delays = [refusals.take() for _ in range(BURST + 100)]
    assert delays[:BURST] == [0.0] * BURST
    assert [round(delay, 6) for delay in delays[BURST:]] == [n / 100 for n in range(1, 101)]


def test_after_a_time_without_any_they_leave_at_once_again() -> None:
    now = Now()
    refusals = RefusalThrottle(100, now)
    for _ in range(1000):
        refusals.take()
    now.seconds += MAX_WAIT + BURST / 100
    assert [refusals.take() for _ in range(BURST)] == [0.0] * BURST


@given(st.lists(st.floats(0, 1), max_size=300))
def test_nobody_waits_longer_than_the_longest(pauses: list[float]) -> None:
    now = Now()
    refusals = RefusalThrottle(50, now)
    for pause in pauses:
        now.seconds += pause
        assert 0 <= refusals.take() <= MAX_WAIT + 1e-6


async def test_a_wait_takes_no_time_from_others() -> None:
    refusals, began = RefusalThrottle(100), time.monotonic()
    await asyncio.gather(*(refusals.wait() for _ in range(BURST + 30)))
    assert time.monotonic() - began >= 0.3


def test_without_a_limit_all_leave_at_once() -> None:
    refusals = RefusalThrottle(0, Now())
    assert {refusals.take() for _ in range(10_000)} == {0.0}
