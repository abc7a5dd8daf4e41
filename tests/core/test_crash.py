"""A service that is killed in the middle keeps every image it has acknowledged, and no half ones."""

import hashlib
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import httpx

from tests import pictures
from tests.cli.calling import call, library, run
from tests.cli.killing import killable

UPLOADERS = 4
KILLS = 3


class Uploaders:
    """Clients that upload one picture after the other until the service is gone."""

    def __init__(self, base_url: str, token: str, seed: int) -> None:
        self.acknowledged: dict[str, str] = {}
        """Digests by id."""
        self.other_answers: list[str] = []
        self._enough = threading.Semaphore(0)
        self._base_url, self._token, self._seed = base_url, token, seed
        self._threads = [threading.Thread(target=self._upload, args=(each,)) for each in range(UPLOADERS)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Until so many were acknowledged, by all together."""
        for _ in range(count):
            assert self._enough.acquire(timeout=60)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _upload(self, which: int) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "image/png"}
        with httpx.Client(base_url=self._base_url, headers=headers) as client:
            for turn in range(10_000):
                data = pictures.png(40, 30, seed=self._seed * 1_000_000 + which * 10_000 + turn)
                try:
                    answer = client.post("/v1/images", content=data)
                except httpx.TransportError:
                    return
                if answer.status_code != 201:
                    self.other_answers.append(answer.text)
                    return
                self.acknowledged[answer.json()["id"]] = hashlib.sha256(data).hexdigest()
                self._enough.release()


def delivered(base_url: str, token: str, images: dict[str, str]) -> dict[str, str]:
    """The digests of what the links to these images deliver."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base_url, headers=headers) as client:
        urls = {id: client.get(f"/v1/images/{id}").json()["url"] for id in images}
        return {id: hashlib.sha256(client.get(url).content).hexdigest() for id, url in urls.items()}


def test_every_acknowledged_image_survives_and_nothing_is_half_there(tmp_path: Path) -> None:
    data = library(tmp_path / "library")
    token = run(data, "token", "create", "--dialect", "native").strip()
    acknowledged: dict[str, str] = {}
    for round_ in range(KILLS + 1):
        with killable(data, "serve", "--port", "0", "--workers", "2") as service:
            base_url = service.ready()
            assert delivered(base_url, token, acknowledged) == acknowledged
            if round_ < KILLS:
                uploaders = Uploaders(base_url, token, round_)
                uploaders.wait_for(10 + 7 * round_)
                service.kill()
                uploaders.join()
                assert uploaders.other_answers == [], service.lines[-20:]
                acknowledged |= uploaders.acknowledged
        found = call(data, "check", "--deep").stdout
        assert "missing" not in found
        assert "damaged" not in found

    for left_over in (data / "incoming").iterdir():
        os.utime(left_over, (0, 0))  # a day and more ago
    execute(data / "catalogue.sqlite3", "UPDATE leases SET expires_at = 0")
    run(data, "gc")
    assert list((data / "incoming").iterdir()) == []
    run(data, "check", "--deep")
    recorded = {sha256 for (sha256,) in execute(data / "catalogue.sqlite3", "SELECT sha256 FROM images")}
    assert recorded >= set(acknowledged.values())
    assert {path.name for path in (data / "originals").glob("??/*")} == recorded


def execute(catalogue: Path, sql: str) -> list[tuple[str]]:
    with closing(sqlite3.connect(catalogue, isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()
