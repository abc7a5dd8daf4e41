"""How often a token may ask: a sliding window, to the second."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core import pace as module
from tintype.core.pace import Allowance, Pace
from tintype.model import Error, Kind


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def refused(pace: Pace, key: str = "token", cost: int = 1) -> int | None:
    """The seconds to wait, if a request is refused; it is counted otherwise."""
    try:
        pace.take(key, cost)
    except Error as error:
        return error.retry_after if error.kind is Kind.TOO_MANY_REQUESTS else -1
    return None


def test_the_limit_passes_and_one_more_does_not(seconds: Seconds) -> None:
    pace = Pace(3, 30, seconds)
    assert [pace.take("token").remaining for _ in range(3)] == [2, 1, 0]
    assert refused(pace) == 30


def test_the_window_slides(seconds: Seconds) -> None:
    """Requests at 0, 10 and 20 s fall out at 30, 40 and 50 s: no burst at a window's edge."""
    pace = Pace(3, 30, seconds)
    for _ in range(3):
        assert refused(pace) is None
        seconds.now += 10
    assert [refused(pace), refused(pace)] == [None, 10]
    seconds.now += 10
    assert [refused(pace), refused(pace)] == [None, 10]


def test_a_request_falls_out_exactly_at_the_end_of_its_window(seconds: Seconds) -> None:
    pace = Pace(1, 30, seconds)
    pace.take("token")
    seconds.now += 29.999
    assert refused(pace) == 1
    seconds.now = 1030.0
    assert refused(pace) is None


@pytest.mark.parametrize(("later", "wait"), [(0, 30), (0.5, 30), (1, 29), (28.9, 2), (29, 1), (29.9, 1)])
def test_the_wait_is_told_in_whole_seconds_and_never_too_short(
    seconds: Seconds, later: float, wait: int
) -> None:
    pace = Pace(1, 30, seconds)
    pace.take("token")
    seconds.now += later
    assert refused(pace) == wait
    seconds.now += wait
    assert refused(pace) is None


def test_a_dear_request_waits_until_enough_is_free(seconds: Seconds) -> None:
    pace = Pace(10, 60, seconds)
    pace.take("token", 4)
    seconds.now += 10
    pace.take("token", 4)
    seconds.now += 10
    assert refused(pace, cost=3) == 40  # the first four are free at 60 s
    assert refused(pace, cost=7) == 50  # the second four at 70 s
    assert refused(pace, cost=2) is None


def test_what_costs_more_than_the_limit_never_passes(seconds: Seconds) -> None:
    pace = Pace(10, 60, seconds)
    assert refused(pace, cost=11) == 60


def test_a_refused_request_costs_nothing(seconds: Seconds) -> None:
    pace = Pace(2, 30, seconds)
    pace.take("token")
    assert refused(pace, cost=2) == 30
    assert refused(pace) is None


def test_what_is_left_is_told_without_being_counted(seconds: Seconds) -> None:
    pace = Pace(3, 30, seconds)
    assert pace.left("token") == Allowance(3, 3, 0)
    pace.take("token")
    seconds.now += 10
    pace.take("token")
    seconds.now += 5
    assert pace.left("token") == pace.left("token") == Allowance(3, 1, 25)
    seconds.now += 25
    assert pace.left("token") == Allowance(3, 3, 0)


def test_each_token_has_a_window_of_its_own(seconds: Seconds) -> None:
    pace = Pace(1, 30, seconds)
    assert [refused(pace, key) for key in ("a", "b", "a", "b")] == [None, None, 30, 30]


def test_no_limit_lets_everything_pass_and_remembers_nothing(seconds: Seconds) -> None:
    pace = Pace(0, 30, seconds)
    assert all(refused(pace, cost=1000) is None for _ in range(1000))
    assert pace.left("token") == Allowance(0, 0, 0)


def test_the_token_that_asked_longest_ago_is_forgotten_first(
    seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KEYS", 2)  # a bound, lowered: not a piece of code put in another's place
    pace = Pace(2, 30, seconds)
    for key in ("a", "b", "a", "c"):
        assert refused(pace, key) is None
    assert refused(pace, "a") == 30  # asked last but one: still remembered
    assert pace.left("b") == Allowance(2, 2, 0)


@given(st.lists(st.floats(0, 20), max_size=60), st.integers(1, 5), st.integers(1, 10))
def test_no_window_of_that_length_ever_holds_more_than_the_limit(
    pauses: list[float], limit: int, length: int
) -> None:
    seconds = Seconds()
    seconds.now = 0.0
    pace = Pace(limit, length, seconds)
    passed: list[float] = []
    for pause in pauses:
        seconds.now += pause
        if refused(pace) is None:
            passed.append(seconds.now)
    for late, early in zip(passed[limit:], passed, strict=False):
        assert early <= late - length


def test_windows_that_are_over_are_forgotten(seconds: Seconds) -> None:
    pace = Pace(2, 30, seconds)
    tracemalloc.start()
    for number in range(10_000):
        pace.take(number)
        seconds.now += 1
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 31 * 2000
    assert [refused(pace, key="late") for _ in range(3)] == [None, None, 30]
    seconds.now += 30
    assert [refused(pace, key="late") for _ in range(3)] == [None, None, 30]
