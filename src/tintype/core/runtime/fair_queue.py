"""A fair queue: payers share the slots by the seconds they use, within a memory budget. Pure."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

SECONDS_PER_PIXEL = 5e-9
"""The estimate per pixel, until the work is done and its seconds are measured: a JPEG of 20 megapixels takes
about 0.1 s on a slow core."""
LIGHT = 64 * 1024**2
"""Bytes of memory that work takes unless estimated otherwise; heavy work always leaves so much free."""
HEAVY = 256 * 1024**2
"""Bytes above which work is heavy: a JPEG of 24 megapixels takes less."""
BUDGET = 1024**3
"""The default memory budget, in bytes, of all running work."""
MAX_PAYERS = 10_000
"""Payers whose tags are kept while they have no work here."""

J = TypeVar("J", bound=Hashable)


class AddressPayer(Struct, frozen=True):
    """A client without a token, by its address; addresses of one customer's network count as one."""

    address: str


class WorkEstimate(Struct, frozen=True):
    """Work on pixels: who pays for it, and its estimated cost.

    Attributes:
        payer: the account (its UUID), or the address (an AddressPayer) of a client that showed no token and
            no signature.
        pixels: decoded and encoded, approximately.
        memory: bytes, at its peak.
        costly: whether its format is slow for its number of pixels.
        deadline: until when it may wait for a slot, however often it needs one, in terms of
            `time.monotonic`; None: not decided yet.
    """

    payer: Hashable
    pixels: int
    memory: int = LIGHT
    costly: bool = False
    deadline: float | None = None

    def seconds(self) -> float:
        """The estimated seconds; never 0, so that taking a slot always counts."""
        return max(1, self.pixels) * SECONDS_PER_PIXEL


class _Flow(Struct, frozen=True):
    """The heavy jobs of a payer, or its light ones."""

    payer: Hashable
    heavy: bool


class FairQueue(Generic[J]):
    """A bounded queue of jobs that wait for a slot and for memory, each charged to a payer.

    Start-time fair queuing (Goyal, Vin, Cheng 1996), with measured costs: a payer's tag counts the seconds
    of slots that it has used; the next job is of the payer with the lowest tag, to which running jobs add
    their estimates. A payer that arrives, or returns, starts no lower than the lowest tag of those that
    waited at the last turn: absence earns no credit, and usage while others waited still counts.
    A payer's heavy work (costly, or more memory than HEAVY or a slot's share of the budget) waits in a flow
    of its own; a flow is first in, first out.

    What always holds:
        - No more jobs run than there are slots, and their memory stays within the budget.
        - If there are several slots, heavy work never takes all, nor does a single address, and heavy work
          leaves LIGHT bytes of the budget free.
        - A flood of one payer delays the single light job of another by the jobs that run and one more at
          most, as long as the memory for it is there.
        - Heavy work whose turn it is but that doesn't fit yet is not overtaken by other heavy work, nor by
          light work that would take the memory it waits for.
        - A flow that was passed over as often as would fill the queue twice is next, whatever its tag; of
          several such flows the one that has waited longest. So no flow starves, however many others come.
        - When the queue is full, the newest job of the longest flow is shed. While addresses together have
          more than half of the queue, it is the longest flow of an address: they can't displace accounts.

    Args:
        slots: jobs that may run at once.
        room: jobs that may wait.
        budget: bytes of memory for all running jobs.
    """

    def __init__(self, slots: int, room: int, budget: int = BUDGET) -> None:
        self._slots = slots
        self._room = room
        self._budget = budget
        self._max_per_kind = max(1, slots - 1)
        share = budget // slots
        self._heavy_above = min(HEAVY, share)
        self._reserve = min(LIGHT, share)
        self._heavy_budget = budget - (self._reserve if slots > 1 else 0)
        self._flows: dict[_Flow, dict[J, WorkEstimate]] = {}
        self._flows_of: dict[J, list[_Flow]] = {}
        self._running: dict[J, WorkEstimate] = {}
        self._used: dict[Hashable, float] = {}
        self._last_turn: dict[_Flow, int] = {}
        self._turn = 0
        self._floor = 0.0

    def __len__(self) -> int:
        """How many jobs are waiting."""
        return len(self._flows_of)

    @property
    def max_memory(self) -> int:
        """Bytes of memory that a job can have when no other runs."""
        return self._heavy_budget

    def can_ever_run(self, estimate: WorkEstimate) -> bool:
        """Whether the work fits into the budget when no other runs."""
        return estimate.memory <= self._memory_limit(estimate)

    def push(self, job: J, estimate: WorkEstimate) -> J | None:
        """Append a job to its payer's flow; return the job that is shed for it, if any.

        A job that is waiting already then waits in the flows of both payers, and starts with the first.
        """
        flow = _Flow(estimate.payer, self._is_heavy(estimate))
        self._used[estimate.payer] = max(self._floor, self._used.get(estimate.payer, 0.0))
        self._last_turn.setdefault(flow, self._turn)
        self._flows.setdefault(flow, {}).setdefault(job, estimate)
        flows = self._flows_of.setdefault(job, [])
        if flow not in flows:
            flows.append(flow)
        if self._size(self._flows) <= self._room + self._slots - len(self._running):
            return None
        return self._shed(flow)

    def remove(self, job: J) -> None:
        """Remove a job that is waiting, if it is."""
        for flow in self._flows_of.pop(job, ()):
            del self._flows[flow][job]
            self._close_if_empty(flow)

    def pop(self) -> J | None:
        """The job whose turn it is, which counts as running from now on; None if none can run now."""
        if not self._flows or len(self._running) >= self._slots:
            return None
        self._floor = max(self._floor, min(self._used[flow.payer] for flow in self._flows))
        blocked: WorkEstimate | None = None
        for flow in sorted(self._flows, key=self._rank):
            job, estimate = next(iter(self._flows[flow].items()))
            if self._is_capped(flow):
                continue
            if self._fits(estimate, blocked):
                self._start(job, estimate, flow)
                return job
            if blocked is None and (flow.heavy or estimate.memory <= self._reserve):
                blocked = estimate
        return None

    def finish(self, job: J, seconds: float) -> Hashable:
        """End a running job that held its slot for so many seconds; return the payer who is charged."""
        payer = self._running.pop(job).payer
        self._used[payer] += seconds
        self._drop_stale_tags()
        return payer

    def _is_heavy(self, estimate: WorkEstimate) -> bool:
        return estimate.costly or estimate.memory > self._heavy_above

    def _is_capped(self, flow: _Flow) -> bool:
        """Whether as many jobs run as may at once of heavy work, or of the flow's address."""
        if flow.heavy and len(self._heavy_memory()) >= self._max_per_kind:
            return True
        of_payer = sum(estimate.payer == flow.payer for estimate in self._running.values())
        return isinstance(flow.payer, AddressPayer) and of_payer >= self._max_per_kind

    def _fits(self, estimate: WorkEstimate, blocked: WorkEstimate | None) -> bool:
        """Whether there is memory for the work besides what the `blocked` work ahead of it waits for."""
        heavy_memory = sum(self._heavy_memory())
        free = self._budget - sum(each.memory for each in self._running.values())
        if self._is_heavy(estimate):
            free = min(free, self._heavy_budget - heavy_memory)
        if blocked is not None:
            if self._is_heavy(estimate):
                return False
            if heavy_memory + blocked.memory <= self._memory_limit(blocked):
                # It waits for light work only. If it waits for heavy work, light work doesn't delay it.
                free -= blocked.memory
        return estimate.memory <= free

    def _memory_limit(self, estimate: WorkEstimate) -> int:
        """Bytes that the work may take together with all running heavy work."""
        return self._heavy_budget if self._is_heavy(estimate) else self._budget

    def _heavy_memory(self) -> list[int]:
        """The bytes of each running heavy job."""
        return [each.memory for each in self._running.values() if self._is_heavy(each)]

    def _start(self, job: J, estimate: WorkEstimate, flow: _Flow) -> None:
        self._running[job] = estimate
        self._turn += 1
        self._last_turn[flow] = self._turn
        self.remove(job)

    def _rank(self, flow: _Flow) -> tuple[bool, float]:
        """The order of flows: those passed over too often first, then by their payers' tags."""
        last_turn = self._last_turn[flow]
        if self._turn - last_turn >= 2 * (self._room + self._slots):
            return False, last_turn
        running = (each.seconds() for each in self._running.values() if each.payer == flow.payer)
        return True, self._used[flow.payer] + sum(running)

    def _shed(self, newest: _Flow) -> J | None:
        """Remove the newest job of the longest flow; return it if it waits in no other."""
        addresses = [flow for flow in self._flows if isinstance(flow.payer, AddressPayer)]
        candidates = addresses if 2 * self._size(addresses) > self._size(self._flows) else self._flows
        longest = max(candidates, key=lambda flow: (len(self._flows[flow]), flow == newest))
        job, _ = self._flows[longest].popitem()
        self._flows_of[job].remove(longest)
        self._close_if_empty(longest)
        if self._flows_of[job]:
            return None
        del self._flows_of[job]
        return job

    def _size(self, flows: Iterable[_Flow]) -> int:
        return sum(len(self._flows[flow]) for flow in flows)

    def _close_if_empty(self, flow: _Flow) -> None:
        if not self._flows[flow]:
            del self._flows[flow]
            del self._last_turn[flow]
            self._drop_stale_tags()

    def _drop_stale_tags(self) -> None:
        """Drop tags without effect: all if there are no jobs, else those of absent payers below the floor."""
        if not self._flows and not self._running:
            self._used.clear()
            self._floor = 0.0
            return
        active = {flow.payer for flow in self._flows} | {each.payer for each in self._running.values()}
        absent = self._used.keys() - active
        too_many = len(absent) > MAX_PAYERS
        for payer in absent:
            if too_many or self._used[payer] <= self._floor:
                del self._used[payer]
