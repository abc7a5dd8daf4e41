"""Purging over HTTP: lists the deleted renditions, which are made again at the next request."""

from uuid import uuid4

import httpx
import pytest

from tests import pictures
from tests.dialects.native.conftest import as_caller
from tests.running import Running


@pytest.fixture
def image(client: httpx.Client) -> dict[str, str]:
    answer = client.post("/v1/images", content=pictures.png(60, 40, seed=81))
    assert answer.status_code == 201
    found: dict[str, str] = answer.json()
    return found


def links(client: httpx.Client, image: dict[str, str]) -> list[str]:
    items = [{"image": image["id"], "width": width, "format": "webp"} for width in (20, 30)]
    answer = client.post("/v1/links", json={"links": items})
    return [each["url"] for each in answer.json()["links"]]


def test_the_receipt_tells_what_was_removed_and_links_open_as_before(
    client: httpx.Client, anyone: httpx.Client, image: dict[str, str]
) -> None:
    made = [anyone.get(url) for url in links(client, image)]
    sizes = sorted(len(each.content) for each in made)
    path = f"/v1/images/{image['id']}/renditions"
    answer = client.delete(path)
    receipt = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert {name: receipt[name] for name in ("image", "version", "count", "bytes")} == {
        "image": image["id"],
        "version": 1,
        "count": 2,
        "bytes": sum(sizes),
    }
    assert sorted(each["bytes"] for each in receipt["renditions"]) == sizes
    assert [(each["version"], each["format"], len(each["recipe"])) for each in receipt["renditions"]] == [
        (1, "webp", 32)
    ] * 2
    assert client.delete(path).json()["count"] == 0
    assert [anyone.get(url).content for url in links(client, image)] == [each.content for each in made]
    # Made anew, and not fetched from some memory.
    assert client.delete(path).json()["bytes"] == sum(sizes)


def test_it_needs_the_scope_and_the_account_of_the_image(
    demo: Running, client: httpx.Client, reader: httpx.Client, anyone: httpx.Client, image: dict[str, str]
) -> None:
    path = f"/v1/images/{image['id']}/renditions"
    assert anyone.delete(path).status_code == 401
    assert reader.delete(path).status_code == 403
    with as_caller(demo, demo.token("native", "somebody else")) as stranger:
        assert stranger.delete(path).status_code == 404
    for unknown in (uuid4(), "nonsense"):
        assert client.delete(f"/v1/images/{unknown}/renditions").status_code == 404
