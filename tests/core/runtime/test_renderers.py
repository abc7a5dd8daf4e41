"""Work on renderers: asked again with more memory, but not for ever; what isn't there is no error of ours."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tests.core.following import until
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.runtime.settings import WorkerSettings
from tintype.core.runtime.workers import Workers
from tintype.imaging.sandbox.pool import Allowance, KilledError, NeedsMemory, StartError
from tintype.model import Overloaded

P = ParamSpec("P")
R = TypeVar("R")

WORK = WorkEstimate(uuid4(), 1_000_000)


async def test_work_is_asked_again_with_what_it_needs_and_then_with_all_there_is() -> None:
    workers, given = Workers(WorkerSettings(), 2), []

    def work(allowance: Allowance) -> int:
        given.append(allowance)
        if allowance.memory < workers.max_memory:
            raise NeedsMemory(allowance.memory + 1, allowance.seconds_used + 1.5)
        return allowance.memory

    assert await decode(workers, WORK, work) == workers.max_memory
    assert given == [
        Allowance(WORK.memory, 0.0),
        Allowance(WORK.memory + 1, 1.5),
        Allowance(workers.max_memory, 3.0),
    ]
    await workers.close()


class Deadlines(Workers):
    """Remembers until when all work on pixels waits for a slot."""

    def __init__(self, settings: WorkerSettings, slots: int) -> None:
        super().__init__(settings, slots)
        self.deadlines: list[float | None] = []

    async def pixels(
        self, estimate: WorkEstimate, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        self.deadlines.append(estimate.deadline)
        return await super().pixels(estimate, work, *args, **kwargs)


async def test_all_attempts_together_wait_as_long_as_one() -> None:
    workers = Deadlines(WorkerSettings(render_wait_seconds=0.2), 1)
    tried, is_queued, let_go = threading.Event(), threading.Event(), threading.Event()

    def occupy() -> None:
        assert let_go.wait(30)

    def work(_: Allowance) -> None:
        if not tried.is_set():
            tried.set()
            assert is_queued.wait(30)
            time.sleep(0.2)  # the work itself, which takes all the time that it might have waited
            raise NeedsMemory(WORK.memory + 1)

    task = asyncio.create_task(decode(workers, WORK, work))
    assert await asyncio.to_thread(tried.wait, 30)
    # It gets the slot between the two attempts.
    patient = WorkEstimate(uuid4(), 1, deadline=time.monotonic() + 60)
    occupied = asyncio.create_task(workers.pixels(patient, occupy))
    await until(workers.has_waiters)
    is_queued.set()
    with pytest.raises(Overloaded):
        await task
    first, *others = (each for each in workers.deadlines if each != patient.deadline)
    assert first is not None
    assert others == [first]
    let_go.set()
    await occupied
    await workers.close()


async def test_when_a_renderer_is_killed_from_outside_the_service_is_busy() -> None:
    workers = Workers(WorkerSettings(), 1)

    def work(_: Allowance) -> None:
        raise KilledError("A renderer was killed.")

    with pytest.raises(Overloaded) as caught:
        await decode(workers, WORK, work)
    assert caught.value.retry_after
    await workers.close()


async def test_when_no_renderer_can_be_started_the_service_is_busy() -> None:
    workers = Workers(WorkerSettings(), 1)

    def work(_: Allowance) -> None:
        raise StartError("Cannot allocate memory")

    with capture_logs() as logs, pytest.raises(Overloaded) as caught:
        await decode(workers, WORK, work)
    assert caught.value.retry_after
    assert [(each["event"], each["reason"]) for each in logs] == [
        ("renderer-start-failed", "Cannot allocate memory")
    ]
    await workers.close()
