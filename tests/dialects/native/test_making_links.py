"""Links to renditions: requested in batches, and opened."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests import pictures
from tests.running import Running
from tintype.dialects.native.wire import LinkRequest
from tintype.imaging import Recipe


@pytest.fixture(scope="module")
def image(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/v1/images", content=pictures.jpeg(300, 200, seed=77)).json()
    return found


def asked(client: httpx.Client, *links: dict[str, Any]) -> httpx.Response:
    return client.post("/v1/links", json={"links": list(links)})


def opened(anyone: httpx.Client, client: httpx.Client, link: dict[str, Any]) -> Image.Image:
    [made] = asked(client, link).raise_for_status().json()["links"]
    answer = anyone.get(made["url"]).raise_for_status()
    return Image.open(io.BytesIO(answer.content))


def test_a_batch_is_answered_in_its_order(client: httpx.Client, image: dict[str, Any]) -> None:
    stranger = str(uuid4())
    answer = asked(client, {"image": stranger}, {"image": image["id"], "width": 30}, {"image": image["id"]})
    first, second, third = answer.json()["links"]
    assert first == {"image": stranger, "url": None, "expires_at": None}
    assert second["image"] == third["image"] == image["id"]
    assert "&mode=fit&w=30&" in second["url"]
    assert third["url"] == image["url"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("fields", "format", "size"),
    [
        ({"width": 60, "height": 60}, "JPEG", (60, 40)),
        ({"width": 60, "height": 60, "mode": "cover-exact"}, "JPEG", (60, 60)),
        ({"width": 60, "height": 60, "mode": "cover-exact", "focal": {"x": 0, "y": 0.5}}, "JPEG", (60, 60)),
        ({"width": 60, "height": 60, "mode": "cover-exact", "crop": "attention"}, "JPEG", (60, 60)),
        ({"width": 60, "height": 60, "mode": "fit-exact", "background": "#336699"}, "JPEG", (60, 60)),
        ({"width": 30, "dpr": 2}, "JPEG", (60, 40)),
        ({"width": 600, "enlarge": False}, "JPEG", (300, 200)),
        ({"format": "png"}, "PNG", (300, 200)),
        ({"format": "webp", "quality": 50}, "WEBP", (300, 200)),
        ({"width": 40, "format": "avif"}, "AVIF", (40, 27)),
        ({"format": "gif", "height": 100}, "GIF", (150, 100)),
    ],
)
def test_a_link_opens_what_was_asked(
    client: httpx.Client,
    anyone: httpx.Client,
    image: dict[str, Any],
    fields: dict[str, Any],
    format: str,
    size: tuple[int, int],
) -> None:
    picture = opened(anyone, client, {"image": image["id"], **fields})
    assert (picture.format, picture.size) == (format, size)


@pytest.mark.parametrize(
    ("fields", "format", "frames"),
    [
        ({"width": 32}, "GIF", 3),
        ({"width": 32, "frames": 2}, "GIF", 2),
        ({"width": 32, "format": "webp"}, "WEBP", 3),
        ({"width": 32, "format": "webp", "frames": 1}, "WEBP", 1),
        ({"width": 32, "format": "png"}, "PNG", 1),
    ],
)
def test_a_link_to_an_animation_keeps_it_moving(
    client: httpx.Client, anyone: httpx.Client, fields: dict[str, Any], format: str, frames: int
) -> None:
    image = client.post("/v1/images", content=pictures.gif(frames=3, seed=78)).json()
    picture = opened(anyone, client, {"image": image["id"], **fields})
    assert (picture.format, picture.size, getattr(picture, "n_frames", 1)) == (format, (32, 24), frames)


def test_a_link_keeps_within_the_bytes(
    client: httpx.Client, anyone: httpx.Client, image: dict[str, Any]
) -> None:
    [made] = asked(client, {"image": image["id"], "format": "webp", "max_bytes": 3000}).json()["links"]
    assert len(anyone.get(made["url"]).raise_for_status().content) <= 3000


def test_a_link_can_end(client: httpx.Client, anyone: httpx.Client, image: dict[str, Any]) -> None:
    before = datetime.now(UTC)
    [made] = asked(client, {"image": image["id"], "width": 20, "expires_in": 600}).json()["links"]
    ends = datetime.fromisoformat(made["expires_at"])
    assert before + timedelta(seconds=599) <= ends <= datetime.now(UTC) + timedelta(seconds=600)
    assert f"&exp={int(ends.timestamp())}&" in made["url"]
    assert anyone.get(made["url"]).headers["cache-control"].startswith("private, max-age=")


def test_images_of_another_account_are_as_good_as_missing(demo: Running, image: dict[str, Any]) -> None:
    token = demo.token("native", "strangers to the links")
    with httpx.Client(base_url=demo.base_url, headers={"Authorization": f"Bearer {token}"}) as stranger:
        assert asked(stranger, {"image": image["id"]}).json()["links"][0]["url"] is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"width": 0}, "links[1].width"),
        ({"width": 65_536}, "links[1].width"),
        ({"width": "60"}, "links[1].width"),
        ({"mode": "stretch"}, "links[1].mode"),
        ({"focal": {"x": 2, "y": 0}}, "links[1].focal"),
        ({"expires_in": 0}, "links[1].expires_in"),
        ({"expires_in": 10**12}, "links[1].expires_in"),
        ({"size": 3}, "links[1]"),
        ({"dpr": 9}, "links[1]"),
        ({"quality": 0}, "links[1]"),
        ({"background": "orange"}, "links[1]"),
        ({"format": "tiff"}, "links[1]"),
        ({"format": "exe"}, "links[1]"),
        ({"focal": {"x": 0, "y": 0}, "crop": "attention"}, "links[1]"),
    ],
)
def test_what_can_not_be_is_refused_with_the_field_at_fault(
    client: httpx.Client, image: dict[str, Any], fields: dict[str, Any], field: str
) -> None:
    answer = asked(client, {"image": image["id"]}, {"image": image["id"], **fields})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:invalid")
    assert answer.json()["field"] == field


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_a_body_that_is_no_json_is_malformed(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/links", content=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:malformed")


@pytest.mark.parametrize("body", [{}, {"links": []}, {"links": [{}]}, {"links": [{"image": "x"}]}, []])
def test_a_body_without_links_is_invalid(client: httpx.Client, body: object) -> None:
    assert client.post("/v1/links", json=body).json()["type"] == "urn:tintype:error:invalid"


def test_a_batch_has_an_end(client: httpx.Client, image: dict[str, Any]) -> None:
    assert asked(client, *[{"image": image["id"]}] * 1000).status_code == 200
    assert asked(client, *[{"image": image["id"]}] * 1001).json()["field"] == "links"


def test_who_may_not_read_gets_no_links(demo: Running, image: dict[str, Any]) -> None:
    token = demo.token("native", "native tests", scope=["images:write"])
    with httpx.Client(base_url=demo.base_url, headers={"Authorization": f"Bearer {token}"}) as writer:
        assert asked(writer, {"image": image["id"]}).status_code == 403


def test_the_wire_has_a_field_for_every_part_of_a_recipe() -> None:
    fields = set(LinkRequest.__struct_fields__) - {"image", "expires_in"}
    assert fields == set(Recipe.__struct_fields__) - {"auto"}  # a format of its own on the wire


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_whole_numbers_may_have_a_fraction_and_a_body_a_byte_order_mark(
    client: httpx.Client, image: dict[str, Any], encoding: str
) -> None:
    fields = '"width": 60.0, "height": 6e1, "dpr": 1, "quality": 70.0, "frames": 1.0, "expires_in": 600.0'
    body = f'{{"links": [{{"image": "{image["id"]}", "max_bytes": 9e4, {fields}}}]}}'
    answer = client.post("/v1/links", content=body.encode(encoding))
    assert answer.status_code == 200, answer.text
    [link] = answer.json()["links"]
    assert "&mode=fit&w=60&h=60&q=70&max-bytes=90000&frames=1&exp=" in link["url"]
    broken = client.post("/v1/links", content=body.replace("60.0", "60.5").encode(encoding))
    assert (broken.status_code, broken.json()["field"]) == (400, "links[0].width")


def test_a_change_may_begin_with_a_byte_order_mark(client: httpx.Client, image: dict[str, Any]) -> None:
    body = b'\xef\xbb\xbf{"status": "active"}'
    assert client.patch(f"/v1/images/{image['id']}", content=body).status_code == 200
