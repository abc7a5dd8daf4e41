"""Which work runs next: payers share the slots by the seconds they use, within a budget of memory. Pure."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

SECONDS_PER_PIXEL = 5e-9
"""What a pixel is taken to cost until the work is done and its seconds are known: a JPEG of 20 megapixels
takes about 0.1 s on a slow core."""
LIGHT = 64 * 1024**2
"""Bytes that work takes unless its estimate says otherwise; so much is kept free of heavy work."""
HEAVY = 256 * 1024**2
"""Bytes above which work is heavy: a JPEG of 24 megapixels takes less."""
BUDGET = 1024**3
"""Bytes for all work that runs, unless told otherwise."""
MAX_PAYERS = 10_000
"""Payers whose use is remembered while they have no work here."""

J = TypeVar("J", bound=Hashable)


class AddressPayer(Struct, frozen=True):
    """A client without a token, known by its address; a network of one customer counts as one."""

    address: str


class WorkEstimate(Struct, frozen=True):
    """Work on pixels: who pays for it, and what it is taken to cost.

    Attributes:
        payer: the account (its UUID), or the address (an AddressPayer) of a client that showed no token and
            no signature.
        pixels: read and made, about.
        memory: bytes at its peak.
        costly: whether its format takes long for its pixels.
    """

    payer: Hashable
    pixels: int
    memory: int = LIGHT
    costly: bool = False

    def seconds(self) -> float:
        """What it is taken to cost; never nothing, so that taking a slot always counts."""
        return max(1, self.pixels) * SECONDS_PER_PIXEL


class _Flow(Struct, frozen=True):
    """A payer's heavy work, or the rest of it."""

    payer: Hashable
    heavy: bool


class FairQueue(Generic[J]):
    """A bounded queue of jobs that wait for a slot and for memory, each paid by somebody.

    Start-time fair queuing (Goyal, Vin, Cheng 1996), with measured costs: a payer's tag counts the seconds
    of slots that it has used; the next job is of the payer with the lowest tag, where what runs counts as
    estimated. A payer that comes, or comes back, begins no lower than the lowest tag of those that waited at
    the last turn: having been away earns no credit, and what it used while others waited is not forgotten.
    A payer's heavy work (costly, or more memory than HEAVY or a slot's part of the budget) waits in a line of
    its own; in a line the oldest is first.

    What always holds:
        - No more jobs run than there are slots, and they take no more memory than the budget.
        - Of several slots one is never taken by heavy work, nor by a single address, and heavy work leaves
          LIGHT bytes of the budget free.
        - A flood of one payer delays the single light job of another by the jobs that run and one more at
          most, as long as the memory for it is there.
        - Heavy work whose turn it is and that doesn't fit yet is not overtaken by other heavy work, nor by
          light work that would take the memory it waits for.
        - A line that was passed over as often as the queue could be filled twice is next, whatever its tag;
          among such lines the one that waits longest is first. So nobody starves, however many others come.
        - When the queue is full, the newest job of the longest line has to go. Of addresses that is, while
          they have more than half of the queue together: they can't keep accounts out.

    Args:
        slots: jobs that may run at once.
        room: jobs that may wait besides.
        budget: bytes for all jobs that run.
    """

    def __init__(self, slots: int, room: int, budget: int = BUDGET) -> None:
        self._slots = slots
        self._room = room
        self._budget = budget
        self._most_alike = max(1, slots - 1)
        part = budget // slots
        self._heavy_above = min(HEAVY, part)
        self._reserve = min(LIGHT, part)
        self._heavy_budget = budget - (self._reserve if slots > 1 else 0)
        self._lines: dict[_Flow, dict[J, WorkEstimate]] = {}
        self._lines_of: dict[J, list[_Flow]] = {}
        self._running: dict[J, WorkEstimate] = {}
        self._used: dict[Hashable, float] = {}
        self._served: dict[_Flow, int] = {}
        self._turn = 0
        self._floor = 0.0

    def __len__(self) -> int:
        """How many jobs wait."""
        return len(self._lines_of)

    @property
    def max_memory(self) -> int:
        """Bytes that a job can have, when nothing else runs."""
        return self._heavy_budget

    def can_ever_run(self, estimate: WorkEstimate) -> bool:
        """Whether the work fits into the budget when nothing else runs."""
        return estimate.memory <= self._most(estimate)

    def push(self, job: J, estimate: WorkEstimate) -> J | None:
        """Put a job at the end of its payer's line; answers the job that has to leave for it, if any.

        A job that waits already then waits in the lines of both payers, and goes with the first.
        """
        line = _Flow(estimate.payer, self._is_heavy(estimate))
        if not self._waits(estimate.payer):
            self._used[estimate.payer] = max(self._floor, self._used.get(estimate.payer, 0.0))
        self._served.setdefault(line, self._turn)
        self._lines.setdefault(line, {}).setdefault(job, estimate)
        lines = self._lines_of.setdefault(job, [])
        if line not in lines:
            lines.append(line)
        if self._size(self._lines) <= self._room + self._slots - len(self._running):
            return None
        return self._shed(line)

    def remove(self, job: J) -> None:
        """Take a job out of the queue, if it still waits there."""
        for line in self._lines_of.pop(job, ()):
            del self._lines[line][job]
            self._close_if_empty(line)

    def pop(self) -> J | None:
        """The job whose turn it is, which runs from now on; None if nobody can run now."""
        if not self._lines or len(self._running) >= self._slots:
            return None
        self._floor = max(self._floor, min(self._used[line.payer] for line in self._lines))
        before: WorkEstimate | None = None
        for line in sorted(self._lines, key=self._rank):
            job, estimate = next(iter(self._lines[line].items()))
            if self._is_capped(line):
                continue
            if self._fits(estimate, before):
                self._start(job, estimate, line)
                return job
            if before is None and (line.heavy or estimate.memory <= self._reserve):
                before = estimate
        return None

    def finish(self, job: J, seconds: float) -> Hashable:
        """A job that ran is over, and held its slot for so many seconds; answers who pays for them."""
        payer = self._running.pop(job).payer
        self._used[payer] += seconds
        self._forget()
        return payer

    def _is_heavy(self, estimate: WorkEstimate) -> bool:
        return estimate.costly or estimate.memory > self._heavy_above

    def _is_capped(self, line: _Flow) -> bool:
        """Whether as much as may run at once of this line's kind, or of its address, does."""
        if line.heavy and len(self._heavy_memory()) >= self._most_alike:
            return True
        of_payer = sum(estimate.payer == line.payer for estimate in self._running.values())
        return isinstance(line.payer, AddressPayer) and of_payer >= self._most_alike

    def _fits(self, estimate: WorkEstimate, before: WorkEstimate | None) -> bool:
        """Whether there is memory for the work, which may not take what other work before it waits for."""
        heavy_memory = sum(self._heavy_memory())
        left = self._budget - sum(each.memory for each in self._running.values())
        if self._is_heavy(estimate):
            left = min(left, self._heavy_budget - heavy_memory)
        if before is not None:
            if self._is_heavy(estimate):
                return False
            if heavy_memory + before.memory <= self._most(before):
                # Only light work stands in its way. Behind other heavy work it has to wait anyway.
                left -= before.memory
        return estimate.memory <= left

    def _most(self, estimate: WorkEstimate) -> int:
        """Bytes that the work may take together with all that is heavy."""
        return self._heavy_budget if self._is_heavy(estimate) else self._budget

    def _heavy_memory(self) -> list[int]:
        """The bytes of each heavy job that runs."""
        return [each.memory for each in self._running.values() if self._is_heavy(each)]

    def _start(self, job: J, estimate: WorkEstimate, line: _Flow) -> None:
        self._running[job] = estimate
        self._turn += 1
        self._served[line] = self._turn
        self.remove(job)

    def _rank(self, line: _Flow) -> tuple[bool, float]:
        """Lines are served by rank: those passed over for too long, then by their payers' tags."""
        served = self._served[line]
        if self._turn - served >= 2 * (self._room + self._slots):
            return False, served
        running = (each.seconds() for each in self._running.values() if each.payer == line.payer)
        return True, self._used[line.payer] + sum(running)

    def _shed(self, newcomer: _Flow) -> J | None:
        """Take the newest job of the longest line out of it; answers it if it waits nowhere else."""
        addresses = [line for line in self._lines if isinstance(line.payer, AddressPayer)]
        among = addresses if 2 * self._size(addresses) > self._size(self._lines) else self._lines
        longest = max(among, key=lambda line: (len(self._lines[line]), line == newcomer))
        job, _ = self._lines[longest].popitem()
        self._lines_of[job].remove(longest)
        self._close_if_empty(longest)
        if self._lines_of[job]:
            return None
        del self._lines_of[job]
        return job

    def _size(self, lines: Iterable[_Flow]) -> int:
        return sum(len(self._lines[line]) for line in lines)

    def _waits(self, payer: Hashable) -> bool:
        return _Flow(payer, heavy=False) in self._lines or _Flow(payer, heavy=True) in self._lines

    def _close_if_empty(self, line: _Flow) -> None:
        if not self._lines[line]:
            del self._lines[line]
            del self._served[line]
            self._forget()

    def _forget(self) -> None:
        """Drop the tags that say nothing any more: all if nobody is there, else those below the floor."""
        if not self._lines and not self._running:
            self._used.clear()
            self._floor = 0.0
            return
        active = {line.payer for line in self._lines} | {each.payer for each in self._running.values()}
        away = self._used.keys() - active
        too_many = len(away) > MAX_PAYERS
        for payer in away:
            if too_many or self._used[payer] <= self._floor:
                del self._used[payer]
