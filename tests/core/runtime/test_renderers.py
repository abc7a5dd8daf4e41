"""Work on renderers: asked again with more memory, but not for ever; what isn't there is no error of ours."""

from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.runtime.workers import Workers, WorkerSettings
from tintype.imaging.sandbox.pool import NeedsMemory, StartError
from tintype.model import Error, Kind

WORK = WorkEstimate(uuid4(), 1_000_000)


async def test_work_is_asked_again_with_what_it_needs_and_then_with_all_there_is() -> None:
    workers, given = Workers(WorkerSettings(), 2), []

    def work(memory: int) -> int:
        given.append(memory)
        if memory < workers.max_memory:
            raise NeedsMemory(memory + 1)
        return memory

    assert await decode(workers, WORK, work) == workers.max_memory
    assert given == [WORK.memory, WORK.memory + 1, workers.max_memory]
    await workers.close()


async def test_when_no_renderer_can_be_started_the_service_is_busy() -> None:
    workers = Workers(WorkerSettings(), 1)

    def work(_: int) -> None:
        raise StartError("Cannot allocate memory")

    with capture_logs() as logs, pytest.raises(Error) as caught:
        await decode(workers, WORK, work)
    assert caught.value.kind is Kind.OVERLOADED
    assert caught.value.retry_after
    assert [(each["event"], each["reason"]) for each in logs] == [
        ("renderer-start-failed", "Cannot allocate memory")
    ]
    await workers.close()
