"""Threads: a bounded queue, a deadline, and places that are always given back."""

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tests.core.counting import count
from tests.unhandled import unhandled
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.settings import WorkerSettings
from tintype.core.runtime.workers import Workers
from tintype.imaging import Reason
from tintype.model import Error, Invalid, InvalidImage, Kind, TooManyRequests

PATIENT = 60.0
WORK = WorkEstimate(uuid4(), 1_000_000)


class Gate:
    """Work that says when it runs, and runs until it is let go."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.open = threading.Event()
        self.turns = 0

    def __call__(self) -> int:
        self.turns += 1
        self.running.set()
        assert self.open.wait(30)
        return self.turns

    async def is_running(self) -> None:
        assert await asyncio.to_thread(self.running.wait, 30)


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


def workers(queue: int = 1, wait: float = PATIENT, slots: int = 1) -> Workers:
    return Workers(WorkerSettings(render_queue=queue, render_wait_seconds=wait), slots)


async def let_all_start() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def kind_of(work: asyncio.Task[int]) -> Kind | None:
    try:
        await work
    except Error as error:
        return error.kind if getattr(error, "retry_after", None) == 1 else None
    return None


async def test_beyond_the_queue_the_answer_is_busy(gate: Gate) -> None:
    pool = workers(queue=2)
    accepted = [asyncio.create_task(pool.pixels(WORK, gate)) for _ in range(3)]
    await let_all_start()
    assert await kind_of(asyncio.create_task(pool.pixels(WORK, gate))) is Kind.OVERLOADED
    assert count(pool.counters.refused) == 1
    gate.open.set()
    assert await asyncio.gather(*accepted) == [1, 2, 3]
    assert await pool.pixels(WORK, gate) == 4


async def test_who_waits_too_long_for_a_slot_is_told_busy_and_never_runs(gate: Gate) -> None:
    pool = workers(wait=0.01)
    first = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    assert await kind_of(asyncio.create_task(pool.pixels(WORK, gate))) is Kind.OVERLOADED
    gate.open.set()
    assert await first == 1
    assert await pool.pixels(WORK, gate) == 2


async def test_the_deadline_is_for_the_wait_and_not_for_the_work(gate: Gate) -> None:
    pool = workers(wait=0.01)
    task = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    await asyncio.wait([task], timeout=0.1)
    assert not task.done()
    gate.open.set()
    assert await task == 1


async def test_who_gives_up_waiting_frees_his_place(gate: Gate) -> None:
    pool = workers(queue=1)
    working = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    waiting = asyncio.create_task(pool.pixels(WORK, gate))
    await let_all_start()
    waiting.cancel()
    await asyncio.wait([waiting])
    next_one = asyncio.create_task(pool.pixels(WORK, gate))
    gate.open.set()
    assert list(await asyncio.gather(working, next_one)) == [1, 2]


async def test_who_goes_away_from_running_work_holds_the_slot_until_it_is_done(gate: Gate) -> None:
    pool = workers(wait=0.01)
    gone = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    gone.cancel()
    waiting = asyncio.create_task(pool.pixels(WORK, gate))
    assert (await asyncio.wait([waiting], timeout=10))[0], "it was given a slot that is not free"
    assert await kind_of(waiting) is Kind.OVERLOADED
    assert not gone.done()
    gate.open.set()
    assert await pool.pixels(WORK, gate) == 2
    assert gone.cancelled()


async def test_work_that_fails_frees_its_slot() -> None:
    pool = workers(queue=0)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            await pool.pixels(WORK, divmod, 1, 0)
    assert await pool.pixels(WORK, divmod, 7, 2) == (3, 1)


async def test_no_more_run_at_once_than_there_are_slots() -> None:
    pool = workers(slots=2, queue=20)
    lock, now, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.002)  # long enough to meet the others
        with lock:
            now -= 1

    await asyncio.gather(*(pool.pixels(WORK, work) for _ in range(20)))
    assert most == 2


async def test_the_same_work_under_way_is_shared_and_done_anew_afterwards(gate: Gate) -> None:
    pool = workers(queue=0)
    together = [
        asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate))) for _ in range(5)
    ]
    await gate.is_running()
    gate.open.set()
    assert await asyncio.gather(*together) == [1] * 5
    assert await pool.singleflight("key", lambda: pool.pixels(WORK, gate)) == 2


async def test_one_who_goes_away_does_not_take_the_work_from_the_others(gate: Gate) -> None:
    pool = workers(queue=0)
    first = asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate)))
    await gate.is_running()
    second = asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate)))
    await let_all_start()
    first.cancel()
    await asyncio.wait([first])
    gate.open.set()
    assert await second == 1


async def test_when_all_have_gone_away_work_that_waits_is_dropped(gate: Gate) -> None:
    pool = workers(queue=1)
    running = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    clients = [
        asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate))) for _ in range(3)
    ]
    await let_all_start()
    for client in clients:
        client.cancel()
    await asyncio.wait(clients)
    # Its place is free, and its key: who asks now has work of his own, that nobody cancelled.
    asked_again = asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate)))
    gate.open.set()
    assert [await running, await asked_again] == [1, 2]
    assert count(pool.counters.dropped) == 1
    assert count(pool.counters.shared) == 2
    assert count(pool.counters.refused) == 0
    assert count(pool.counters.pixel_seconds) > 0


async def test_when_one_of_several_stays_work_that_waits_is_not_dropped(gate: Gate) -> None:
    pool = workers(queue=1)
    running = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    clients = [
        asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate))) for _ in range(3)
    ]
    await let_all_start()
    for client in clients[:2]:
        client.cancel()
    gate.open.set()
    assert [await running, await clients[2]] == [1, 2]


async def test_when_all_have_gone_away_work_that_runs_is_there_for_who_asks_next(
    gate: Gate,
) -> None:
    pool = workers(queue=1)
    gone = asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate)))
    await gate.is_running()
    gone.cancel()
    await asyncio.wait([gone])
    next_one = asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate)))
    await let_all_start()
    gate.open.set()
    assert await next_one == 1


@pytest.mark.parametrize(
    ("error", "events"), [(Invalid("Unfit."), []), (ZeroDivisionError(), ["unexpected-error"])]
)
async def test_what_goes_wrong_when_all_have_gone_away_is_told_to_the_log_if_it_was_unforeseen(
    gate: Gate, error: Exception, events: list[str]
) -> None:
    pool = workers(queue=1)

    async def fail() -> None:
        await pool.pixels(WORK, gate)
        raise error

    with capture_logs() as lines:
        gone = asyncio.create_task(pool.singleflight("key", fail))
        await gate.is_running()
        gone.cancel()
        await asyncio.wait([gone])
        gate.open.set()
        await asyncio.gather(pool.pixels(WORK, gate))
        await let_all_start()
    assert [line["event"] for line in lines] == events


async def test_a_flood_of_one_account_does_not_hold_up_another(gate: Gate) -> None:
    pool = workers(queue=10)
    flood = [asyncio.create_task(pool.pixels(WORK, gate)) for _ in range(8)]
    await gate.is_running()
    other = asyncio.create_task(pool.pixels(WorkEstimate(uuid4(), 1_000_000), gate))
    await let_all_start()
    gate.open.set()
    # One ran already, and one of equal rights was there before.
    assert await other <= 3
    assert max(await asyncio.gather(*flood)) == 9


async def test_a_flood_that_fills_the_queue_makes_room_for_another_account(gate: Gate) -> None:
    pool = workers(queue=3)
    flood = [asyncio.create_task(pool.pixels(WORK, gate)) for _ in range(4)]
    await gate.is_running()
    other = asyncio.create_task(pool.pixels(WorkEstimate(uuid4(), 1), gate))
    assert await kind_of(flood[-1]) is Kind.OVERLOADED
    gate.open.set()
    assert sorted(await asyncio.gather(*flood[:-1], other)) == [1, 2, 3, 4]


async def test_who_asks_for_what_a_flood_asked_for_does_not_wait_behind_the_flood(
    gate: Gate,
) -> None:
    pool = workers(queue=20)
    flood = [
        asyncio.create_task(pool.singleflight(key, lambda: pool.pixels(WORK, gate), WORK))
        for key in range(10)
    ]
    await gate.is_running()
    other = WorkEstimate(uuid4(), 1_000_000)
    joined = asyncio.create_task(pool.singleflight(9, lambda: pool.pixels(other, gate), other))
    await let_all_start()
    assert count(pool.counters.waiting) == 9
    gate.open.set()
    # One ran already, and one of equal rights was there before.
    assert await joined <= 3
    assert sorted(await asyncio.gather(*flood)) == list(range(1, 11))


async def test_who_joins_work_before_it_waits_is_not_forgotten(gate: Gate) -> None:
    pool = workers(queue=20)
    flood = [asyncio.create_task(pool.pixels(WORK, gate)) for _ in range(8)]
    await gate.is_running()
    other, begins = WorkEstimate(uuid4(), 1_000_000), asyncio.Event()

    async def work() -> int:
        await begins.wait()
        return await pool.pixels(WORK, gate)

    both = [asyncio.create_task(pool.singleflight("key", work, estimate)) for estimate in (WORK, other)]
    await let_all_start()
    begins.set()
    await let_all_start()
    gate.open.set()
    assert max(await asyncio.gather(*both)) <= 3
    assert max(await asyncio.gather(*flood)) == 9


def until(seconds: float) -> WorkEstimate:
    """Work of another payer, with another deadline."""
    return WorkEstimate(uuid4(), 1_000_000, deadline=time.monotonic() + seconds)


async def test_each_client_of_shared_work_has_its_own_deadline(gate: Gate) -> None:
    pool = workers(queue=20)
    running = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    first, second, third = (
        asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate), until(seconds)))
        for seconds in (0.05, PATIENT, 0.01)
    )
    assert [await kind_of(task) for task in (first, third)] == [Kind.OVERLOADED] * 2
    assert not second.done()
    gate.open.set()
    assert sorted([await running, await second]) == [1, 2]
    assert (count(pool.counters.refused), count(pool.counters.dropped)) == (2, 0)


async def test_when_the_deadlines_of_all_clients_have_passed_shared_work_is_dropped(gate: Gate) -> None:
    pool = workers(queue=20)
    running = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    clients = [
        asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate), until(0.01)))
        for _ in range(3)
    ]
    assert [await kind_of(task) for task in clients] == [Kind.OVERLOADED] * 3
    await let_all_start()
    assert count(pool.counters.waiting) == 0
    gate.open.set()
    assert await running == 1


async def test_a_client_past_its_deadline_waits_for_work_that_runs_but_for_no_other_slot(gate: Gate) -> None:
    pool, again, other = workers(queue=20), Gate(), Gate()

    async def twice() -> int:
        await pool.pixels(WORK, gate)
        return await pool.pixels(WORK, again)

    first = asyncio.create_task(pool.singleflight("key", twice, until(0.05)))
    await gate.is_running()
    second = asyncio.create_task(pool.singleflight("key", twice, until(PATIENT)))
    between = asyncio.create_task(pool.pixels(WorkEstimate(uuid4(), 1), other))
    assert not (await asyncio.wait([first], timeout=0.1))[0]
    gate.open.set()
    await other.is_running()
    assert await kind_of(first) is Kind.OVERLOADED
    assert not second.done()
    other.open.set()
    again.open.set()
    assert [await between, await second] == [1, 1]


async def test_work_left_by_all_while_it_ran_waits_no_longer_than_it_may(gate: Gate) -> None:
    pool, other, ended = workers(queue=20, wait=0.01), Gate(), asyncio.Event()

    async def twice() -> int:
        try:
            await pool.pixels(WORK, gate)
            return await pool.pixels(WORK, gate)
        finally:
            ended.set()

    left = asyncio.create_task(pool.singleflight("key", twice, until(PATIENT)))
    await gate.is_running()
    between = asyncio.create_task(pool.pixels(until(PATIENT), other))
    left.cancel()
    await asyncio.wait([left])
    gate.open.set()
    await other.is_running()
    await ended.wait()
    assert count(pool.counters.waiting) == 0
    other.open.set()
    assert await between == 1


async def test_who_used_his_seconds_of_a_minute_is_told_how_long_to_wait() -> None:
    pool = workers()
    pool.require_seconds(WORK.payer, 0.02)
    began = time.perf_counter()
    await pool.pixels(WORK, time.sleep, 0.05)  # the work itself
    with pytest.raises(TooManyRequests) as raised:
        pool.require_seconds(WORK.payer, 0.02)
    took = time.perf_counter() - began
    # Sixty seconds times the logarithm of 0.05 through 0.02, or of what it really was; some have passed.
    least, most = (60 * math.log(seconds / 0.02) for seconds in (0.05, took))
    assert least - took <= raised.value.retry_after <= math.ceil(most)
    pool.require_seconds(WORK.payer, 0)
    pool.require_seconds(uuid4(), 0.02)


async def test_work_that_takes_more_memory_than_there_is_is_refused_at_once(gate: Gate) -> None:
    pool = Workers(WorkerSettings(), slots=2, memory=100_000_000)
    with pytest.raises(InvalidImage, match="memory") as raised:
        await pool.pixels(WorkEstimate(uuid4(), 1, memory=100_000_001), gate)
    assert raised.value.reason is Reason.TOO_COSTLY
    gate.open.set()
    assert await pool.pixels(WorkEstimate(uuid4(), 1, memory=50_000_000), gate) == 1


async def test_a_slot_given_to_one_who_goes_away_that_moment_goes_to_the_next(gate: Gate) -> None:
    pool = workers(queue=5)
    running = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    gone, stays = (asyncio.create_task(pool.pixels(WORK, gate)) for _ in range(2))
    await let_all_start()
    gate.open.set()
    running.add_done_callback(lambda _done: gone.cancel())
    await asyncio.wait([running, gone, stays])
    assert stays.result() >= 2
    assert await pool.pixels(WORK, gate) > stays.result()


async def test_shared_work_that_fails_fails_for_all_and_is_tried_again() -> None:
    pool = workers()
    outcomes = await asyncio.gather(
        *(pool.singleflight("key", lambda: pool.pixels(WORK, divmod, 1, 0)) for _ in range(3)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3
    assert await pool.singleflight("key", lambda: pool.pixels(WORK, divmod, 7, 2)) == (3, 1)


async def test_who_is_cancelled_waits_for_his_file_work_to_end(gate: Gate) -> None:
    """Otherwise what follows, such as the end of a transaction, would overtake it."""
    pool = workers()
    task = asyncio.create_task(pool.disk(gate))
    await gate.is_running()
    task.cancel()
    await let_all_start()
    assert not task.done()
    gate.open.set()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_who_is_cancelled_again_still_waits_and_its_error_is_not_logged(gate: Gate) -> None:
    """Else any client that disconnects during refused work would write a traceback into the log."""
    pool = workers()

    def fail() -> None:
        raise InvalidImage(Reason.DAMAGED, str(gate()))

    with unhandled() as contexts:
        task = asyncio.create_task(pool.disk(fail))
        await gate.is_running()
        for _ in range(2):
            task.cancel()
            await let_all_start()
            assert not task.done()
        gate.open.set()
        await asyncio.wait([task])
    assert task.cancelled()
    assert contexts == []


async def test_work_that_nobody_waits_for_is_done_once_at_a_time() -> None:
    pool = workers()
    begun, go_on = [], asyncio.Event()

    async def work() -> None:
        begun.append(1)
        await go_on.wait()

    for _ in range(3):
        pool.spawn_background("key", work)
        await let_all_start()
    assert begun == [1]
    go_on.set()
    await let_all_start()
    pool.spawn_background("key", work)
    await let_all_start()
    assert begun == [1, 1]
    await pool.close()


async def test_closing_drops_what_nobody_waits_for() -> None:
    pool = workers()
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    pool.spawn_background("key", work)
    await let_all_start()
    await pool.close()
    assert ended.is_set()


async def test_a_slot_is_given_back_by_who_is_cancelled_when_he_gets_it(gate: Gate) -> None:
    pool = workers()
    first = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    second = asyncio.create_task(pool.pixels(WORK, gate))
    await let_all_start()
    assert pool.has_waiters()
    gate.open.set()
    while pool.has_waiters():  # noqa: ASYNC110  every turn: before the second task goes on
        await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    assert second.cancelled()
    assert [await first, await pool.pixels(WORK, gate)] == [1, 2]


async def test_a_slot_is_not_kept_by_who_was_cancelled_just_before(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = workers()
    first = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()
    second = asyncio.create_task(pool.pixels(WORK, gate))
    await let_all_start()
    with monkeypatch.context() as patched:
        # It counts, and then frees the slot.
        patched.setattr(pool.counters.pixel_seconds, "inc", lambda _seconds: second.cancel())
        gate.open.set()
        await asyncio.wait([first, second])
    assert second.cancelled()
    assert [await first, await pool.pixels(WORK, gate)] == [1, 2]


async def test_new_work_is_shared_though_earlier_work_of_the_same_key_ends_later(gate: Gate) -> None:
    pool = workers(queue=20)
    running = asyncio.create_task(pool.pixels(WORK, gate))
    await gate.is_running()

    def ask() -> asyncio.Task[int]:
        return asyncio.create_task(pool.singleflight("key", lambda: pool.pixels(WORK, gate)))

    given_up = ask()
    await let_all_start()
    given_up.cancel()
    new = ask()
    await let_all_start()
    joined = ask()
    await let_all_start()
    gate.open.set()
    assert list(await asyncio.gather(running, new, joined)) == [1, 2, 2]
    assert given_up.cancelled()
