"""How often a token may ask: a sliding window, to the second."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.runtime.seconds import Seconds
from tintype.core.runtime import rate_limit as module
from tintype.core.runtime.rate_limit import RateLimiter, RateLimitStatus
from tintype.model import TooManyRequests


def refused(rate_limiter: RateLimiter, key: str = "token", cost: int = 1) -> int | None:
    """The seconds to wait, if a request is refused; it is counted otherwise."""
    try:
        rate_limiter.take(key, cost)
    except TooManyRequests as error:
        return error.retry_after
    return None


def test_the_limit_passes_and_one_more_does_not(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(3, 30, seconds)
    assert [rate_limiter.take("token").remaining for _ in range(3)] == [2, 1, 0]
    assert refused(rate_limiter) == 30


def test_the_window_slides(seconds: Seconds) -> None:
    """Requests at 0, 10 and 20 s fall out at 30, 40 and 50 s: no burst at a window's edge."""
    rate_limiter = RateLimiter(3, 30, seconds)
    for _ in range(3):
        assert refused(rate_limiter) is None
        seconds.now += 10
    assert [refused(rate_limiter), refused(rate_limiter)] == [None, 10]
    seconds.now += 10
    assert [refused(rate_limiter), refused(rate_limiter)] == [None, 10]


def test_a_request_falls_out_exactly_at_the_end_of_its_window(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(1, 30, seconds)
    rate_limiter.take("token")
    seconds.now += 29.999
    assert refused(rate_limiter) == 1
    seconds.now = 1030.0
    assert refused(rate_limiter) is None


@pytest.mark.parametrize(("later", "wait"), [(0, 30), (0.5, 30), (1, 29), (28.9, 2), (29, 1), (29.9, 1)])
def test_the_wait_is_told_in_whole_seconds_and_never_too_short(
    seconds: Seconds, later: float, wait: int
) -> None:
    rate_limiter = RateLimiter(1, 30, seconds)
    rate_limiter.take("token")
    seconds.now += later
    assert refused(rate_limiter) == wait
    seconds.now += wait
    assert refused(rate_limiter) is None


@given(st.floats(0, 1e9))
def test_a_window_that_begins_now_is_never_longer_than_it_is(at: float) -> None:
    rate_limiter = RateLimiter(1, 3600, lambda: at)
    assert rate_limiter.take("token").reset_seconds == 3600
    assert refused(rate_limiter) == 3600


def test_a_dear_request_waits_until_enough_is_free(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(10, 60, seconds)
    rate_limiter.take("token", 4)
    seconds.now += 10
    rate_limiter.take("token", 4)
    seconds.now += 10
    assert refused(rate_limiter, cost=3) == 40  # the first four are free at 60 s
    assert refused(rate_limiter, cost=7) == 50  # the second four at 70 s
    assert refused(rate_limiter, cost=2) is None


def test_what_costs_more_than_the_limit_never_passes(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(10, 60, seconds)
    assert refused(rate_limiter, cost=11) == 60


def test_a_refused_request_costs_nothing(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(2, 30, seconds)
    rate_limiter.take("token")
    assert refused(rate_limiter, cost=2) == 30
    assert refused(rate_limiter) is None


def test_what_is_left_is_told_without_being_counted(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(3, 30, seconds)
    assert rate_limiter.status("token") == RateLimitStatus(3, 3, 0)
    rate_limiter.take("token")
    seconds.now += 10
    rate_limiter.take("token")
    seconds.now += 5
    assert rate_limiter.status("token") == rate_limiter.status("token") == RateLimitStatus(3, 1, 25)
    seconds.now += 25
    assert rate_limiter.status("token") == RateLimitStatus(3, 3, 0)


def test_each_token_has_a_window_of_its_own(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(1, 30, seconds)
    assert [refused(rate_limiter, key) for key in ("a", "b", "a", "b")] == [None, None, 30, 30]


def test_no_limit_lets_everything_pass_and_remembers_nothing(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(0, 30, seconds)
    assert all(refused(rate_limiter, cost=1000) is None for _ in range(1000))
    assert rate_limiter.status("token") == RateLimitStatus(0, 0, 0)


def test_the_token_that_asked_longest_ago_is_forgotten_first(
    seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KEYS", 2)  # a bound, lowered: not a piece of code put in another's place
    rate_limiter = RateLimiter(2, 30, seconds)
    for key in ("a", "b", "a", "c"):
        assert refused(rate_limiter, key) is None
    assert refused(rate_limiter, "a") == 30  # asked last but one: still remembered
    assert rate_limiter.status("b") == RateLimitStatus(2, 2, 0)


@given(st.lists(st.floats(0, 20), max_size=60), st.integers(1, 5), st.integers(1, 10))
def test_no_window_of_that_length_ever_holds_more_than_the_limit(
    pauses: list[float], limit: int, length: int
) -> None:
    seconds = Seconds()
    seconds.now = 0.0
    rate_limiter = RateLimiter(limit, length, seconds)
    passed: list[float] = []
    for pause in pauses:
        seconds.now += pause
        if refused(rate_limiter) is None:
            passed.append(seconds.now)
    for late, early in zip(passed[limit:], passed, strict=False):
        assert early <= late - length


def test_windows_that_are_over_are_forgotten(seconds: Seconds) -> None:
    rate_limiter = RateLimiter(2, 30, seconds)
    tracemalloc.start()
    for number in range(10_000):
        rate_limiter.take(number)
        seconds.now += 1
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 31 * 2000
    assert [refused(rate_limiter, key="late") for _ in range(3)] == [None, None, 30]
    seconds.now += 30
    assert [refused(rate_limiter, key="late") for _ in range(3)] == [None, None, 30]
