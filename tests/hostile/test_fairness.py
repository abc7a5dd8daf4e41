"""One address floods random sizes of one small picture; others get their new pictures as if nothing were."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import httpx
import pytest
import pyvips

from tests import pictures
from tests.running import Running
from tests.waiting import until

FLOODERS = 32
SECONDS = 8
FLOODING, VISITING, OWNING = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""Addresses of clients: all of 127/8 is this machine."""


class Answer(NamedTuple):
    status: int
    seconds: float
    retry_after: str | None
    body: bytes


class Flood:
    """Clients at one address that ask for one size after the other, none of which there is."""

    def __init__(self, service: Running, image: str, address: str = FLOODING) -> None:
        self._service = service
        self._image = image
        self._address = address
        self._stop = threading.Event()
        self._open: set[HTTPConnection] = set()
        self.statuses: list[int] = []

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._run, args=(seed,)) for seed in range(FLOODERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for connection in list(self._open):
            # What waits for its turn is dropped then.
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _run(self, seed: int) -> None:
        dice = random.Random(seed)
        while not self._stop.is_set():
            width, height = dice.randint(1500, 2500), dice.randint(1500, 2500)
            path = f"/Media/Image/{self._image}?Mode=Scale&Width={width}&Height={height}"
            with suppress(OSError, HTTPException), dialled(self._service, self._address) as connection:
                self._open.add(connection)
                self.statuses.append(ask(connection, path).status)
                self._open.discard(connection)


@contextmanager
def dialled(service: Running, address: str) -> Iterator[HTTPConnection]:
    """A connection from an address of this machine."""
    server = urlsplit(service.base_url)
    connection = HTTPConnection(server.netloc, timeout=60, source_address=(address, 0))
    try:
        yield connection
    finally:
        connection.close()


def ask(connection: HTTPConnection, path: str) -> Answer:
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    return Answer(answer.status, time.perf_counter() - began, answer.getheader("Retry-After"), body)


def ask_from(service: Running, address: str, path: str) -> Answer:
    with dialled(service, address) as connection:
        return ask(connection, path)


def upload(service: Running, account: str, data: bytes) -> str:
    headers = {"Authorization": f"Bearer {service.token('native', account)}"}
    url = f"{service.base_url}/v1/images"
    service.token("mews", account)
    return str(httpx.post(url, content=data, headers=headers, timeout=60).raise_for_status().json()["id"])


def signed(service: Running, account: str, image: str, sizes: Iterator[int]) -> Iterator[str]:
    """Links of the account's own to ever new pictures of 200 pixels, a hundred made at a time."""
    headers = {"Authorization": f"Bearer {service.token('native', account)}"}
    while True:
        asked = [{"image": image, "width": 200, "height": 200 + next(sizes)} for _ in range(100)]
        made = httpx.post(f"{service.base_url}/v1/links", json={"links": asked}, headers=headers, timeout=60)
        for link in made.raise_for_status().json()["links"]:
            yield link["url"].removeprefix(service.base_url)


def plain(image: str, sizes: Iterator[int]) -> Iterator[str]:
    while True:
        yield f"/Media/Image/{image}?Mode=Fit&Width=200&Height={200 + next(sizes)}"


def steadily(service: Running, paths: Iterator[str], address: str) -> list[Answer]:
    """Ask for one new picture after the other, one at a time."""
    end = time.monotonic() + SECONDS
    answers = []
    while time.monotonic() < end:
        answers.append(ask_from(service, address, next(paths)))
    return answers


def percentile_95(answers: list[Answer]) -> float:
    seconds = sorted(answer.seconds for answer in answers)
    return seconds[int(0.95 * (len(seconds) - 1))]


@pytest.fixture
def service(serve: Callable[..., Running]) -> Running:
    # Without the bounds on one address: only the order in which work is done protects the others.
    return serve(TINTYPE_LIMITS_NEW_RENDITIONS="0", TINTYPE_LIMITS_PIXEL_SECONDS="0")


def test_a_flood_from_one_address_does_not_hold_up_the_owner_nor_other_addresses_nor_other_accounts(
    service: Running,
) -> None:
    owned = upload(service, "owner", pictures.jpeg(400, 300))
    others = upload(service, "other", pictures.jpeg(1200, 900))
    sizes = count()
    own_links = signed(service, "owner", owned, sizes)
    next(own_links)  # the first hundred are made before the flood
    with Flood(service, owned) as flood, ThreadPoolExecutor(3) as threads:
        asking = {
            "the owner": threads.submit(steadily, service, own_links, OWNING),
            "another address, the same picture": threads.submit(
                steadily, service, plain(owned, sizes), VISITING
            ),
            "another account": threads.submit(steadily, service, plain(others, sizes), "127.0.0.5"),
        }
        answers = {who: running.result() for who, running in asking.items()}
    assert flood.statuses.count(200) > 5, "there was no flood"
    for who, answered in answers.items():
        assert [answer.status for answer in answered if answer.status != 200] == [], who
        assert percentile_95(answered) < 3, who
        assert len(answered) >= 5, who


def test_a_picture_that_the_flood_has_queued_is_there_for_who_asks_as_well(service: Running) -> None:
    """The owner asks for exactly what waits at the end of the flood's line."""
    owned = upload(service, "owner", pictures.jpeg(400, 300))
    wanted = f"/Media/Image/{owned}?Mode=Scale&Width=2400&Height=2401"
    with Flood(service, owned) as flood, ThreadPoolExecutor(1) as threads:
        until(lambda: len(flood.statuses) >= 3, 60)
        queued = threads.submit(ask_from, service, FLOODING, wanted)
        answer = ask_from(service, VISITING, wanted)
        assert answer.status == 200
        assert answer.seconds < 3
        assert queued.result().status == 200


def test_who_floods_is_told_to_wait(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_LIMITS_PIXEL_SECONDS="1")
    owned = upload(service, "owner", pictures.jpeg(400, 300))
    with Flood(service, owned) as flood:
        until(lambda: 429 in flood.statuses, 20)
    path = f"/Media/Image/{owned}?Mode=Scale&Width=2400&Height="
    refused = ask_from(service, FLOODING, path + "2402")
    assert (refused.status, b'"Message"' in refused.body) == (429, True)
    assert int(refused.retry_after or 0) >= 1
    assert ask_from(service, VISITING, path + "2403").status == 200


def test_pictures_that_take_long_to_read_leave_a_slot_to_others(service: Running) -> None:
    """One account uploads AVIFs of 24 megapixels, some kilobytes each, as fast as it can."""
    large = pyvips.Image.black(4900, 4900, bands=3).heifsave_buffer(compression="av1", effort=0)
    headers = {"Authorization": f"Bearer {service.token('native', 'owner')}"}
    others = upload(service, "other", pictures.jpeg(1200, 900))
    stop = threading.Event()
    taken: list[int] = []

    def send() -> None:
        with httpx.Client(base_url=service.base_url, headers=headers, timeout=60) as client:
            while not stop.is_set():
                taken.append(client.post("/v1/images", content=large).status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        answered = steadily(service, plain(others, count()), VISITING)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert taken.count(201) >= 3
    assert [answer.status for answer in answered if answer.status != 200] == []
    assert percentile_95(answered) < 1
