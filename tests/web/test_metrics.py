"""What a service has counted, told to who is let at it."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client import Counter, Gauge

from tests import pictures
from tests.cli.killing import killable, workers_of
from tests.running import Running, run_cli, running
from tests.waiting import until
from tests.web.counting import counted, links, widths
from tintype.core.runtime.counters import Counters


def test_nobody_is_told_unless_it_is_switched_on(anyone: httpx.Client) -> None:
    assert anyone.get("/metrics").status_code == 404


def test_all_that_is_counted_is_told(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_METRICS="true")
    answer = httpx.get(f"{service.base_url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    declared: dict[str, Counter | Gauge] = vars(Counters())
    names = {sample.name for metric in declared.values() for sample in next(iter(metric.collect())).samples}
    counts = counted(service)
    assert counts == {name.removeprefix("tintype_"): 0 for name in names if not name.endswith("_created")}
    for line in ("# TYPE tintype_work_waiting gauge", "# TYPE tintype_renditions_made_total counter"):
        assert line in answer.text
    assert "# HELP tintype_renditions_made_total Renditions made.\n" in answer.text


def test_any_worker_process_tells_the_sums_of_all(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_METRICS="true", TINTYPE_WEB_WORKERS="2")
    # The kernel gives each of the connections to either process.
    render(service, range(10, 26))
    assert {counted(service)["renditions_made_total"] for _ in range(16)} == {16}


def test_counters_go_on_after_a_worker_process_has_crashed(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_METRICS="true")
    (crashing,) = workers_of(service.process.pid)
    render(service, range(10, 12))
    files = metrics_files(crashing)
    os.kill(crashing, signal.SIGKILL)
    until(lambda: crashing not in workers_of(service.process.pid) and is_ready(service))
    render(service, range(20, 23))
    assert counted(service)["renditions_made_total"] == 2 + 3
    (folder,) = {file.parent for file in files}
    # There are no more of them: a worker that crashes again and again fills no memory.
    assert files == set(folder.iterdir())
    service.process.terminate()
    service.process.wait(30)
    assert not folder.exists()


def test_a_folder_for_metrics_in_the_environment_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "another program's"
    folder.mkdir()
    for given in (folder, tmp_path / "missing"):
        run_cli(tmp_path / "library", "init", env={"PROMETHEUS_MULTIPROC_DIR": str(given)})
        run_cli(tmp_path / "library", "token", "list", env={"PROMETHEUS_MULTIPROC_DIR": str(given)})
    assert list(folder.iterdir()) == []


def test_what_a_killed_service_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left, other = tmp_path / "left", tmp_path / "other"
    with killable(left, "serve", "--port", "0", TINTYPE_WEB_METRICS="true") as service:
        service.ready()
        (folder,) = {file.parent for file in metrics_files(workers_of(service.process.pid)[0])}
        os.utime(folder, (0, 0))
        with running(other, "serve", {"TINTYPE_WEB_METRICS": "true"}):
            assert folder.exists(), "it is in use, however old it is"
        service.kill()
    assert folder.exists()
    with running(other, "serve", {"TINTYPE_WEB_METRICS": "true"}):
        assert not folder.exists()


def render(service: Running, sides: range) -> None:
    """Make a rendition of each width, each over a connection of its own."""
    for link in links(service, pictures.png(64, 48), *widths(sides)):
        httpx.get(link).raise_for_status()


def is_ready(service: Running) -> bool:
    try:
        return httpx.get(f"{service.base_url}/readyz").is_success
    except httpx.TransportError:
        return False


def metrics_files(process: int) -> set[Path]:
    """The files of metrics that a process has mapped into memory."""
    maps = Path(f"/proc/{process}/maps").read_text()
    return {Path(path) for path in re.findall(r"/\S*/tintype-metrics-\S*", maps)}
