"""Clients that disconnect before their response: nothing is sent to them, and the log says so."""

import os
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests import pictures
from tests.running import TINTYPE, Running, make_token
from tests.service_log import LONG, announced, entries
from tests.waiting import until
from tests.web.counting import counted
from tintype.storage.rendition_locks import RenditionLocks


@pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR])
def test_a_client_that_is_gone_is_logged_as_499_and_gets_nothing(tmp_path: Path, how: int) -> None:
    data, log_path = tmp_path / "library", tmp_path / "log"
    headers = {"Authorization": f"Bearer {make_token(data, 'native')}"}
    env = {**os.environ, "TINTYPE_WEB_METRICS": "true", "TINTYPE_DELIVERY_MEMORY_BYTES": "0"}
    command = [TINTYPE, "serve", "--data", str(data), "--port", "0"]
    with log_path.open("a") as file, subprocess.Popen(command, stderr=file, env=env, text=True) as process:
        try:
            base_url = announced(log_path)
            with httpx.Client(base_url=base_url, headers=headers) as client:
                image = client.post("/v1/images", content=pictures.png(64, 48)).json()["id"]
                item = {"image": image, "width": 20}
                link = client.post("/v1/links", json={"links": [item]}).json()["links"][0]["url"]
                client.get(link).raise_for_status()
            (rendition,) = (data / "renditions").glob("*/*/*.png")
            key = str(rendition.relative_to(data / "renditions"))
            rendition.unlink()
            # To the service we are another process that makes it, and so it waits for us.
            with RenditionLocks(data / "renditions" / ".locks").hold(key):
                got = received(Running(base_url, data, process), link.removeprefix(base_url), how)
                until(lambda: bool(logged(log_path, 499)))
        finally:
            process.terminate()
    assert got == b""
    (line,) = logged(log_path, 499)
    assert (line["method"], line["path"]) == ("GET", urlsplit(link).path)
    events = {each["event"] for each in entries(log_path.read_text()) if each["level"] != "info"}
    assert events <= {"runs-as-root"}


def received(service: Running, path: str, how: int) -> bytes:
    """What a client gets that disconnects while its picture is waited for."""
    address = urlsplit(service.base_url)
    before = counted(service)["pixel_seconds_total"]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=LONG) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: counted(service)["pixel_seconds_total"] > before)
        connection.shutdown(how)
        return connection.recv(1024)


def logged(log_path: Path, status: int) -> list[dict[str, object]]:
    """The lines of requests with this status."""
    return [each for each in entries(log_path.read_text()) if each.get("status") == status]
