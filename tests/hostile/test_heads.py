"""Heads of requests: their protocol, their size, and what is remembered of them."""

from collections.abc import Callable
from contextlib import suppress

import httpx

from tests import pictures
from tests.hostile.connecting import PREFACE, answer, connect, head, status
from tests.hostile.measure import MEGABYTE, memory, resting, settles, watched
from tests.running import Running

CHROME = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"


def test_nobody_speaks_http_2(serve: Callable[..., Running]) -> None:
    with connect(serve().base_url) as connection:
        connection.sendall(PREFACE)
        assert answer(connection) == b""


def test_a_head_of_100_kb_is_refused_and_takes_no_memory(serve: Callable[..., Running]) -> None:
    service = serve()
    large = head("GET", "/healthz", "X-Large: " + "x" * 100_000)
    httpx.get(service.base_url + "/healthz")
    resting(service.process.pid)
    with watched(service.process.pid) as peak:
        connections = [connect(service.base_url) for _ in range(100)]
        for connection in connections:
            # It may be refused before all of it is sent.
            with suppress(ConnectionError):
                connection.sendall(large)
        statuses = {status(answer(connection)) for connection in connections}
        for connection in connections:
            connection.close()
    # The reset that ends a refused connection may overtake the answer.
    assert statuses <= {431, 0}
    assert peak.growth < 15 * MEGABYTE
    whole = head("GET", "/healthz", "X-Large: " + "x" * 30_000, "Connection: close")
    with connect(service.base_url) as connection:
        connection.sendall(whole)
        assert status(answer(connection)) == 200


def test_a_thousand_long_accept_headers_are_not_remembered(serve: Callable[..., Running]) -> None:
    service = serve()
    with httpx.Client(base_url=service.base_url) as client:
        token = {"Authorization": f"Bearer {service.token('native')}"}
        image = client.post("/v1/images", content=pictures.jpeg(64, 48, seed=3), headers=token).json()["id"]
        asked = {"links": [{"image": image, "width": 32, "format": "auto"}]}
        url = client.post("/v1/links", json=asked, headers=token).json()["links"][0]["url"]
        for _ in range(3):
            assert client.get(url, headers={"Accept": CHROME}).headers["content-type"] == "image/webp"
        before = resting(service.process.pid)
        for number in range(1000):
            long = {"Accept": f"image/webp,x/{number:05}" + "y" * 28_000}
            assert client.get(url, headers=long).headers["content-type"] == "image/jpeg"
    assert settles(service.process.pid, before + 12 * MEGABYTE), memory(service.process.pid) - before


def test_paths_and_queries_are_not_remembered(serve: Callable[..., Running]) -> None:
    service = serve()
    with connect(service.base_url) as connection:
        before = resting(service.process.pid)
        for number in range(1000):
            name, query = f"{number:05}", "?cursor=" + "q" * 20_000
            for path, status in (
                (f"/v1/images/{name}" + "p" * 20_000, 404),
                (f"/v1/images/{name}" + "p" * 900, 401),
                (f"/v1/images{query}{name}", 401),
                (f"/stores/a/products/b/images{query}{name}", 401),
            ):
                connection.sendall(head("GET", path))
                assert connection.recv(65_536).startswith(f"HTTP/1.1 {status} ".encode())
    assert settles(service.process.pid, before + 12 * MEGABYTE), memory(service.process.pid) - before


def test_twenty_thousand_spellings_of_a_link_take_little_memory(serve: Callable[..., Running]) -> None:
    service = serve()
    with httpx.Client(base_url=service.base_url) as client:
        token = {"Authorization": f"Bearer {service.token('native')}"}
        image = client.post("/v1/images", content=pictures.jpeg(64, 48, seed=3), headers=token).json()["id"]
        # A token of the dialect, and images are published through it.
        service.token("mews")
        with connect(service.base_url) as connection:
            before = resting(service.process.pid)
            for number in range(20_000):
                link = f"/Media/Image/{image}?Width=32&{number:05}=" + "x" * 1_000
                connection.sendall(head("GET", link, "If-None-Match: *"))
                assert connection.recv(65_536).startswith(b"HTTP/1.1 304 ")
    assert settles(service.process.pid, before + 40 * MEGABYTE), memory(service.process.pid) - before
