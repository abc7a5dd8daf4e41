"""What one process changes, no process delivers any more: at once in the same one, in others within 1 s."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests import pictures
from tests.running import Running, running
from tests.waiting import until
from tintype.app import LINK_KEYS
from tintype.core.runtime.signing import Keyring
from tintype.dialects.native import links
from tintype.imaging import Recipe

PROMISED_SECONDS = 1.0
UNHURRIED_SECONDS = 20.0
"""On a machine that does much else at the moment."""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """Two processes that serve one data folder."""
    data = tmp_path_factory.mktemp("shared") / "library"
    with running(data, "serve") as one, running(data, "serve") as other:
        yield one, other


@pytest.fixture(scope="module")
def client(services: tuple[Running, Running]) -> Iterator[httpx.Client]:
    """Asks the first of them."""
    with httpx.Client(headers={"Authorization": f"Bearer {services[0].token('native')}"}) as found:
        found.base_url = services[0].base_url
        yield found


@pytest.fixture
def image(client: httpx.Client) -> dict[str, str]:
    found: dict[str, str] = client.post("/v1/images", content=pictures.png(90, 60)).json()
    return found


def rendition(services: tuple[Running, Running], image: dict[str, str], version: int = 1) -> str:
    link = links.Link(UUID(image["id"]), version, Recipe(width=40, height=40))
    return links.write(link, Keyring(services[0].data / LINK_KEYS).sign(link.parts()))


CHANGES: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "delete": lambda client, path: client.delete(path),
    "archive": lambda client, path: client.patch(path, json={"status": "archived"}),
    "replace": lambda client, path: client.put(path + "/original", content=pictures.png(80, 80)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_in_one_process_is_delivered_by_none(
    services: tuple[Running, Running], client: httpx.Client, image: dict[str, str], change: str
) -> None:
    here, there = services
    paths = [httpx.URL(image["url"]).raw_path.decode(), rendition(services, image)]
    for service in services:
        for path in paths * 3:
            assert httpx.get(service.base_url + path).status_code == 200
    with httpx.Client() as connected:
        connected.get(there.base_url + paths[0])
        assert CHANGES[change](client, f"/v1/images/{image['id']}").is_success
        since = time.monotonic()
        assert [httpx.get(here.base_url + path).status_code for path in paths] == [404, 404]
        asked = since
        while connected.get(there.base_url + paths[0]).status_code == 200:
            asked = time.monotonic()
            assert asked < since + UNHURRIED_SECONDS
    # The last request that was still answered with the picture began within the promised time.
    assert asked - since < PROMISED_SECONDS
    assert httpx.get(there.base_url + paths[1]).status_code == 404
    for service in services:
        for conditions in ({"If-None-Match": "*"}, {"Range": "bytes=0-1"}):
            assert httpx.get(service.base_url + paths[0], headers=conditions).status_code == 404


def test_what_is_new_or_back_is_delivered_everywhere_at_once(
    services: tuple[Running, Running], client: httpx.Client, image: dict[str, str]
) -> None:
    path = httpx.URL(image["url"]).raw_path.decode()
    assert [httpx.get(service.base_url + path).status_code for service in services] == [200, 200]
    client.patch(f"/v1/images/{image['id']}", json={"status": "archived"})
    client.patch(f"/v1/images/{image['id']}", json={"status": "active"})
    assert [httpx.get(service.base_url + path).status_code for service in services] == [200, 200]
    replaced = client.put(f"/v1/images/{image['id']}/original", content=pictures.png(70, 70, seed=5)).json()
    path = httpx.URL(replaced["url"]).raw_path.decode()
    for service in services:
        assert httpx.get(service.base_url + path).content == pictures.png(70, 70, seed=5)
        sized = httpx.get(service.base_url + rendition(services, image, version=2))
        assert pictures.decode(sized.content).size == (40, 40)


def test_a_key_that_is_retired_opens_nothing_within_a_second(tmp_path: Path) -> None:
    with running(tmp_path / "library", "serve") as service, httpx.Client() as client:
        client.headers["Authorization"] = f"Bearer {service.token('native')}"
        image = client.post(service.base_url + "/v1/images", content=pictures.png(8, 8)).json()
        for _ in range(3):
            assert client.get(image["url"]).status_code == 200
        (key,) = Keyring(service.data / LINK_KEYS).all()
        service.cli("keys", "rotate")
        service.cli("keys", "retire", key.id)
        until(lambda: client.get(image["url"]).status_code != 200, UNHURRIED_SECONDS)
        # And links are signed with the new one, without a restart.
        fresh = client.get(f"{service.base_url}/v1/images/{image['id']}").json()["url"]
        assert client.get(fresh).status_code == 200
