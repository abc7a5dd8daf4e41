"""Turns: who floods waits behind himself, what is used in the long run is equal, and nobody starves."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.fairness import Load, Turns

A, B, C = (UUID(int=number) for number in (1, 2, 3))
Job = tuple[UUID, int]

costs = st.floats(0.001, 10)
pixels = st.integers(0, 100_000_000)


def queue(slots: int = 1, room: int = 1000) -> Turns[Job]:
    return Turns(slots, room)


def add(turns: Turns[Job], account: UUID, number: int, size: int = 1_000_000) -> Job | None:
    return turns.join((account, number), Load(account, size))


def test_nothing_waits_at_first() -> None:
    assert queue().take() is None
    assert len(queue()) == 0


def test_among_the_jobs_of_one_account_the_oldest_is_first() -> None:
    turns = queue(slots=3)
    for number in range(3):
        add(turns, A, number)
    assert [turns.take() for _ in range(3)] == [(A, 0), (A, 1), (A, 2)]


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_no_more_run_than_there_are_slots(slots: int) -> None:
    turns = queue(slots)
    for number in range(10):
        add(turns, A, number)
    running = [job for job in (turns.take() for _ in range(10)) if job]
    assert len(running) == slots
    turns.done(running[0], 1.0)
    assert turns.take() is not None
    assert turns.take() is None


@given(slots=st.integers(1, 4), history=st.lists(st.tuples(pixels, costs), max_size=30), size=pixels)
def test_a_single_job_is_delayed_by_a_flood_only_by_what_runs_and_one_more(
    slots: int, history: list[tuple[int, float]], size: int
) -> None:
    turns = queue(slots)
    for number in range(100):
        add(turns, A, number, history[number % len(history)][0] if history else 0)
    running = [turns.take() for _ in range(slots)]
    for _, cost in history:
        done = running.pop(0)
        assert done is not None
        turns.done(done, cost)
        running.append(turns.take())
    add(turns, B, 0, size)
    before = 0
    while True:
        done = running.pop(0)
        assert done is not None
        turns.done(done, 1.0)
        if (next_one := turns.take()) == (B, 0):
            break
        running.append(next_one)
        before += 1
    assert before <= 1


@given(
    slots=st.integers(1, 4),
    cost=st.fixed_dictionaries({A: costs, B: costs, C: costs}),
    size=st.fixed_dictionaries({A: pixels, B: pixels, C: pixels}),
)
def test_those_who_always_wait_use_equal_seconds_whatever_was_estimated(
    slots: int, cost: dict[UUID, float], size: dict[UUID, int]
) -> None:
    turns = queue(slots)
    used = dict.fromkeys((A, B, C), 0.0)
    for account in (A, B, C):
        for number in range(2 + slots):
            add(turns, account, number, size[account])
    running = [turns.take() for _ in range(slots)]
    most = (slots + 1) * max(*cost.values(), *(each * 5e-9 for each in size.values()))
    for number in range(100, 700):
        done = running.pop(0)
        assert done is not None
        account = done[0]
        turns.done(done, cost[account])
        used[account] += cost[account]
        add(turns, account, number, size[account])
        running.append(turns.take())
    assert max(used.values()) - min(used.values()) <= 2 * most


def test_what_runs_counts_before_its_seconds_are_known() -> None:
    turns = queue(slots=4)
    for account in (A, B):
        for number in range(4):
            add(turns, account, number)
    assert {turns.take() for _ in range(4)} == {(A, 0), (A, 1), (B, 0), (B, 1)}


def test_who_was_away_has_saved_nothing() -> None:
    turns = queue()
    for number in range(100):
        add(turns, A, number)
    for _ in range(50):
        job = turns.take()
        assert job is not None
        turns.done(job, 1.0)
    for number in range(50):
        add(turns, B, number)
    order = []
    for _ in range(20):
        job = turns.take()
        assert job is not None
        turns.done(job, 1.0)
        order.append(job[0])
    assert abs(order.count(A) - order.count(B)) <= 2


def test_who_asks_for_little_all_the_time_does_not_let_a_newcomer_starve_the_rest() -> None:
    """A small account is served at once each time; its low use is no measure for those who come later."""
    turns = queue()
    for number in range(1000):
        add(turns, B, number)
    for number in range(100):
        add(turns, A, number)
        for _ in range(2):
            job = turns.take()
            assert job is not None
            turns.done(job, 10.0 if job[0] == B else 0.001)
    for number in range(100):
        add(turns, C, number)
    first = []
    for _ in range(6):
        job = turns.take()
        assert job is not None
        turns.done(job, 10.0)
        first.append(job[0])
    assert first.count(B) >= 2


def test_what_was_used_while_others_waited_is_not_forgotten_by_leaving_for_a_moment() -> None:
    turns = queue()
    add(turns, A, 0)
    add(turns, B, 0)
    job = turns.take()
    assert job == (A, 0)
    turns.done(job, 100.0)
    add(turns, A, 1)
    for number in range(1, 5):
        add(turns, B, number)
    assert [serve(turns, 1.0) for _ in range(5)] == [(B, number) for number in range(5)]


def test_when_nobody_is_there_all_is_forgotten() -> None:
    turns = queue()
    add(turns, A, 0)
    serve(turns, 1000.0)
    add(turns, A, 1)
    add(turns, B, 1)
    assert serve(turns, 1.0) == (A, 1)


def test_a_full_queue_refuses_the_newest_of_the_account_with_the_most() -> None:
    turns = queue(slots=1, room=3)
    assert [add(turns, A, number) for number in range(3)] == [None, None, None]
    turns.take()
    assert add(turns, A, 3) is None
    assert add(turns, A, 4) == (A, 4)
    assert add(turns, B, 0) == (A, 3)
    assert add(turns, B, 1) == (B, 1)
    assert add(turns, C, 0) == (A, 2)
    assert len(turns) == 3


def test_a_job_that_leaves_frees_its_place_and_leaving_twice_is_no_error() -> None:
    turns = queue(slots=1, room=1)
    add(turns, A, 0)
    turns.take()
    add(turns, A, 1)
    for _ in range(2):
        turns.leave((A, 1), Load(A, 1))
    assert add(turns, A, 2) is None
    assert len(turns) == 1


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from(["join", "take", "leave", "done"]), costs))
)
def test_whatever_comes_every_job_is_served_refused_or_waits(steps: list[tuple[UUID, str, float]]) -> None:
    turns = queue(slots=2, room=5)
    waiting: set[Job] = set()
    running: list[Job] = []
    for number, (account, step, cost) in enumerate(steps):
        if step == "join":
            waiting.add((account, number))
            waiting.discard(add(turns, account, number) or (account, -1))
        elif step == "take" and (job := turns.take()):
            waiting.remove(job)
            running.append(job)
        elif step == "leave" and waiting:
            job = min(waiting)
            waiting.remove(job)
            turns.leave(job, Load(job[0], 1))
        elif step == "done" and running:
            turns.done(running.pop(0), cost)
        assert len(turns) == len(waiting) <= 5 + 2
        assert len(running) <= 2
    for job in running:
        turns.done(job, 1.0)
    served = set()
    while job := serve(turns, 1.0):
        served.add(job)
    assert served == waiting


def serve(turns: Turns[Job], seconds: float) -> Job | None:
    job = turns.take()
    if job is not None:
        turns.done(job, seconds)
    return job
