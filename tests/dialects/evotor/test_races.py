"""Concurrent requests: exactly one succeeds, and nothing is left over."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import httpx
import pytest

from tests.dialects.evotor.client import Client, new_name, originals, sound
from tests.running import Running, running

ROUNDS = 5
ALL_IS_WELL = "Every image has its bytes, and every original an image."

Call = Callable[[], httpx.Response]


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("races") / "library"
    with running(data, "serve", {"TINTYPE_WEB_WORKERS": request.param}) as started:
        yield started


@pytest.fixture(scope="module")
def own(service: Running) -> str:
    return service.token("evotor")


@pytest.fixture(scope="module")
def stranger(service: Running) -> str:
    return service.token("evotor", "strangers")


@pytest.fixture
def pair(service: Running, own: str) -> Iterator[tuple[Client, Client]]:
    """Two clients of one account at one product, with connections of their own."""
    store, product = new_name(), new_name()
    with (
        httpx.Client(base_url=service.base_url, timeout=60) as one,
        httpx.Client(base_url=service.base_url, timeout=60) as other,
    ):
        yield Client(one, own, store, product), Client(other, own, store, product)


def at_once(*calls: Call) -> list[httpx.Response]:
    barrier = Barrier(len(calls))

    def run(call: Call) -> httpx.Response:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("alike", [True, False], ids=["the same picture", "different pictures"])
def test_of_two_uploads_for_one_product_one_wins(
    service: Running, pair: tuple[Client, Client], turn: int, *, alike: bool
) -> None:
    one, other = pair
    before = originals(service)
    # No other test has these pictures.
    seed = 1000 + 100 * alike + 2 * turn
    pictures = (sound(seed), sound(seed if alike else seed + 1))
    answers = at_once(partial(one.upload, pictures[0]), partial(other.upload, pictures[1]))
    assert statuses(answers) == {200: 1, 409: 1}
    won = next(position for position, each in enumerate(answers) if each.status_code == 200)
    assert one.items() == [answers[won].json()]
    assert one.http.get(answers[won].json()["url"]).content == pictures[won]
    assert originals(service) - before == {hashlib.sha256(pictures[won]).hexdigest()}
    assert list((service.data / "incoming").iterdir()) == []


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_the_same_bytes_come_and_go_at_once(pair: tuple[Client, Client], turn: int) -> None:
    data = sound(2000 + turn)
    leaving, coming = pair[0], pair[1].elsewhere(product=new_name())
    old = leaving.upload(data).json()
    gone, kept = at_once(partial(leaving.request, "DELETE"), partial(coming.upload, data))
    assert (gone.status_code, kept.status_code) == (204, 200)
    assert coming.http.get(kept.json()["url"]).content == data
    assert coming.http.get(old["url"]).status_code == 404


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_two_deletes_at_once_one_finds_the_image(pair: tuple[Client, Client], turn: int) -> None:
    one, other = pair
    tail = f"/{one.upload(sound(turn)).json()['id']}"
    answers = at_once(partial(one.request, "DELETE", tail), partial(other.request, "DELETE", tail))
    assert statuses(answers) == {204: 1, 404: 1}


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_both_of_two_who_clear_a_product_are_content(pair: tuple[Client, Client], turn: int) -> None:
    one, other = pair
    one.upload(sound(turn))
    answers = at_once(partial(one.request, "DELETE"), partial(other.request, "DELETE"))
    assert statuses(answers) == {204: 2}
    assert one.items() == []


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_two_accounts_that_come_to_a_product_at_once_have_an_image_each(
    pair: tuple[Client, Client], stranger: str, turn: int
) -> None:
    one, other = pair[0], pair[1].elsewhere(token=stranger)
    data = sound(turn)
    answers = at_once(partial(one.upload, data), partial(other.upload, data))
    assert statuses(answers) == {200: 2}
    assert [len(evotor.items()) for evotor in (one, other)] == [1, 1]


def test_links_of_one_worker_open_at_the_other(pair: tuple[Client, Client]) -> None:
    url = pair[0].upload(sound()).json()["url"]
    # A new connection each time, so that it comes to either.
    with httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=60) as anybody:
        assert {anybody.get(url).status_code for _ in range(20)} == {200}


def test_after_all_this_records_and_bytes_are_in_step(service: Running, pair: tuple[Client, Client]) -> None:
    for evotor in pair:
        assert evotor.request("DELETE").status_code == 204
    assert ALL_IS_WELL in service.cli("check", "--deep")
