"""PNGs without an end, with texts, and with an animation that can't be."""

import pytest
import pyvips

from tests import bombs, pictures
from tintype.imaging import Format, ImageRefused, OutputLimits, Reason, Recipe, inspect, render, verify
from tintype.imaging.headers.png import without_texts
from tintype.imaging.metadata import strip

END_BYTES = 12


@pytest.mark.parametrize("missing", range(1, END_BYTES + 1))
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_without_its_end_is_whole(missing: int, *, interlaced: bool) -> None:
    data = pyvips.Image.new_from_buffer(pictures.png(64, 48), "").pngsave_buffer(interlace=interlaced)
    cut = data[:-missing]
    verify(cut, inspect(cut))
    for width in (64, 20):
        recipe = Recipe(width=width, format=Format.PNG).normal()
        assert render(cut, recipe, OutputLimits()).data == render(data, recipe, OutputLimits()).data


@pytest.mark.parametrize("missing", range(1, END_BYTES + 1))
def test_it_is_stripped_and_has_an_end_then(missing: int) -> None:
    data = pictures.png(64, 48)
    assert strip(data[:-missing], Format.PNG) == strip(data, Format.PNG)


@pytest.mark.parametrize("missing", [1, 5, 20])
def test_one_without_all_its_pixels_is_not(missing: int) -> None:
    data = pictures.png(64, 48)
    cut = data[: -END_BYTES - missing]
    with pytest.raises(ImageRefused) as refused:
        verify(cut, inspect(cut))
    assert refused.value.reason is Reason.DAMAGED


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_compressed_texts_never_reach_the_decoder(kind: bytes) -> None:
    plain = pictures.png()
    data = bombs.png_texts(kind, 20, 1_000_000)
    assert without_texts(data) == plain
    assert without_texts(plain) is None
    assert without_texts(bombs.png_texts(b"tEXt", 3, 100)) is None
    # Also where they stand behind the pixels.
    late = plain[:-END_BYTES] + pictures.png_chunk(b"zTXt", b"a\0\0x") + plain[-END_BYTES:]
    assert without_texts(late) == plain
    verify(data, inspect(data))
    recipe = Recipe(format=Format.PNG).normal()
    assert render(data, recipe, OutputLimits()).data == render(plain, recipe, OutputLimits()).data


@pytest.mark.parametrize(("declared", "frames"), [(0, 1), (2**31, 1), (2**31 + 1, 1), (2**32 - 1, 1), (3, 3)])
def test_an_impossible_number_of_frames_is_overlooked(declared: int, frames: int) -> None:
    data = bombs.png_with((b"acTL", declared.to_bytes(4) + bytes(4)))
    assert inspect(data).frames == frames
    made = render(data, Recipe(format=Format.PNG).normal(), OutputLimits())
    assert (made.width, made.height) == (64, 48)
