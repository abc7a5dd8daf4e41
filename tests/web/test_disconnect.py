"""Clients that disconnect before their response: nothing is sent to them, and the log says so."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests import pictures
from tests.cli.calling import library
from tests.cli.killing import Killable, killable, log
from tests.running import Running
from tests.service_log import LONG
from tests.waiting import until
from tests.web.counting import counted, links
from tintype.storage.rendition_locks import RenditionLocks


@pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR])
def test_a_client_that_is_gone_is_logged_as_499_and_gets_nothing(tmp_path: Path, how: int) -> None:
    data = library(tmp_path / "library")
    settings = {"TINTYPE_WEB_METRICS": "true", "TINTYPE_DELIVERY_MEMORY_BYTES": "0"}
    with killable(data, "serve", "--port", "0", **settings) as process:
        service = Running(process.ready(), data, process.process)
        (link,) = links(service, pictures.png(64, 48), {"width": 20})
        httpx.get(link).raise_for_status()
        (rendition,) = (data / "renditions").glob("*/*/*.png")
        key = str(rendition.relative_to(data / "renditions"))
        rendition.unlink()
        # To the service we are another process that makes it, and so it waits for us.
        with RenditionLocks(data / "renditions" / ".locks").hold(key):
            got = received(service, link.removeprefix(service.base_url), how)
            until(lambda: bool(logged(process, 499)))
        process.process.terminate()
        process.join()
    assert got == b""
    (line,) = logged(process, 499)
    assert (line["method"], line["path"]) == ("GET", urlsplit(link).path)
    assert {each["event"] for each in log(process) if each["level"] != "info"} <= {"runs-as-root"}


def received(service: Running, path: str, how: int) -> bytes:
    """What a client gets that disconnects while its picture is waited for."""
    address = urlsplit(service.base_url)
    before = counted(service)["pixel_seconds_total"]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=LONG) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: counted(service)["pixel_seconds_total"] > before)
        connection.shutdown(how)
        return connection.recv(1024)


def logged(service: Killable, status: int) -> list[dict[str, object]]:
    """The lines of requests with this status."""
    return [each for each in log(service) if each.get("status") == status]
