"""Where no more files can be opened, clients are told to come again, and not that the disk is full."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests import pictures
from tests.running import Running

STANDARD_STREAMS = 3


@contextmanager
def no_more_files(service: Running) -> Iterator[None]:
    """The workers of the service can open no file; what is open stays."""
    pid = service.process.pid
    pids = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    before = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (STANDARD_STREAMS, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def test_no_more_open_files_are_told_as_busy_and_not_as_a_full_disk(serve: Callable[..., Running]) -> None:
    service = serve()
    token = {"Authorization": f"Bearer {service.token('native')}"}
    with httpx.Client(base_url=service.base_url, headers=token, timeout=60) as client:
        image = client.post("/v1/images", content=pictures.png(64, 48)).raise_for_status().json()["id"]
        asked = {"links": [{"image": image, "width": 32}]}
        link = client.post("/v1/links", json=asked).raise_for_status().json()["links"][0]["url"]
        with no_more_files(service):
            refused = [client.get(link), client.post("/v1/images", content=pictures.png(seed=1))]
        for answer in refused:
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:tintype:error:overloaded")
            assert int(answer.headers["retry-after"]) > 0
        assert client.get(link).status_code == 200
        assert client.post("/v1/images", content=pictures.png(seed=1)).status_code == 201
