"""`tintype gc` beside clients that upload and delete the very bytes that it finds unused."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import httpx

from tests import pictures
from tests.cli.calling import call, library, run
from tests.running import Running, make_token

ROUNDS = 25
PICTURES = [pictures.png(20, 16, seed=seed) for seed in range(3)]
BESIDES = 60
"""Images that nobody touches: what is unused is never more than a tenth of all."""


def plant(data: Path, picture: bytes) -> None:
    """Bytes without a record, as a crash leaves them; what is there stays."""
    sha256 = hashlib.sha256(picture).hexdigest()
    path = data / "originals" / sha256[:2] / sha256
    path.parent.mkdir(exist_ok=True)
    draft = data / f"planted-{sha256}"
    draft.write_bytes(picture)
    if not path.exists():
        draft.rename(path)


class Client(threading.Thread):
    """Uploads one picture again and again, looks whether it opens, and deletes it."""

    def __init__(self, base_url: str, token: str, picture: bytes) -> None:
        super().__init__()
        self.stop = threading.Event()
        self.rounds = 0
        self.wrong: list[str] = []
        self._picture = picture
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=60)

    def run(self) -> None:
        with self._client as client:
            while not self.stop.is_set():
                answer = client.post("/v1/images", content=self._picture)
                self._expect(answer, 201)
                opened = client.get(answer.json()["url"])
                self._expect(opened, 200)
                if opened.content != self._picture:
                    self.wrong.append("other bytes")
                self._expect(client.delete(f"/v1/images/{answer.json()['id']}"), 204)
                self.rounds += 1

    def _expect(self, answer: httpx.Response, status: int) -> None:
        if answer.status_code != status:
            self.wrong.append(f"{answer.request.method} {answer.status_code} {answer.text[:200]}")


def test_nothing_that_an_image_needs_is_ever_taken(serve: Callable[..., Running], tmp_path: Path) -> None:
    data = library(tmp_path / "library")
    source = tmp_path / "source"
    source.mkdir()
    for seed in range(BESIDES):
        (source / f"{seed}.png").write_bytes(pictures.png(8, 6, seed=1000 + seed))
    run(data, "import", str(source))
    service = serve(data)
    clients = [Client(service.base_url, make_token(data, "native"), picture) for picture in PICTURES]
    for client in clients:
        client.start()
    set_aside = 0
    for _ in range(ROUNDS):
        for picture in PICTURES:
            plant(data, picture)
        result = call(data, "gc")
        assert result.exit_code == 0, result.output
        set_aside += int(result.stdout.split()[2])
    for client in clients:
        client.stop.set()
    for client in clients:
        client.join()
    assert [client.wrong for client in clients] == [[]] * len(clients)
    assert all(client.rounds > 1 for client in clients)
    assert set_aside > 0
    found = call(data, "check", "--deep").stdout
    assert not {"missing", "damaged"} & set(found.split())
