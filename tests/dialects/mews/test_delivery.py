"""Delivered pictures: the size of each mode by the table of the contract, and their content."""

from fractions import Fraction
from math import floor
from typing import NamedTuple

import httpx
import pytest
from PIL import Image

from tests import pictures
from tests.dialects.mews.client import UNKNOWN, Client, assert_refused, client, item
from tests.dialects.mews.conftest import PICTURES
from tests.running import Running

Size = tuple[int, int]

MODES = {"Scale": "0", "Cover": "1", "CoverExact": "3", "Fit": "4", "FitExact": "5"}
SIZES = {
    "landscape.jpg": (407, 293),
    "portrait.jpg": (211, 317),
    "small.png": (24, 18),
    "turned.jpg": (160, 90),
    "mirrored.jpg": (90, 160),
    "drawing.gif": (160, 120),
    "waving.gif": (60, 44),
    "clear.png": (180, 100),
    "picture.webp": (150, 200),
    "picture.avif": (120, 80),
    "scan.tiff": (120, 80),
    "clear.tiff": (180, 100),
}
BOXES: list[tuple[int | None, int | None]] = [(120, 90), (61, 200), (97, None), (None, 83), (None, None)]
DELIVERED = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
}
BLACK, CLEAR = (0, 0, 0), 0


class Patch(NamedTuple):
    """A colour that `pictures.corners` has, and where its middle lies, in eighths of the sides."""

    colour: tuple[int, int, int]
    x: int
    y: int


PATCHES = (
    Patch(pictures.RED, 1, 1),
    Patch(pictures.GREEN, 7, 1),
    Patch(pictures.BLUE, 1, 7),
    Patch(pictures.YELLOW, 7, 7),
    Patch(pictures.GREY, 4, 4),
)


def expected(mode: str, source: Size, width: int | None, height: int | None) -> Size:
    """The contract's table, in exact arithmetic; a side that follows is rounded to the nearest pixel."""
    if width is None and height is None:
        return source
    across = None if width is None else Fraction(width, source[0])
    down = None if height is None else Fraction(height, source[1])
    if width is None or height is None:
        scale = across or down or Fraction(1)
    elif mode in {"Scale", "CoverExact", "FitExact"}:
        return width, height
    else:
        both = (Fraction(width, source[0]), Fraction(height, source[1]))
        scale = max(both) if mode == "Cover" else min(both)
    half = Fraction(1, 2)
    return max(1, floor(source[0] * scale + half)), max(1, floor(source[1] * scale + half))


def link(image: str, mode: str, width: int | None, height: int | None) -> str:
    sides = "".join(f"&{k}={v}" for k, v in (("Width", width), ("Height", height)) if v is not None)
    return f"/Media/Image/{image}?Mode={mode}{sides}"


def fetched(http: httpx.Client, url: str) -> Image.Image:
    response = http.get(url)
    assert response.status_code == 200, response.text
    return pictures.decode(response.content)


def near(image: Image.Image, x: int, y: int, colour: tuple[int, ...]) -> bool:
    """Whether a pixel has a colour, but for what lossy formats do to it."""
    found = image.convert("RGB").getpixel((x, y))
    assert isinstance(found, tuple)
    return all(abs(a - b) <= 30 for a, b in zip(found, colour, strict=True))


def assert_corners(image: Image.Image, left: int, top: int, width: int, height: int) -> None:
    """All of `pictures.corners` lies there, upright."""
    for patch in PATCHES:
        x, y = left + width * patch.x // 8, top + height * patch.y // 8
        assert near(image, x, y, patch.colour), patch


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_makes_the_size_of_the_table(
    http: httpx.Client, library: dict[str, str], name: str, mode: str
) -> None:
    for spelling in (mode, MODES[mode]):
        for width, height in BOXES:
            size = fetched(http, link(library[name], spelling, width, height)).size
            assert size == expected(mode, SIZES[name], width, height), (spelling, width, height)


def test_the_table_is_what_the_contract_says() -> None:
    """Our own reading of it, on numbers that can be checked by hand."""
    table = {"Scale": (100, 100), "Cover": (200, 100), "CoverExact": (100, 100), "Fit": (100, 50)}
    for mode, size in {**table, "FitExact": (100, 100)}.items():
        assert expected(mode, (400, 200), 100, 100) == size
        assert expected(mode, (40, 20), 100, 100) == size
        assert expected(mode, (400, 200), None, 100) == (200, 100)
        assert expected(mode, (400, 200), None, None) == (400, 200)


@pytest.mark.parametrize("mode", ["Cover", "CoverExact", "Fit", "FitExact"])
def test_a_url_that_was_asked_for_opens_without_a_token(
    demo: Running, http: httpx.Client, library: dict[str, str], mode: str
) -> None:
    owner = client(demo, http, PICTURES)
    [url] = owner.urls(item(library["landscape.jpg"], mode, Width=120, Height=90))
    assert url is not None
    response = httpx.get(url)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    assert pictures.decode(response.content).size == expected(mode, (407, 293), 120, 90)


@pytest.mark.parametrize(
    "name", ["landscape.jpg", "small.png", "drawing.gif", "picture.webp", "picture.avif"]
)
def test_a_picture_keeps_its_format(http: httpx.Client, library: dict[str, str], name: str) -> None:
    response = http.get(link(library[name], "Fit", 40, 40))
    extension = name.rpartition(".")[2]
    assert response.headers["Content-Type"] == DELIVERED[extension]
    assert Image.MIME[pictures.decode(response.content).format or ""] == DELIVERED[extension]


@pytest.mark.parametrize(
    "name", ["turned.jpg", "mirrored.jpg", "landscape.jpg", "portrait.jpg", "picture.webp"]
)
@pytest.mark.parametrize("mode", ["Scale", "Cover", "Fit"])
def test_nothing_is_clipped_and_all_is_upright(
    http: httpx.Client, library: dict[str, str], name: str, mode: str
) -> None:
    image = fetched(http, link(library[name], mode, 120, 130))
    assert_corners(image, 0, 0, *image.size)


@pytest.mark.parametrize("name", ["wide.jpg", "wide.png", "tall.jpg", "tall.png"])
def test_cover_exact_clips_both_ends_alike(http: httpx.Client, library: dict[str, str], name: str) -> None:
    """Of 400 by 100 the middle 200 by 100 is left; the patches are the outer quarters."""
    box = (200, 100) if name.startswith("wide") else (100, 200)
    image = fetched(http, link(library[name], "CoverExact", *box))
    assert image.size == box
    assert all(near(image, x, y, pictures.GREY) for x in (2, box[0] - 3) for y in (2, box[1] - 3))
    image = fetched(http, link(library[name], "CoverExact", *(side + side // 2 for side in box)))
    assert image.size == tuple(side + side // 2 for side in box)


@pytest.mark.parametrize("name", ["wide.jpg", "tall.jpg", "wide.tiff", "landscape.jpg", "turned.jpg"])
def test_fit_exact_pads_with_black_where_the_format_has_no_alpha(
    http: httpx.Client, library: dict[str, str], name: str
) -> None:
    image = fetched(http, link(library[name], "FitExact", 160, 160))
    assert (image.size, image.mode, image.format) == ((160, 160), "RGB", "JPEG")
    left, top, width, height = placed(name)
    assert all(near(image, x, y, BLACK) for x, y in outside(left, top))
    assert_corners(image, left, top, width, height)


@pytest.mark.parametrize("name", ["wide.png", "tall.png", "wide.webp", "wide.gif", "wide.avif", "small.png"])
def test_fit_exact_pads_with_nothing_where_the_format_has_alpha(
    http: httpx.Client, library: dict[str, str], name: str
) -> None:
    image = fetched(http, link(library[name], "FitExact", 160, 160)).convert("RGBA")
    left, top, width, height = placed(name)
    alpha = image.getchannel("A")
    assert all(alpha.getpixel(at) == CLEAR for at in outside(left, top))
    assert alpha.getpixel((80, 80)) == alpha.getpixel((left + 2, top + 2)) == 255
    assert_corners(image, left, top, width, height)


@pytest.mark.parametrize("name", ["clear.png", "clear.tiff"])
def test_what_was_transparent_stays_so(http: httpx.Client, library: dict[str, str], name: str) -> None:
    """The disc (a three-quarter one, red) lies in the middle of 180 by 100, which becomes 160 by 89."""
    image = fetched(http, link(library[name], "FitExact", 160, 160))
    assert image.format == "PNG"
    image = image.convert("RGBA")  # of a few colours, it has a palette
    assert image.getpixel((80, 80)) == (*pictures.RED, 255)
    alpha = image.getchannel("A")
    assert [alpha.getpixel(at) for at in ((1, 1), (1, 80), (158, 80), (80, 38), (80, 158))] == [0] * 5


def placed(name: str) -> tuple[int, int, int, int]:
    """Where a picture lies in a box of 160 by 160, and its size there."""
    sizes = {"wide": (400, 100), "tall": (100, 400)}
    source = SIZES.get(name) or sizes[name.partition(".")[0]]
    width, height = expected("Fit", source, 160, 160)
    return (160 - width) // 2, (160 - height) // 2, width, height


def outside(left: int, top: int) -> list[Size]:
    """Pixels of a box of 160 by 160 that are padding: outermost, and close to the picture."""
    if left:
        return [(0, 0), (159, 159), (0, 80), (159, 80), (left - 9, 80), (160 - left + 9, 80)]
    return [(0, 0), (159, 159), (80, 0), (80, 159), (80, top - 9), (80, 160 - top + 9)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("Mode=2", "Mode"),
        ("Mode=6", "Mode"),
        ("Mode=Fit%20", "Mode"),
        ("Mode=Fit&w=200", "w"),
        ("h=200", "h"),
        ("WIDTH=0", "Width"),
        ("MaxWidth=20", "maxwidth"),
        ("width_px=20", "width_px"),
        ("Mode=%00", "Mode"),
        ("Mode=Fit&Width=0", "Width"),
        ("Mode=Fit&Width=-1", "Width"),
        ("Mode=Fit&Width=1.5", "Width"),
        ("Mode=Fit&Height=x", "Height"),
        ("Mode=Fit&Height=%FF", "Height"),
        ("Mode=Fit&Height=99999999999999999999", "Height"),
    ],
)
def test_a_wrong_parameter_is_named(
    http: httpx.Client, library: dict[str, str], query: str, field: str
) -> None:
    assert_refused(http.get(f"/Media/Image/{library['small.png']}?{query}"), 400, f"Invalid {field}.")


@pytest.mark.parametrize(
    ("mode", "width", "height", "size"),
    [
        ("Scale", 8193, 10, "8193 × 10"),
        ("FitExact", 8192, 8192, "8192 × 8192"),
        ("Cover", 8192, 8192, "10923 × 8192"),
        ("Fit", None, 8000, "10667 × 8000"),
        ("Fit", 999_999_999, None, "999999999 × 749999999"),
    ],
)
def test_a_picture_beyond_the_limits_is_refused_with_a_sentence(
    http: httpx.Client,
    library: dict[str, str],
    mode: str,
    width: int | None,
    height: int | None,
    size: str,
) -> None:
    refused = http.get(link(library["small.png"], mode, width, height))
    sentence = f"The result would have {size} pixels; at most 2500 a side and 40000000 in all are made."
    assert_refused(refused, 400, sentence)


def test_a_picture_within_the_limits_is_made(http: httpx.Client, library: dict[str, str]) -> None:
    assert fetched(http, link(library["small.png"], "Scale", 2500, 10)).size == (2500, 10)


def test_a_url_is_handed_out_if_and_only_if_it_opens(
    demo: Running, http: httpx.Client, library: dict[str, str]
) -> None:
    """Around every edge: of 2,500 pixels, and of the shape that the mode makes of the image."""
    asks = client(demo, http, PICTURES)
    boxes = [(2500, 10), (2501, 10), (10, 2501), (2501, None), (None, 2501), (625, 625), (626, 626)]
    items = [
        item(library[name], mode, Width=width, Height=height)
        for name in ("small.png", "wide.gif", "picture.avif")
        for mode in MODES
        if mode != "Scale"
        for width, height in boxes
    ]
    urls = asks.urls(*items)
    for each, url in zip(items, urls, strict=True):
        path = link(each["ImageId"], each["ResizeMode"], each["Width"], each["Height"])
        assert http.get(path).status_code == (400 if url is None else 200), each
    assert 20 < urls.count(None) < len(urls) - 20


def test_no_url_is_handed_out_for_a_size_that_the_account_does_not_allow(
    demo: Running, http: httpx.Client
) -> None:
    account = "mews-sizes"
    asks = client(demo, http, account)
    bearer = {"Authorization": f"Bearer {demo.token('native', account)}"}
    image = http.post("/v1/images", content=pictures.png(40, 30), headers=bearer).json()["id"]
    demo.cli("account", "sizes", account, "320x240,x30")
    asked = [(320, 240), (240, 320), (None, 30), (30, None), (None, None)]
    urls = asks.urls(*(item(image, "Fit", Width=width, Height=height) for width, height in asked))
    assert [url is not None for url in urls] == [True, False, True, False, False]
    statuses = [http.get(link(image, "Fit", width, height)).status_code for width, height in asked]
    assert statuses == [200, 403, 200, 403, 403]


@pytest.mark.parametrize(
    "path", [UNKNOWN, "none", "", "%00", "..%2F" + UNKNOWN, UNKNOWN + "/", UNKNOWN + "/x"]
)
def test_a_link_to_no_image_is_not_found(http: httpx.Client, path: str) -> None:
    assert_refused(http.get(f"/Media/Image/{path}?Mode=Fit"), 404, "Not found.")


def test_a_link_may_leave_everything_to_us(http: httpx.Client, library: dict[str, str]) -> None:
    bare = http.get(f"/Media/Image/{library['portrait.jpg']}")
    assert (bare.status_code, pictures.decode(bare.content).size) == (200, (211, 317))
    shuffled = fetched(http, f"/Media/Image/{library['portrait.jpg']}?Height=40&Other=1&Mode=Fit&Width=30")
    assert shuffled.size == expected("Fit", (211, 317), 30, 40)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_picture_is_only_read(http: httpx.Client, library: dict[str, str], method: str) -> None:
    refused = http.request(method, link(library["small.png"], "Fit", 10, 10))
    assert_refused(refused, 404, "Not found.")


def test_a_browser_may_keep_a_picture(http: httpx.Client, library: dict[str, str]) -> None:
    url = link(library["small.png"], "Fit", 10, 10)
    first = http.get(url)
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    again = http.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(first.content))


def test_a_client_of_another_account_gets_no_url_for_them(mews: Client, library: dict[str, str]) -> None:
    assert mews.urls(*(item(image) for image in library.values())) == [None] * len(library)


@pytest.mark.parametrize("prefix", ["/media/image/", "/MEDIA/IMAGE/", "/Media/image/"])
def test_a_link_by_hand_may_have_any_case(http: httpx.Client, library: dict[str, str], prefix: str) -> None:
    image = library["landscape.jpg"]
    by_hand = http.get(f"{prefix}{image.upper()}?width=120&MODE=fit&height=90")
    ours = http.get(link(image, "Fit", 120, 90))
    assert (by_hand.status_code, by_hand.content) == (200, ours.content)
    for wrong in (f"{prefix}{image}?w=120", f"{prefix}none"):
        refused = http.get(wrong)
        assert refused.status_code in {400, 404}
        assert list(refused.json()) == ["Message", "RequestId"]
        assert refused.headers["access-control-allow-origin"] == "*"
