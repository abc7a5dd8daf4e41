"""HEIC, JXL and SVG through the service: uploaded, read, delivered as originals and as renditions."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests import pictures
from tests.dialects.native.conftest import as_caller
from tests.extra_pictures import corners_svg, heic, jxl, svg
from tests.running import Running
from tintype.core.runtime.fair_queue import LIGHT
from tintype.imaging.sandbox.pool import OWN_MEMORY

UPLOADS = {
    "heic": (heic(pictures.corners(80, 60)), "image/heic", "jpeg"),
    "jxl": (jxl(pictures.corners(80, 60)), "image/jxl", "jpeg"),
    "svg": (corners_svg(), "image/svg+xml", "png"),
}
NEVER = svg("<script>alert(1)</script>", more='onload="alert(1)"')


def upload(client: httpx.Client, data: bytes, name: str) -> dict[str, Any]:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    answer = client.post("/v1/images", content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def link(client: httpx.Client, image: str, **asked: object) -> str:
    answer = client.post("/v1/links", json={"links": [{"image": image, **asked}]})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["links"][0]["url"])


@pytest.mark.parametrize("kind", UPLOADS)
def test_it_is_taken_in_and_delivered_as_it_came(
    client: httpx.Client, anyone: httpx.Client, kind: str
) -> None:
    data, media_type, _ = UPLOADS[kind]
    image = upload(client, data, f"logo.{kind.upper()}")
    properties = (image["format"], image["media_type"], image["extension"], image["width"], image["height"])
    assert properties == (kind, media_type, kind.upper(), 80, 60)
    assert image["thumbhash"]
    assert image["colour"] == "#808080" if kind == "svg" else image["colour"]
    answer = anyone.get(image["url"])
    assert (answer.content, answer.headers["content-type"]) == (data, media_type)


@pytest.mark.parametrize("kind", UPLOADS)
@pytest.mark.parametrize("asked", [None, "png", "jpeg", "webp", "jxl"])
def test_a_rendition_is_drawn_of_it(
    client: httpx.Client, anyone: httpx.Client, kind: str, asked: str | None
) -> None:
    data, _, usual = UPLOADS[kind]
    image = upload(client, data, f"a.{kind}")
    requested = {"width": 40, "quality": 95} | ({} if asked is None else {"format": asked})
    answer = anyone.get(link(client, image["id"], **requested))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"image/{asked or usual}"
    drawn = pictures.decode(answer.content).convert("RGB")
    assert drawn.size == (40, 30)
    assert drawn.getpixel((4, 3)) == pytest.approx(pictures.RED, abs=20)
    assert drawn.getpixel((20, 15)) == pytest.approx(pictures.GREY, abs=20)


def test_the_original_of_an_svg_can_run_nothing(client: httpx.Client, anyone: httpx.Client) -> None:
    answer = anyone.get(upload(client, NEVER, "bad.svg")["url"])
    assert answer.content == NEVER
    # In a page it is a picture, where no script runs. Opened by itself, a browser saves it;
    # and if it showed it, it would be without scripts, without an origin, and load nothing.
    assert answer.headers["content-disposition"].startswith("attachment;")
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "sandbox"} <= set(policy)
    assert not any(part.startswith("script-src") or "allow-" in part for part in policy)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_other_originals_are_shown(client: httpx.Client, anyone: httpx.Client) -> None:
    for kind in ("heic", "jxl"):
        answer = anyone.get(upload(client, UPLOADS[kind][0], f"a.{kind}")["url"])
        assert answer.headers["content-disposition"].startswith("inline;")


@pytest.mark.parametrize("setting", [{"SECONDS": "0.01"}, {"MEMORY_BYTES": str(OWN_MEMORY + LIGHT)}])
def test_what_wants_more_than_the_settings_give_is_refused(
    serve: Callable[..., Running], setting: dict[str, str]
) -> None:
    service = serve(**{f"TINTYPE_RENDERERS_{name}": value for name, value in setting.items()})
    large = svg('<rect width="80" height="60"/>', width=4000, height=3000)
    with as_caller(service, service.token("native")) as client:
        answer = client.post("/v1/images", content=large)
    assert (answer.status_code, answer.json()["reason"]) == (422, "too-costly")
