"""The fair queue: who floods waits behind himself, memory is never overdrawn, and nobody starves."""

from collections.abc import Hashable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.runtime.fair_queue import LIGHT, AddressPayer, FairQueue, WorkEstimate

A, B, C = (UUID(int=number) for number in (1, 2, 3))
MIB = 1024**2
Job = tuple[Hashable, int]

costs = st.floats(0.001, 10)
pixels = st.integers(0, 100_000_000)
memory = st.integers(0, 1024).map(lambda mebibytes: mebibytes * MIB)


def queue(slots: int = 1, room: int = 1000) -> FairQueue[Job]:
    return FairQueue(slots, room)


def add(fair: FairQueue[Job], account: Hashable, number: int, size: int = 1_000_000) -> Job | None:
    return fair.push((account, number), WorkEstimate(account, size))


def test_nothing_waits_at_first() -> None:
    assert queue().pop() is None
    assert len(queue()) == 0


def test_among_the_jobs_of_one_account_the_oldest_is_first() -> None:
    fair = queue(slots=3)
    for number in range(3):
        add(fair, A, number)
    assert [fair.pop() for _ in range(3)] == [(A, 0), (A, 1), (A, 2)]


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_no_more_run_than_there_are_slots(slots: int) -> None:
    fair = queue(slots)
    for number in range(10):
        add(fair, A, number)
    running = [job for job in (fair.pop() for _ in range(10)) if job]
    assert len(running) == slots
    fair.finish(running[0], 1.0)
    assert fair.pop() is not None
    assert fair.pop() is None


@given(slots=st.integers(1, 4), history=st.lists(st.tuples(pixels, costs), max_size=30), size=pixels)
def test_a_single_job_is_delayed_by_a_flood_only_by_what_runs_and_one_more(
    slots: int, history: list[tuple[int, float]], size: int
) -> None:
    fair = queue(slots)
    for number in range(100):
        add(fair, A, number, history[number % len(history)][0] if history else 0)
    running = [fair.pop() for _ in range(slots)]
    for _, cost in history:
        done = running.pop(0)
        assert done is not None
        fair.finish(done, cost)
        running.append(fair.pop())
    add(fair, B, 0, size)
    before = 0
    while True:
        done = running.pop(0)
        assert done is not None
        fair.finish(done, 1.0)
        if (next_one := fair.pop()) == (B, 0):
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
    fair = queue(slots)
    used = dict.fromkeys((A, B, C), 0.0)
    for account in (A, B, C):
        for number in range(2 + slots):
            add(fair, account, number, size[account])
    running = [fair.pop() for _ in range(slots)]
    most = (slots + 1) * max(*cost.values(), *(each * 5e-9 for each in size.values()))
    for number in range(100, 700):
        done = running.pop(0)
        assert done is not None
        (payer, _) = done
        assert isinstance(payer, UUID)
        fair.finish(done, cost[payer])
        used[payer] += cost[payer]
        add(fair, payer, number, size[payer])
        running.append(fair.pop())
    assert max(used.values()) - min(used.values()) <= 2 * most


def test_what_runs_counts_before_its_seconds_are_known() -> None:
    fair = queue(slots=4)
    for account in (A, B):
        for number in range(4):
            add(fair, account, number)
    assert {fair.pop() for _ in range(4)} == {(A, 0), (A, 1), (B, 0), (B, 1)}


def test_who_was_away_has_saved_nothing() -> None:
    fair = queue()
    for number in range(100):
        add(fair, A, number)
    for _ in range(50):
        job = fair.pop()
        assert job is not None
        fair.finish(job, 1.0)
    for number in range(50):
        add(fair, B, number)
    order = []
    for _ in range(20):
        job = fair.pop()
        assert job is not None
        fair.finish(job, 1.0)
        order.append(job[0])
    assert abs(order.count(A) - order.count(B)) <= 2


def test_who_asks_for_little_all_the_time_does_not_let_a_newcomer_starve_the_rest() -> None:
    """A small account is served at once each time; its low use is no measure for those who come later."""
    fair = queue()
    for number in range(1000):
        add(fair, B, number)
    for number in range(100):
        add(fair, A, number)
        for _ in range(2):
            job = fair.pop()
            assert job is not None
            fair.finish(job, 10.0 if job[0] == B else 0.001)
    for number in range(100):
        add(fair, C, number)
    first = []
    for _ in range(6):
        job = fair.pop()
        assert job is not None
        fair.finish(job, 10.0)
        first.append(job[0])
    assert first.count(B) >= 2


def test_what_was_used_while_others_waited_is_not_forgotten_by_leaving_for_a_moment() -> None:
    fair = queue()
    add(fair, A, 0)
    add(fair, B, 0)
    job = fair.pop()
    assert job == (A, 0)
    fair.finish(job, 100.0)
    add(fair, A, 1)
    for number in range(1, 5):
        add(fair, B, number)
    assert [serve(fair, 1.0) for _ in range(5)] == [(B, number) for number in range(5)]


def test_when_nobody_is_there_all_is_forgotten() -> None:
    fair = queue()
    add(fair, A, 0)
    serve(fair, 1000.0)
    add(fair, A, 1)
    add(fair, B, 1)
    assert serve(fair, 1.0) == (A, 1)


def test_a_full_queue_refuses_the_newest_of_the_account_with_the_most() -> None:
    fair = queue(slots=1, room=3)
    assert [add(fair, A, number) for number in range(3)] == [None, None, None]
    fair.pop()
    assert add(fair, A, 3) is None
    assert add(fair, A, 4) == (A, 4)
    assert add(fair, B, 0) == (A, 3)
    assert add(fair, B, 1) == (B, 1)
    assert add(fair, C, 0) == (A, 2)
    assert len(fair) == 3


def test_a_payer_whose_only_job_is_refused_leaves_nothing_behind() -> None:
    fair = queue(slots=1, room=1)
    add(fair, A, 0)
    fair.pop()
    assert add(fair, B, 0) is None
    assert add(fair, C, 0) == (C, 0)
    fair.finish((A, 0), 1.0)
    assert [serve(fair, 1.0), serve(fair, 1.0)] == [(B, 0), None]


def test_a_job_that_leaves_frees_its_place_and_leaving_twice_is_no_error() -> None:
    fair = queue(slots=1, room=1)
    add(fair, A, 0)
    fair.pop()
    add(fair, A, 1)
    for _ in range(2):
        fair.remove((A, 1))
    assert add(fair, A, 2) is None
    assert len(fair) == 1


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from(["join", "take", "leave", "done"]), costs))
)
def test_whatever_comes_every_job_is_served_refused_or_waits(steps: list[tuple[UUID, str, float]]) -> None:
    fair = queue(slots=2, room=5)
    waiting: set[Job] = set()
    running: list[Job] = []
    for number, (account, step, cost) in enumerate(steps):
        if step == "join":
            waiting.add((account, number))
            waiting.discard(add(fair, account, number) or (account, -1))
        elif step == "take" and (job := fair.pop()):
            waiting.remove(job)
            running.append(job)
        elif step == "leave" and waiting:
            job = min(waiting)
            waiting.remove(job)
            fair.remove(job)
        elif step == "done" and running:
            fair.finish(running.pop(0), cost)
        assert len(fair) == len(waiting) <= 5 + 2
        assert len(running) <= 2
    for job in running:
        fair.finish(job, 1.0)
    served = set()
    while job := serve(fair, 1.0):
        served.add(job)
    assert served == waiting


def serve(fair: FairQueue[Job], seconds: float) -> Job | None:
    job = fair.pop()
    if job is not None:
        fair.finish(job, seconds)
    return job


def stranger(number: int) -> AddressPayer:
    return AddressPayer(f"192.0.2.{number}")


def is_heavy(estimate: WorkEstimate, slots: int, budget: int) -> bool:
    return estimate.costly or estimate.memory > min(256 * MIB, budget // slots)


payers = st.sampled_from([A, B, C, stranger(1), stranger(2)])
estimates = st.builds(WorkEstimate, payers, pixels, memory, st.booleans())
deeds = st.lists(st.tuples(st.sampled_from(["push", "pop", "finish", "remove"]), estimates), max_size=80)


@given(slots=st.integers(1, 6), budget=st.integers(100, 2048), deeds=deeds)
def test_whatever_comes_no_bound_is_ever_passed(
    slots: int, budget: int, deeds: list[tuple[str, WorkEstimate]]
) -> None:
    budget *= MIB
    fair: FairQueue[int] = FairQueue(slots, room=20, budget=budget)
    waiting: dict[int, WorkEstimate] = {}
    running: dict[int, WorkEstimate] = {}
    for number, (deed, estimate) in enumerate(deeds):
        if deed == "push" and fair.can_ever_run(estimate):
            waiting[number] = estimate
            waiting.pop(fair.push(number, estimate) or -1, None)
        elif deed == "finish" and running:
            oldest = min(running)
            assert fair.finish(oldest, 0.1) == running.pop(oldest).payer
        elif deed == "remove" and waiting:
            fair.remove(min(waiting))
            del waiting[min(waiting)]
        elif (job := fair.pop()) is not None:
            running[job] = waiting.pop(job)
        heavy = [each.memory for each in running.values() if is_heavy(each, slots, budget)]
        of_addresses = [each.payer for each in running.values() if isinstance(each.payer, AddressPayer)]
        assert len(running) <= slots
        assert sum(each.memory for each in running.values()) <= budget
        assert len(heavy) <= max(1, slots - 1)
        assert slots == 1 or sum(heavy) <= budget - min(LIGHT, budget // slots)
        assert all(of_addresses.count(payer) <= max(1, slots - 1) for payer in of_addresses)
        assert len(fair) == len(waiting) <= 20 + slots


@given(
    slots=st.integers(1, 5),
    victim=st.builds(WorkEstimate, st.just(A), pixels, memory, st.booleans()),
    others=st.lists(st.tuples(memory, st.booleans(), costs), min_size=1, max_size=20),
)
def test_nobody_starves_however_many_others_come_with_whatever_work(
    slots: int, victim: WorkEstimate, others: list[tuple[int, bool, float]]
) -> None:
    """Every other is new, and so has used nothing: by tags alone all of them would go first."""
    room = 4
    fair: FairQueue[str] = FairQueue(slots, room, 1024 * MIB)
    if not fair.can_ever_run(victim):
        return
    fair.push("used much", WorkEstimate(A, 1))
    assert fair.pop() == "used much"
    fair.push("keeps the queue from forgetting", WorkEstimate(C, 1))
    fair.finish("used much", 10_000)
    fair.push("victim", victim)
    running: list[str] = []
    for number in range(12 * (room + slots)):
        bytes_, costly, cost = others[number % len(others)]
        newcomer = WorkEstimate(stranger(number), 1, bytes_, costly)
        if fair.can_ever_run(newcomer):
            fair.push(f"other {number}", newcomer)
        while job := fair.pop():
            running.append(job)
        if "victim" in running:
            return
        if running:
            fair.finish(running.pop(0), cost)
    raise AssertionError("the victim starves")


@given(
    slots=st.integers(2, 5),
    flood=st.lists(st.tuples(memory, st.booleans()), min_size=1, max_size=20),
    size=st.integers(0, 64),
)
def test_a_single_light_job_beside_a_flood_of_heavy_ones_has_a_slot_at_once_or_after_the_next(
    slots: int, flood: list[tuple[int, bool]], size: int
) -> None:
    """Heavy work leaves a slot and memory; of light work that is in the way some ends soon."""
    fair: FairQueue[Job] = FairQueue(slots, 100, 1024 * MIB)
    for number in range(60):
        bytes_, costly = flood[number % len(flood)]
        estimate = WorkEstimate(A, 10_000_000, bytes_, costly)
        if fair.can_ever_run(estimate):
            fair.push((A, number), estimate)
    running = []
    while job := fair.pop():
        running.append(job)
    fair.push((B, 0), WorkEstimate(B, 1_000_000, min(size * MIB, LIGHT)))
    light = [job for job in running if not is_heavy(_of(job, flood), slots, 1024 * MIB)]
    served = []
    while (B, 0) not in served:
        while job := fair.pop():
            served.append(job)
        if (B, 0) not in served:
            # The heavy ones run on: nobody waits for their end.
            assert light, "it waits for heavy work"
            fair.finish(light.pop(0), 0.01)
    assert len(served) <= 2


def _of(job: Job, flood: list[tuple[int, bool]]) -> WorkEstimate:
    bytes_, costly = flood[job[1] % len(flood)]
    return WorkEstimate(A, 1, bytes_, costly)


def test_large_work_is_not_overtaken_for_ever_by_small_work_that_fits_beside_the_rest() -> None:
    fair: FairQueue[Job] = FairQueue(slots=3, room=20, budget=1024 * MIB)
    small: list[Job] = [(B, number) for number in range(20)]
    for job in small:
        fair.push(job, WorkEstimate(B, 1_000_000, 200 * MIB))
    running = [fair.pop(), fair.pop(), fair.pop()]
    fair.push((A, 0), WorkEstimate(A, 1_000_000, 900 * MIB))
    for _ in range(3):
        fair.finish(running.pop(0) or (B, -1), 0.001)
        running += [job for job in [fair.pop()] if job]
    assert (A, 0) in running


def test_what_takes_more_than_there_is_can_never_run() -> None:
    fair: FairQueue[Job] = FairQueue(slots=2, room=1, budget=1024 * MIB)
    assert fair.can_ever_run(WorkEstimate(A, 1, 960 * MIB))
    assert not fair.can_ever_run(WorkEstimate(A, 1, 961 * MIB))
    assert FairQueue[Job](slots=1, room=1, budget=1024 * MIB).can_ever_run(WorkEstimate(A, 1, 1024 * MIB))


def test_many_addresses_do_not_keep_an_account_out_of_the_queue() -> None:
    fair: FairQueue[Job] = FairQueue(slots=1, room=10)
    for number in range(11):
        assert add(fair, stranger(number), 0) is None
    assert add(fair, stranger(11), 0) == (stranger(11), 0)
    refused = [add(fair, A, number) for number in range(5)]
    assert all(isinstance(job[0], AddressPayer) for job in refused if job)
    # Now half of the queue is the addresses', and no more of it is taken from them.
    assert add(fair, A, 6) == (A, 6) or len(fair) == 11
    assert sum(add(fair, A, number) == (A, number) for number in range(7, 12)) == 5


def test_a_job_in_two_lines_goes_with_the_first_and_is_paid_by_that_one() -> None:
    fair = queue(slots=1)
    for number in range(3):
        add(fair, A, number)
    assert serve(fair, 100.0) == (A, 0)
    assert fair.push((A, 2), WorkEstimate(B, 1_000_000)) is None
    assert len(fair) == 2
    assert fair.pop() == (A, 2)
    assert fair.finish((A, 2), 1.0) == B
    assert [serve(fair, 1.0), serve(fair, 1.0)] == [(A, 1), None]


def test_a_job_in_two_lines_is_crowded_out_of_both_before_it_has_to_go() -> None:
    fair: FairQueue[Job] = FairQueue(slots=1, room=2)
    add(fair, C, 0)
    fair.pop()
    add(fair, A, 0)
    assert fair.push((A, 0), WorkEstimate(B, 1)) is None
    assert add(fair, A, 1) == (A, 1)
    assert fair.push((A, 0), WorkEstimate(A, 1)) is None
    assert len(fair) == 1
    fair.remove((A, 0))
    assert len(fair) == 0


class Machine:
    """Work by its memory in MiB, on a gibibyte: what runs, in the order it began."""

    def __init__(self, slots: int) -> None:
        self.fair: FairQueue[str] = FairQueue(slots, room=20, budget=1024 * MIB)
        self.running: list[str] = []

    def push(self, payer: Hashable, job: str, mebibytes: int, *, costly: bool = False) -> None:
        assert self.fair.push(job, WorkEstimate(payer, 1, mebibytes * MIB, costly)) is None
        self.fill()

    def finish(self, job: str) -> None:
        self.running.remove(job)
        self.fair.finish(job, 0.01)
        self.fill()

    def fill(self) -> None:
        while job := self.fair.pop():
            self.running.append(job)


@pytest.mark.parametrize(("slots", "running"), [(1, 1), (2, 1), (4, 3)])
def test_one_address_leaves_a_slot_to_others(slots: int, running: int) -> None:
    machine = Machine(slots)
    for number in range(6):
        machine.push(stranger(1), f"{number}", 10)
    assert len(machine.running) == running
    machine.push(A, "account", 10)
    assert ("account" in machine.running) is (slots > 1)


@pytest.mark.parametrize(("slots", "running"), [(1, 1), (2, 1), (4, 3)])
def test_what_is_costly_leaves_a_slot_to_the_rest(slots: int, running: int) -> None:
    machine = Machine(slots)
    for number in range(6):
        machine.push(A, f"{number}", 10, costly=True)
    assert len(machine.running) == running


def test_all_heavy_work_together_leaves_memory_for_light_work() -> None:
    machine = Machine(slots=3)
    machine.push(A, "600", 600)
    machine.push(B, "361", 361)
    assert machine.running == ["600"]
    machine.push(C, "360", 360)
    machine.finish("600")
    assert machine.running == ["361", "360"]


def test_work_is_heavy_beyond_a_quarter_of_a_gibibyte() -> None:
    machine = Machine(slots=3)
    for number in range(3):
        machine.push(A, f"{number}", 256)
    assert len(machine.running) == 3
    for number in range(3, 6):
        machine.finish(machine.running[0])
        machine.push(A, f"{number}", 257)
    assert len(machine.running) == 3 - 1


def test_heavy_work_whose_turn_it_is_is_not_overtaken_by_other_heavy_work() -> None:
    machine = Machine(slots=4)
    machine.push(A, "a 400", 400)
    machine.push(A, "another 400", 400)
    machine.push(B, "900", 900)
    machine.push(C, "costly", 10, costly=True)
    assert machine.running == ["a 400", "another 400"]
    machine.finish("a 400")
    machine.finish("another 400")
    assert machine.running == ["900", "costly"]


def test_light_work_goes_on_while_heavy_work_waits_for_heavy_work() -> None:
    machine = Machine(slots=3)
    machine.push(A, "a 600", 600)
    machine.push(B, "another 600", 600)
    machine.push(C, "light", 100)
    assert machine.running == ["a 600", "light"]


def test_small_work_goes_on_while_larger_light_work_waits_for_heavy_work() -> None:
    machine = Machine(slots=3)
    machine.push(A, "800", 800)
    machine.push(B, "250", 250)
    machine.push(C, "10", 10)
    assert machine.running == ["800", "10"]
    machine.finish("800")
    assert machine.running == ["10", "250"]


def test_a_small_job_waits_for_no_more_than_the_small_jobs_that_run() -> None:
    machine = Machine(slots=4)
    machine.push(A, "960", 960)
    machine.push(A, "40", 40)
    machine.push(B, "64", 64)
    machine.push(A, "20", 20)
    assert machine.running == ["960", "40"]
    machine.finish("40")
    assert machine.running == ["960", "64"]
