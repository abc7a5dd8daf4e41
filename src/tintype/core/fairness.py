"""Whose turn it is: accounts share the slots by the seconds they use, not by how much they ask for. Pure."""

from collections import defaultdict
from collections.abc import Hashable
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct

SECONDS_PER_PIXEL = 5e-9
"""What a pixel is taken to cost until the work is done and its seconds are known: a JPEG of 20 megapixels
takes about 0.1 s on a slow core."""

J = TypeVar("J", bound=Hashable)


class Load(Struct, frozen=True):
    """Work for an account, about as much as `pixels` pixels, read and made, are."""

    account: UUID
    pixels: int

    def seconds(self) -> float:
        """What it is taken to cost; never nothing, so that taking a slot always counts."""
        return max(1, self.pixels) * SECONDS_PER_PIXEL


class Turns(Generic[J]):
    """A bounded queue of jobs that wait for a slot, each its account's.

    Start-time fair queuing (Goyal, Vin, Cheng 1996), with measured costs: an account's tag counts the
    seconds of slots that it has used; the next turn is of the account with the lowest tag, where what
    runs counts as estimated. Among its own jobs the oldest is first. An account that comes, or comes
    back, begins no lower than the lowest tag of those that waited at the last turn: having been away earns
    no credit, and what it used while others waited is not forgotten.

    So a flood of one account delays the single job of another by the jobs that run and one more at most.

    Args:
        slots: jobs that may run at once.
        room: jobs that may wait besides.
    """

    def __init__(self, slots: int, room: int) -> None:
        self._slots = slots
        self._room = room
        self._waiting: defaultdict[UUID, dict[J, Load]] = defaultdict(dict)
        self._running: dict[J, Load] = {}
        self._used: dict[UUID, float] = {}
        self._floor = 0.0
        self._size = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._size

    def join(self, job: J, load: Load) -> J | None:
        """Put a job at the end of its account's line; answers the job that has to leave for it, if any.

        When the queue is full, that is the newest job of the account with the most waiting, and the new one
        itself unless another account has more: a flood only ever crowds out itself.
        """
        if load.account not in self._waiting:
            self._used[load.account] = max(self._floor, self._used.get(load.account, 0.0))
        self._waiting[load.account][job] = load
        self._size += 1
        if self._size <= self._room + self._slots - len(self._running):
            return None
        longest = max(
            self._waiting, key=lambda account: (len(self._waiting[account]), account == load.account)
        )
        crowded_out = next(reversed(self._waiting[longest]))
        self._remove(crowded_out, longest)
        return crowded_out

    def leave(self, job: J, load: Load) -> None:
        """Take a job out of the queue, if it still waits there."""
        if job in self._waiting.get(load.account, ()):
            self._remove(job, load.account)

    def take(self) -> J | None:
        """The job whose turn it is, which runs from now on; None if no slot is free or nobody waits."""
        if not self._waiting or len(self._running) >= self._slots:
            return None
        self._floor = max(self._floor, min(self._used[account] for account in self._waiting))
        account = min(self._waiting, key=self._tag)
        job = next(iter(self._waiting[account]))
        self._running[job] = self._waiting[account][job]
        self._remove(job, account)
        return job

    def done(self, job: J, seconds: float) -> None:
        """A job that ran is over, and held its slot for so many seconds."""
        account = self._running.pop(job).account
        self._used[account] += seconds
        self._forget()

    def _tag(self, account: UUID) -> float:
        running = (load.seconds() for load in self._running.values() if load.account == account)
        return self._used[account] + sum(running)

    def _remove(self, job: J, account: UUID) -> None:
        del self._waiting[account][job]
        self._size -= 1
        if not self._waiting[account]:
            del self._waiting[account]
            self._forget()

    def _forget(self) -> None:
        """Drop the tags that say nothing any more: all if nobody is there, else those below the floor."""
        if not self._waiting and not self._running:
            self._used.clear()
            self._floor = 0.0
            return
        active = self._waiting.keys() | {load.account for load in self._running.values()}
        for account in self._used.keys() - active:
            if self._used[account] <= self._floor:
                del self._used[account]
