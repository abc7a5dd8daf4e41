"""GIFs as browsers show them: what no frame covers is transparent, and missing rows are damage."""

import io
import struct

import pytest
from PIL import Image

from tests import pictures
from tintype.imaging import Format, ImageRefused, OutputLimits, Reason, Recipe, inspect, render, verify

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
SIDE = 16
NOTHING, TO_BACKGROUND = 0, 2


def frame(
    index: int, left: int = 0, side: int = SIDE, *, disposal: int | None = None, colours: int = 4
) -> bytes:
    """A square frame of one colour, at the lower right of `left`."""
    image = Image.new("P", (side, side), index)
    # Pillow finds the code size by the palette.
    image.putpalette([0] * 3 * colours)
    out = io.BytesIO()
    image.save(out, "GIF", optimize=False)
    data = out.getvalue()
    at = data.index(b",\0\0\0\0")
    control = b"" if disposal is None else bytes((0x21, 0xF9, 4, disposal << 2, 10, 0, 0, 0))
    return control + b"," + struct.pack("<4H", left, left, side, side) + data[at + 9 : -1]


def gif(*frames: bytes) -> bytes:
    """A GIF of red, green, blue and black, whose background is blue."""
    palette = bytes((*RED, *GREEN, *BLUE, 0, 0, 0))
    return b"GIF89a" + struct.pack("<HH", SIDE, SIDE) + b"\x91\x02\0" + palette + b"".join(frames) + b";"


def shown(data: bytes, format_: Format, number: int = 0) -> Image.Image:
    """A frame of a rendition, as an independent decoder shows it."""
    made = render(data, Recipe(format=format_).normal(), OutputLimits())
    image = Image.open(io.BytesIO(made.data))
    image.seek(number)
    return image.convert("RGBA")


def alpha(image: Image.Image, x: int, y: int) -> object:
    return image.getchannel("A").getpixel((x, y))


@pytest.mark.parametrize("format_", [Format.PNG, Format.GIF, Format.WEBP])
def test_what_a_still_does_not_cover_is_transparent(format_: Format) -> None:
    data = gif(frame(1, left=8, side=8))
    assert inspect(data).has_alpha
    image = shown(data, format_)
    assert alpha(image, 2, 2) == 0
    assert pictures.near(image.getpixel((12, 12)), (*GREEN, 255))


@pytest.mark.parametrize("format_", [Format.GIF, Format.WEBP])
def test_a_frame_that_is_disposed_of_leaves_the_canvas_transparent(format_: Format) -> None:
    data = gif(frame(0, disposal=TO_BACKGROUND), frame(1, left=8, side=8, disposal=NOTHING))
    assert pictures.near(shown(data, format_).getpixel((2, 2)), (*RED, 255))
    second = shown(data, format_, 1)
    assert alpha(second, 2, 2) == 0
    assert pictures.near(second.getpixel((12, 12)), (*GREEN, 255))


def test_what_needs_no_transparency_gets_none() -> None:
    covering = gif(frame(0, disposal=TO_BACKGROUND), frame(1, disposal=TO_BACKGROUND))
    kept = gif(frame(0, disposal=NOTHING), frame(1, left=8, side=8, disposal=NOTHING))
    for data in (covering, kept, pictures.gif(), pictures.gif(frames=3)):
        assert not inspect(data).has_alpha


def test_a_colour_that_pixels_have_does_not_become_transparent() -> None:
    """A frame of 256 colours, of which it uses all but 7; also the last, which others would take."""
    image = Image.new("P", (SIDE, SIDE))
    image.putdata([index if index != 7 else 8 for index in range(256)])
    image.putpalette([value for index in range(256) for value in (index, 255 - index, 0)])
    out = io.BytesIO()
    image.save(out, "GIF", optimize=False)
    data = bytearray(out.getvalue())
    data[6:10] = struct.pack("<HH", 2 * SIDE, SIDE)
    made = shown(bytes(data), Format.PNG)
    assert made.size == (2 * SIDE, SIDE)
    assert alpha(made, SIDE + 3, 3) == 0
    for index in (0, 6, 8, 200, 255):
        assert made.getpixel((index % SIDE, index // SIDE)) == (index, 255 - index, 0, 255)


def cut_rows(data: bytes, rows: int) -> bytes:
    """A GIF of one frame whose pixels end properly after some rows."""
    image = Image.open(io.BytesIO(data))
    part = image.crop((0, 0, image.width, rows))
    out = io.BytesIO()
    part.save(out, "GIF", optimize=False)
    short = bytearray(out.getvalue())
    at = short.index(b",\0\0\0\0")
    size = struct.pack("<HH", *image.size)
    short[6:10] = short[at + 5 : at + 9] = size
    return bytes(short)


@pytest.mark.parametrize("colours", [4, 256])
@pytest.mark.parametrize("rows", [1, 20, 63])
def test_data_for_some_of_its_rows_is_damage(rows: int, colours: int) -> None:
    whole = pictures.encode(pictures.photo(64, 64).quantize(colours), "gif")
    verify(whole, inspect(whole))
    short = cut_rows(whole, rows)
    with pytest.raises(ImageRefused) as refused:
        verify(short, inspect(short))
    assert refused.value.reason is Reason.DAMAGED


def test_rows_of_every_frame_are_looked_for() -> None:
    whole = frame(0, disposal=NOTHING)
    half = frame(1, side=8, disposal=NOTHING)
    at = half.index(b",") + 5
    short = half[:at] + struct.pack("<HH", SIDE, SIDE) + half[at + 4 :]
    verify(gif(whole, half), inspect(gif(whole, half)))
    with pytest.raises(ImageRefused):
        verify(gif(whole, short), inspect(gif(whole, short)))
