"""Hostile SVG: no scripts, no external references."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.extra_pictures import svg
from tintype.imaging import ImageRefused, Limits, Reason, Recipe, inspect, render

GREEN = (20, 200, 30, 255)
PLAIN = '<rect width="80" height="60" fill="#14c81e"/>'
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder with pictures and text in plain red, which would be seen."""
    red = Image.new("RGB", (80, 60), (255, 0, 0))
    (tmp_path / "red.png").write_bytes(pictures.encode(red, "png"))
    (tmp_path / "red.svg").write_bytes(svg('<rect id="a" width="80" height="60" fill="#f00"/>'))
    (tmp_path / "red.css").write_text("rect { fill: #f00 !important }")
    (tmp_path / "red.txt").write_text('<rect width="80" height="60" fill="#f00"/>')
    return tmp_path


def spellings(path: Path) -> Iterator[str]:
    """The ways to name a file from a document that has no address."""
    yield path.as_uri()
    yield str(path)
    yield os.path.relpath(path, "/")
    yield os.path.relpath(path)


def drawn(data: bytes) -> Image.Image:
    return pictures.decode(render(data, Recipe()).data).convert("RGBA")


def assert_plain(data: bytes) -> None:
    """What is drawn is the green beneath, and nothing else; or it is refused."""
    try:
        image = drawn(data)
    except ImageRefused as refused:
        assert refused.reason is Reason.DAMAGED  # noqa: PT017  a refusal or a plain picture, both are right
        return
    assert image.getcolors() == [(80 * 60, GREEN)]


@pytest.mark.parametrize(
    "inside",
    [
        '<image width="80" height="60" href="{red.png}"/>',
        f'<image width="80" height="60" {XLINK} xlink:href="{{red.png}}"/>',
        '<image width="80" height="60" href="{red.svg}"/>',
        '<use href="{red.svg}#a"/>',
        f'<use {XLINK} xlink:href="{{red.svg}}#a"/>',
        "<style>@import url({red.css});</style>",
        '<style>@import "{red.css}";</style>',
        '<rect width="80" height="60" fill="url({red.svg}#a)"/>',
        '<rect width="80" height="60" fill="#14c81e" style="mask: url({red.svg}#a)"/>',
        '<filter id="f"><feImage href="{red.png}"/></filter><rect width="80" height="60" filter="url(#f)"/>',
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{red.svg}"/>',
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="{red.txt}"/>',
        f'<foreignObject width="80" height="60"><img {XHTML} src="{{red.png}}"/></foreignObject>',
        f'<foreignObject width="80" height="60"><p {XHTML} style="background:#f00">x</p></foreignObject>',
        "<script>document.querySelector('rect').setAttribute('fill', '#f00')</script>",
        '<animate href="#a" attributeName="fill" to="#f00"/>',
    ],
)
def test_no_file_is_seen(secret: Path, inside: str) -> None:
    names = [path.name for path in secret.iterdir() if f"{{{path.name}}}" in inside]
    for spelt in zip(*(spellings(secret / name) for name in names), strict=True) if names else [()]:
        element = inside
        for name, address in zip(names, spelt, strict=True):
            element = element.replace(f"{{{name}}}", address)
        assert_plain(svg(PLAIN + element))


@pytest.mark.parametrize("declared", ['SYSTEM "{}"', 'PUBLIC "-//x//y" "{}"'])
def test_no_entity_brings_a_file(secret: Path, declared: str) -> None:
    for address in spellings(secret / "red.txt"):
        head = f"<!DOCTYPE svg [<!ENTITY red {declared.format(address)}>]>".encode()
        assert_plain(head + svg(f"{PLAIN}&red;"))
        assert_plain(head.replace(b"ENTITY red", b"ENTITY % red").replace(b"]>", b"%red;]>") + svg(PLAIN))


def test_a_stylesheet_instruction_brings_no_file(secret: Path) -> None:
    for address in spellings(secret / "red.css"):
        assert_plain(f'<?xml-stylesheet href="{address}"?>'.encode() + svg(PLAIN))


def test_an_internal_entity_is_just_text() -> None:
    assert_plain(b'<!DOCTYPE svg [<!ENTITY green "#14c81e">]>' + svg(PLAIN.replace("#14c81e", "&green;")))


@pytest.mark.parametrize("where", ["<text>{}</text>", '<rect width="{}"/>'])
def test_a_billion_laughs_are_not_heard(where: str) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE svg [<!ENTITY l0 "ha">{entities}]>'.encode()
    began = time.process_time()
    assert_plain(head + svg(PLAIN + where.format("&l11;")))
    assert_plain(head + svg(PLAIN, more='id="&l11;"'))
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        ("20001", "1", Reason.TOO_LARGE_SIDE),
        ("1e9", "60", Reason.TOO_LARGE_SIDE),
        ("999999999", "999999999", Reason.TOO_LARGE_SIDE),
        ("19000", "19000", Reason.TOO_MANY_PIXELS),
        ("1000in", "1", Reason.TOO_LARGE_SIDE),
        ("0", "60", Reason.DAMAGED),
        ("-5", "60", None),
    ],
)
def test_what_is_huge_or_nothing_is_refused_before_it_is_drawn(
    width: str, height: str, reason: Reason | None
) -> None:
    data = svg(PLAIN, width=width, height=height)
    if reason is None:
        # No length that we read: as if it weren't there. The view box has the aspect.
        assert inspect(data).width == 80
        return
    with pytest.raises(ImageRefused) as caught:
        inspect(data)
    assert caught.value.reason is reason


def test_what_is_too_long_to_be_parsed_is_refused_by_its_length(tmp_path: Path) -> None:
    data = svg(PLAIN + "<!--" + "x" * 1000 + "-->")
    (tmp_path / "long").write_bytes(data)
    assert inspect(data, Limits(max_svg_bytes=len(data))).width == 80
    for source in (data, tmp_path / "long"):
        with pytest.raises(ImageRefused) as caught:
            inspect(source, Limits(max_svg_bytes=len(data) - 1))
        assert caught.value.reason is Reason.TOO_COSTLY


def test_many_fonts_cost_no_more_than_the_letters_drawn_in_them() -> None:
    named = "".join(f"<g font-family='Font {n}, Other {n}'/>" for n in range(90_000))
    data = svg(PLAIN + named)
    assert len(data) < Limits().max_svg_bytes
    began = time.process_time()
    assert_plain(data)
    assert time.process_time() - began < 10
