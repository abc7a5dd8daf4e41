"""An archived image: no dialect shows a link that doesn't open."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests import pictures
from tests.end_to_end.asking import Asking, asking
from tests.running import Running


@pytest.fixture
def owner(demo: Running) -> Iterator[Asking]:
    with httpx.Client(base_url=demo.base_url, timeout=60) as http:
        yield asking(demo, http, "archivist")


@pytest.fixture
def pair(owner: Asking) -> list[dict[str, Any]]:
    """Two images, of which a test archives the first."""
    return [owner.upload(pictures.png(60, 40, seed=seed), f"{seed}.png") for seed in (1, 2)]


def item(image: dict[str, Any]) -> dict[str, Any]:
    return {"ImageId": image["id"], "Width": 20, "ResizeMode": "Fit"}


def test_mews_has_no_url_for_it_and_others_keep_theirs(owner: Asking, pair: list[dict[str, Any]]) -> None:
    before = owner.mews(*map(item, pair))
    assert None not in before
    for _ in range(2):
        owner.archive(pair[0]["id"])
        assert owner.mews(*map(item, pair)) == [None, before[1]]
        owner.archive(pair[0]["id"], "active")
        assert owner.mews(*map(item, pair)) == before


def test_smartsheet_has_its_error_for_it_and_others_keep_theirs(
    owner: Asking, pair: list[dict[str, Any]]
) -> None:
    items = [{"imageId": image["id"], "width": 20} for image in pair]
    assert all("url" in found for found in owner.image_urls(*items))
    owner.archive(pair[0]["id"])
    archived, active = owner.image_urls(*items)
    assert "url" not in archived
    assert archived["error"]["errorCode"] == 5001
    assert archived["error"]["message"] == "You do not have permission to view this image."
    assert owner.http.get(active["url"]).status_code == 200
    owner.archive(pair[0]["id"], "active")
    assert [owner.http.get(found["url"]).status_code for found in owner.image_urls(*items)] == [200, 200]


def test_evotor_shows_it_without_a_link(owner: Asking) -> None:
    files = {"datafile": ("000.png", pictures.png(300, 300), "image/png")}
    image = owner.evotor("POST", files=files).json()
    assert owner.http.get(image["url"]).status_code == 200
    owner.archive(image["id"])
    [listed] = owner.evotor("GET").json()["items"]
    assert listed == owner.evotor("GET", f"/{image['id']}").json()
    assert listed["url"] is None
    assert list(listed) == list(image)
    assert owner.http.get(image["url"]).status_code == 404
    # The product still has it: a client can delete it, as the vendor asks before another upload.
    assert owner.evotor("POST", files=files).status_code == 409
    owner.archive(image["id"], "active")
    assert owner.evotor("GET").json()["items"][0]["url"] == image["url"]


def test_native_shows_it_without_a_link(owner: Asking, pair: list[dict[str, Any]]) -> None:
    archived = owner.archive(pair[0]["id"])
    assert archived["url"] is None
    assert owner.native("GET", f"/v1/images/{pair[0]['id']}").json() == archived
    listed = {image["id"]: image["url"] for image in owner.native("GET", "/v1/images").json()["images"]}
    assert [listed[image["id"]] for image in pair] == [None, pair[1]["url"]]
    wanted = [{"image": image["id"], "width": 20, "expires_in": 60} for image in pair]
    first, second = owner.links(*wanted)
    assert (first["url"], first["expires_at"]) == (None, None)
    assert owner.http.get(second["url"]).status_code == 200
    born = owner.native("POST", "/v1/images?status=archived", content=pictures.png(8, 8))
    assert (born.status_code, born.json()["url"]) == (201, None)
    assert owner.archive(pair[0]["id"], "active")["url"] == pair[0]["url"]


def test_publisher_lists_it_as_archived(owner: Asking, pair: list[dict[str, Any]]) -> None:
    owner.archive(pair[0]["id"])
    listed = owner.published()
    assert [listed[image["number"]]["status"] for image in pair] == ["archived", "active"]
    assert pair[0]["number"] not in owner.published(status="Active,ACTIVE")
    assert pair[0]["number"] in owner.published(status="ARCHIVED")
