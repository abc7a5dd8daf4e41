"""A URL that is handed out opens; what can't be delivered is refused where it is asked for."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import pictures
from tests.end_to_end.asking import Asking, asking
from tests.running import running

MODES = ("Cover", "CoverExact", "Fit", "FitExact")
SMALL = {"TINTYPE_IMAGES_MAX_OUTPUT_SIDE": "700", "TINTYPE_IMAGES_MAX_OUTPUT_PIXELS": "200000"}
"""Limits that are reached by pictures which take no time to make."""
SMALL |= {"TINTYPE_LIMITS_ENLARGE_SIDE": "500", "TINTYPE_LIMITS_NEW_RENDITIONS": "0"}
SMALL |= {"TINTYPE_LIMITS_PIXEL_SECONDS": "0", "TINTYPE_NATIVE_REQUESTS": "0", "TINTYPE_MEWS_REQUESTS": "0"}
SMALL |= {"TINTYPE_SMARTSHEET_REQUESTS": "0", "TINTYPE_QUOTAS_MAX_PIXEL_SECONDS": "0"}
SMALL |= {"TINTYPE_RENDERERS_SECONDS": "60", "TINTYPE_WORKERS_RENDER_WAIT_SECONDS": "60"}

SIDES = st.none() | st.integers(1, 60) | st.integers(61, 900)
IMAGES = {
    "sliver.png": pictures.png(400, 3, seed=1),
    "tower.jpg": pictures.jpeg(5, 600, seed=2),
    "photo.jpg": pictures.jpeg(300, 200, seed=3),
    "large.webp": pictures.encode(pictures.photo(900, 300, 4), "webp"),
    "waving.gif": pictures.gif(60, 44, frames=12),
    "dot.png": pictures.png(1, 1, seed=5),
    "turned.jpg": pictures.oriented(6, 160, 90),
    "clear.avif": pictures.encode(pictures.translucent(90, 60), "avif", speed=10),
    "scan.tiff": pictures.encode(pictures.photo(120, 80, 6), "tiff"),
}


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    data = tmp_path_factory.mktemp("links") / "library"
    with (
        running(data, "serve", SMALL) as service,
        httpx.Client(base_url=service.base_url, timeout=120) as http,
    ):
        yield asking(service, http, "links")


@pytest.fixture(scope="module")
def library(owner: Asking) -> dict[str, dict[str, Any]]:
    return {name: owner.upload(data, name) for name, data in IMAGES.items()}


def opened(owner: Asking, url: str) -> tuple[int, int]:
    """The size of the picture that a URL delivers."""
    answer = owner.http.get(url)
    assert answer.status_code == 200, (url, answer.text)
    return pictures.decode(answer.content).size


@settings(max_examples=50, derandomize=True)
@given(name=st.sampled_from(sorted(IMAGES)), mode=st.sampled_from(MODES), width=SIDES, height=SIDES)
def test_every_url_of_mews_opens(
    owner: Asking,
    library: dict[str, dict[str, Any]],
    name: str,
    mode: str,
    width: int | None,
    height: int | None,
) -> None:
    image = library[name]
    [url] = owner.mews({"ImageId": image["id"], "ResizeMode": mode, "Width": width, "Height": height})
    if url is None:
        assert max(width or 0, height or 0) > 500 or (width or 0) * (height or 0) > 200_000
        return
    assert_covers(mode, (width, height), opened(owner, url), (image["width"], image["height"]))


RECIPES = st.fixed_dictionaries(
    {"mode": st.sampled_from(["cover", "cover-exact", "fit", "fit-exact", "scale"])},
    optional={
        "width": st.integers(1, 900),
        "height": st.integers(1, 900),
        "dpr": st.sampled_from([0.5, 1, 1.5, 3]),
        "enlarge": st.booleans(),
        "focal": st.just({"x": 0.2, "y": 0.9}),
        "background": st.sampled_from(["#fff", "336699cc"]),
        "format": st.sampled_from(["jpeg", "png", "webp", "gif", "avif", "jxl", "auto"]),
        "quality": st.integers(1, 100),
        "max_bytes": st.sampled_from([100, 5_000]),
        "frames": st.integers(1, 20),
        "linear": st.booleans(),
        "expires_in": st.just(600),
    },
)


@settings(max_examples=50, derandomize=True)
@given(name=st.sampled_from(sorted(IMAGES)), recipe=RECIPES)
def test_every_url_of_native_opens(
    owner: Asking, library: dict[str, dict[str, Any]], name: str, recipe: dict[str, Any]
) -> None:
    [link] = owner.links({"image": library[name]["id"], **recipe})
    if link["url"] is None:
        assert link["detail"].startswith("The result would have") or "extra is installed" in link["detail"]
        assert link["expires_at"] is None
    else:
        answer = owner.http.get(link["url"])
        assert answer.status_code == 200, (link, answer.text)


@settings(max_examples=20, derandomize=True)
@given(name=st.sampled_from(sorted(IMAGES)), width=SIDES, height=SIDES)
def test_every_url_of_smartsheet_opens_at_the_size_that_is_said(
    owner: Asking,
    library: dict[str, dict[str, Any]],
    name: str,
    width: int | None,
    height: int | None,
) -> None:
    item = {"imageId": library[name]["id"], "width": width, "height": height}
    [found] = owner.image_urls({key: value for key, value in item.items() if value is not None})
    answer = owner.http.get(found["url"])
    assert answer.status_code == 200, answer.text
    decoded = pictures.decode(answer.content)
    stored = (
        decoded.size if decoded.getexif().get(0x0112, 1) < 5 else decoded.size[::-1]
    )  # originals keep their orientation in EXIF
    assert stored == (found["width"], found["height"])


def test_every_url_of_publisher_and_native_lists_opens(
    owner: Asking, library: dict[str, dict[str, Any]]
) -> None:
    listed = owner.published()
    for image in library.values():
        opened(owner, image["url"])
        opened(owner, listed[image["number"]]["url"])
        opened(owner, listed[image["number"]]["thumbnailurl"])


def test_a_sliver_that_covers_is_capped_to_the_limits(
    owner: Asking, library: dict[str, dict[str, Any]]
) -> None:
    """400 by 3 that covers 200 by 15 is 2,000 by 15; at most 700 a side are made, and 200,000 pixels."""
    image = library["sliver.png"]["id"]
    [url] = owner.mews({"ImageId": image, "ResizeMode": "Cover", "Width": 200, "Height": 15})
    assert url is not None
    assert opened(owner, url) == (700, 5)
    [link] = owner.links({"image": image, "mode": "cover", "width": 200, "height": 15})
    assert opened(owner, link["url"]) == (700, 5)
    [url] = owner.mews({"ImageId": library["photo.jpg"]["id"], "ResizeMode": "Fit", "Height": 500})
    assert url is not None
    assert opened(owner, url) == (547, 365)  # 547.7 by 365.1


def test_a_plain_link_is_capped_to_its_own_limits(owner: Asking) -> None:
    """60 by 2 that covers 200 by 100 is 3,000 by 100; plain links enlarge to 500 a side, signed to 700."""
    image = owner.upload(pictures.png(60, 2, seed=7))["id"]
    [url] = owner.mews({"ImageId": image, "ResizeMode": "Cover", "Width": 200, "Height": 100})
    [link] = owner.links({"image": image, "mode": "cover", "width": 200, "height": 100})
    assert url is not None
    for _ in range(2):  # the second one from the cache: they are two renditions
        assert opened(owner, url) == (500, 17)
        assert opened(owner, link["url"]) == (700, 23)


@pytest.mark.parametrize("side", [701, 500])
def test_what_is_asked_for_and_too_large_is_refused_where_it_is_asked(
    owner: Asking, library: dict[str, dict[str, Any]], side: int
) -> None:
    image = library["photo.jpg"]["id"]
    box = {"Width": side, "Height": side}
    wanted = {"ImageId": image, "ResizeMode": "CoverExact"}
    assert owner.mews(wanted | box, wanted | {"Width": 60})[0] is None
    refused, made = owner.links(
        {"image": image, "mode": "cover-exact", "width": side, "height": side, "expires_in": 9},
        {"image": image, "width": 60},
    )
    assert (refused["url"], refused["expires_at"]) == (None, None)
    sentence = f"The result would have {side} × {side} pixels; at most 700 a side and 200000 in all are made."
    assert refused["detail"] == sentence
    assert "detail" not in made
    assert opened(owner, made["url"]) == (60, 40)


def assert_covers(
    mode: str, asked: tuple[int | None, int | None], size: tuple[int, int], source: tuple[int, int]
) -> None:
    """The result is exact where it has to be, and never over the limits, unless the source is."""
    if mode.endswith("Exact") and None not in asked:
        assert size == asked
    assert max(size) <= max(700, *source)
    assert size[0] * size[1] <= max(200_000, source[0] * source[1])
