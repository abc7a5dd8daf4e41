"""What a process has counted, told to who is let at it."""

from collections.abc import Callable
from dataclasses import fields

import httpx

from tests.running import Running
from tests.web.counting import counted
from tintype.core.runtime.counters import Counters
from tintype.web.metrics import COUNTERS


def test_nobody_is_told_unless_it_is_switched_on(anyone: httpx.Client) -> None:
    assert anyone.get("/metrics").status_code == 404


def test_all_that_is_counted_is_told(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_METRICS="true")
    answer = httpx.get(f"{service.base_url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    told = counted(service)
    assert told == {f"{name}_total": 0 for name, _ in COUNTERS.values()} | {"work_waiting": 0}
    assert set(COUNTERS) == {field.name for field in fields(Counters)} | {"deferred_made", "deferred_dropped"}
