import io

import pytest
from PIL import Image, ImageDraw, ImageSequence

from tests import pictures
from tests.pictures import near
from tintype.imaging import Format, Mode, OutputLimits, Recipe, render

MOVING = [Format.GIF, Format.WEBP]
STILL = [Format.JPEG, Format.PNG, Format.AVIF]
COLOURS = [pictures.RED, pictures.GREEN, pictures.BLUE, pictures.YELLOW, pictures.GREY]
DELAYS = [50, 200, 120, 1000, 70]  # milliseconds


def solid(format_: str, frames: int = 5, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    """An animation of frames of one colour each, different from their neighbours."""
    made = [Image.new("RGB", size, COLOURS[at % len(COLOURS)]) for at in range(frames)]
    return joined(made, format_, **options)


def joined(frames: list[Image.Image], format_: str, **options: object) -> bytes:
    delays = [DELAYS[at % len(DELAYS)] for at in range(len(frames))]
    save_options = {
        "duration": delays,
        "loop": 0,
        **({"lossless": True} if format_ == "webp" else {}),
        **options,
    }
    return pictures.encode(frames[0], format_, save_all=True, append_images=frames[1:], **save_options)


def frames_of(data: bytes) -> list[Image.Image]:
    image = Image.open(io.BytesIO(data))
    return [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]


def delays_of(data: bytes) -> list[int]:
    image = Image.open(io.BytesIO(data))
    delays = []
    for at in range(image.n_frames):  # type: ignore[attr-defined]  # of what can have frames
        image.seek(at)
        image.load()
        delays.append(image.info["duration"])
    return delays


@pytest.mark.parametrize("target", MOVING)
@pytest.mark.parametrize("source", MOVING)
def test_every_frame_is_kept_with_its_delay(source: Format, target: Format) -> None:
    data = render(solid(source), Recipe(width=20, format=target)).data
    assert delays_of(data) == DELAYS
    assert all(
        near(frame.getpixel((10, 7)), (*colour, 255), 8)
        for frame, colour in zip(frames_of(data), COLOURS, strict=True)
    )


@pytest.mark.parametrize("source", MOVING)
def test_an_animation_stays_one_in_its_own_format(source: Format) -> None:
    rendition = render(solid(source), Recipe(width=20))
    assert rendition.format is source
    assert (rendition.width, rendition.height) == (20, 15)
    assert {frame.size for frame in frames_of(rendition.data)} == {(20, 15)}
    assert len(frames_of(rendition.data)) == 5


@pytest.mark.parametrize("target", STILL)
@pytest.mark.parametrize("source", MOVING)
def test_where_nothing_moves_it_is_the_first_frame(source: Format, target: Format) -> None:
    image = pictures.decode(render(solid(source), Recipe(width=20, format=target)).data)
    assert getattr(image, "n_frames", 1) == 1
    assert image.size == (20, 15)
    assert near(image.convert("RGB").getpixel((10, 7)), pictures.RED, 8)


@pytest.mark.parametrize("target", MOVING)
def test_of_an_apng_it_is_the_first_frame(target: Format) -> None:
    assert len(frames_of(render(pictures.apng(3), Recipe(format=target)).data)) == 1


@pytest.mark.parametrize("size", [(13, 7), (20, 15), (41, 31), (160, 120), (3, 200)])
@pytest.mark.parametrize("target", MOVING)
@pytest.mark.parametrize("mode", [Mode.SCALE, Mode.COVER_EXACT])
def test_no_frame_bleeds_into_another(target: Format, size: tuple[int, int], mode: Mode) -> None:
    recipe = Recipe(mode=mode, width=size[0], height=size[1], format=target, quality=100)
    frames = frames_of(render(solid("gif"), recipe).data)
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert frame.size == size
        assert all(near(pixel, (*colour, 255), 8) for pixel in pictures.pixels(frame))


@pytest.mark.parametrize("target", MOVING)
def test_every_frame_is_padded(target: Format) -> None:
    recipe = Recipe(mode=Mode.FIT_EXACT, width=40, height=60, format=target)
    for frame, colour in zip(frames_of(render(solid("webp"), recipe).data), COLOURS, strict=True):
        assert frame.size == (40, 60)
        assert near(frame.getpixel((20, 30)), (*colour, 255), 8)
        assert [frame.getpixel((20, y))[3] for y in (0, 14, 45, 59)] == [0, 0, 0, 0]  # type: ignore[index]


# A WebP always says how often it plays.
LOOPS = [(Format.GIF, None), *((source, loop) for source in MOVING for loop in (0, 1, 5))]


@pytest.mark.parametrize(("source", "loop"), LOOPS)
@pytest.mark.parametrize("target", MOVING)
def test_it_plays_as_often_as_before(source: Format, target: Format, loop: int | None) -> None:
    data = pictures.encode(
        Image.new("RGB", (8, 6), pictures.RED),
        source,
        save_all=True,
        append_images=[Image.new("RGB", (8, 6), pictures.BLUE)],
        duration=100,
        **({} if loop is None else {"loop": loop}),
    )
    assert plays(render(data, Recipe(format=target)).data) == plays(data)


def plays(data: bytes) -> int | None:
    """How often it plays; None: for ever. A GIF says how often it is repeated, a WebP how often shown."""
    image = Image.open(io.BytesIO(data))
    loop = image.info.get("loop")
    if loop == 0:
        return None
    return (1 if loop is None else loop + 1) if image.format == "GIF" else loop


@pytest.mark.parametrize("target", MOVING)
@pytest.mark.parametrize("disposal", [1, 2])
def test_frames_come_out_as_they_are_shown(disposal: int, target: Format) -> None:
    """A square wanders over a ground: left there (1), or cleared (2), as the GIF says."""
    frames = []
    for at in range(4):
        frame = Image.new("RGBA", (64, 32), (0, 0, 0, 0))
        ImageDraw.Draw(frame).rectangle((at * 16, 8, at * 16 + 15, 23), fill=(*COLOURS[at], 255))
        frames.append(frame)
    data = joined(frames, "gif", disposal=disposal)
    shown = frames_of(data)
    for ours, theirs in zip(
        frames_of(render(data, Recipe(width=32, format=target)).data), shown, strict=True
    ):
        for x in (4, 12, 20, 28):
            expected, pixel = theirs.getpixel((x * 2, 16)), ours.getpixel((x, 8))
            assert isinstance(expected, tuple)
            assert isinstance(pixel, tuple)
            assert near(pixel, expected, 12) or pixel[3] == expected[3] == 0


@pytest.mark.parametrize("target", MOVING)
def test_the_edges_of_transparent_frames_are_not_darkened(target: Format) -> None:
    frames = [pictures.translucent(80, 80, colour) for colour in (pictures.RED, pictures.YELLOW)]
    recipe = Recipe(width=33, format=target, lossless=target is Format.WEBP)
    data = render(joined(frames, "webp"), recipe).data
    for frame, colour in zip(frames_of(data), (pictures.RED, pictures.YELLOW), strict=True):
        assert frame.getpixel((0, 0))[3] == 0  # type: ignore[index]
        assert all(near(pixel[:3], colour, 8) for pixel in pictures.pixels(frame) if pixel[3] > 200)


@pytest.mark.parametrize(
    ("recipe", "limits", "frames"),
    [
        (Recipe(width=20, frames=2), OutputLimits(), 2),
        (Recipe(width=20, frames=1), OutputLimits(), 1),
        (Recipe(width=20, frames=99), OutputLimits(), 5),
        (Recipe(width=20), OutputLimits(max_frames=3), 3),
        (Recipe(width=20, frames=4), OutputLimits(max_frames=3), 3),
        (Recipe(width=20), OutputLimits(max_total_pixels=4 * 20 * 15), 4),
        (Recipe(width=20), OutputLimits(max_total_pixels=4 * 20 * 15 - 1), 3),
        (Recipe(width=20), OutputLimits(max_total_pixels=1), 1),
        # Enlarged from 40 by 30: as many pixels as allowed, or as the five frames of the source have.
        (Recipe(width=60), OutputLimits(max_enlarged_pixels=4 * 60 * 45), 4),
        (Recipe(width=60), OutputLimits(max_enlarged_pixels=1), 2),
        (Recipe(width=60), OutputLimits(max_enlarged_pixels=1, max_total_pixels=60 * 45), 1),
        (Recipe(width=40), OutputLimits(max_enlarged_pixels=1), 5),
    ],
)
@pytest.mark.parametrize("source", MOVING)
def test_the_first_frames_are_kept_up_to_the_limits(
    source: Format, recipe: Recipe, limits: OutputLimits, frames: int
) -> None:
    data = render(solid(source), recipe, limits).data
    kept = frames_of(data)
    assert len(kept) == frames
    assert all(
        near(frame.getpixel((10, 7)), (*colour, 255), 8) for frame, colour in zip(kept, COLOURS, strict=False)
    )
    assert frames == 1 or delays_of(data) == DELAYS[:frames]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_every_frame_is_brought_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION_TAG] = orientation
    turned = [
        image.transpose(pictures.STORED_AS[orientation]) if orientation != 1 else image
        for image in (pictures.corners(60, 40), pictures.corners(60, 40).convert("L").convert("RGB"))
    ]
    data = joined(turned, "webp", exif=exif.tobytes())
    first, second = frames_of(render(data, Recipe(width=30)).data)
    assert first.size == second.size == (30, 20)
    assert near(first.getpixel((2, 2)), (*pictures.RED, 255), 16)
    assert near(first.getpixel((27, 17)), (*pictures.YELLOW, 255), 16)
    grey = pictures.corners(60, 40).convert("L").getpixel((2, 2))
    assert near(second.getpixel((2, 2)), (grey, grey, grey, 255), 16)  # type: ignore[arg-type]


def test_an_animated_webp_has_at_most_the_bytes_asked() -> None:
    source = pictures.webp(160, 120, frames=4)
    free = render(source, Recipe(width=80)).data
    bounded = render(source, Recipe(width=80, max_bytes=len(free) // 2)).data
    assert len(bounded) <= len(free) // 2
    assert len(frames_of(bounded)) == 4
