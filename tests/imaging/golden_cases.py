"""Golden renditions: their pixels are stored, and compared with those of every later engine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageSequence

from tests import pictures
from tintype.imaging import Colour, Crop, Focal, Format, Mode, Recipe, render

FOLDER = Path(__file__).parent / "golden"
EXACT, SAME_LEVELS, LOSSY = (2, 0.2), (6, 0.8), (14, 1.5)
"""Maximum and mean difference of levels allowed in each band."""


@dataclass(frozen=True)
class Case:
    """A source, a recipe, and the tolerance of the comparison."""

    name: str
    source: Callable[[], bytes]
    recipe: Recipe
    tolerance: tuple[int, float] = EXACT

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.png"


def drawn(case: Case) -> Image.Image:
    """The rendition's pixels (RGBA, by Pillow); those of an animation one frame below the other."""
    image = pictures.decode(render(case.source(), case.recipe).data)
    frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]
    sheet = Image.new("RGBA", (image.width, image.height * len(frames)))
    for at, frame in enumerate(frames):
        sheet.paste(frame, (0, at * image.height))
    return sheet


def photo() -> bytes:
    return pictures.png(120, 90)


def photo_as_jpeg() -> bytes:
    return pictures.jpeg(480, 360, quality=95)


def corners() -> bytes:
    return pictures.encode(pictures.corners(80, 60), "png")


def disc() -> bytes:
    return pictures.encode(pictures.translucent(90, 70), "png")


def drawing() -> bytes:
    return pictures.encode(pictures.corners(80, 60).quantize(8), "png")


def inks() -> bytes:
    return pictures.encode(pictures.corners(80, 60).convert("CMYK"), "tiff")


def moving() -> bytes:
    frames = [pictures.corners(60, 40).rotate(90 * turns) for turns in range(3)]
    return pictures.encode(
        frames[0], "webp", save_all=True, append_images=frames[1:], duration=[80, 90, 100], lossless=True
    )


def with_profile() -> bytes:
    return pictures.encode(pictures.corners(80, 60), "png", icc_profile=pictures.red_green_swapped_profile())


CASES = (
    Case("photo-to-png", photo, Recipe(width=48)),
    Case("photo-to-jpeg", photo, Recipe(width=48, format=Format.JPEG), LOSSY),
    Case("photo-to-jpeg-95", photo, Recipe(width=48, format=Format.JPEG, quality=95), SAME_LEVELS),
    Case("photo-to-webp", photo, Recipe(width=48, format=Format.WEBP), LOSSY),
    Case("photo-to-webp-lossless", photo, Recipe(width=48, format=Format.WEBP, lossless=True)),
    Case("photo-to-gif", photo, Recipe(width=48, format=Format.GIF), LOSSY),
    Case("photo-to-avif", photo, Recipe(width=48, format=Format.AVIF), LOSSY),
    Case("photo-to-avif-lossless", photo, Recipe(width=48, format=Format.AVIF, lossless=True)),
    Case("photo-enlarged", lambda: pictures.png(24, 18), Recipe(width=60)),
    Case("photo-in-linear-light", photo, Recipe(width=48, linear=True)),
    Case("jpeg-shrunk-on-load", photo_as_jpeg, Recipe(width=48, format=Format.PNG), SAME_LEVELS),
    Case(
        "jpeg-clipped",
        photo_as_jpeg,
        Recipe(width=40, height=40, mode=Mode.COVER_EXACT, format=Format.PNG),
        SAME_LEVELS,
    ),
    Case(
        "webp-shrunk-on-load",
        lambda: pictures.webp(480, 360),
        Recipe(width=40, height=40, format=Format.PNG),
        SAME_LEVELS,
    ),
    Case("distorted", corners, Recipe(width=30, height=70, mode=Mode.SCALE)),
    Case("clipped-to-the-middle", corners, Recipe(width=40, height=40, mode=Mode.COVER_EXACT)),
    Case(
        "clipped-to-a-point",
        corners,
        Recipe(width=40, height=40, mode=Mode.COVER_EXACT, focal=Focal(0.1, 0.5)),
    ),
    Case(
        "clipped-by-attention",
        corners,
        Recipe(width=20, height=40, mode=Mode.COVER_EXACT, crop=Crop.ATTENTION),
    ),
    Case("padded", corners, Recipe(width=40, height=40, mode=Mode.FIT_EXACT)),
    Case(
        "padded-in-a-jpeg",
        corners,
        Recipe(width=40, height=40, mode=Mode.FIT_EXACT, format=Format.JPEG),
        LOSSY,
    ),
    Case(
        "padded-with-a-colour",
        corners,
        Recipe(width=40, height=40, mode=Mode.FIT_EXACT, background=Colour(10, 90, 200)),
    ),
    Case("transparent", disc, Recipe(width=33)),
    Case("transparent-on-a-colour", disc, Recipe(width=33, background=Colour(10, 90, 200, 128))),
    Case("transparent-in-a-jpeg", disc, Recipe(width=33, format=Format.JPEG), LOSSY),
    Case("transparent-in-a-webp", disc, Recipe(width=33, format=Format.WEBP), LOSSY),
    Case("palette", drawing, Recipe(width=40)),
    Case("grey", lambda: pictures.encode(pictures.photo(90, 60).convert("L"), "png"), Recipe(width=45)),
    Case("sixteen-bits", lambda: pictures.png_16_bit(30, 20, (0xC800, 0x6400, 0x3200)), Recipe(width=10)),
    Case("inks", inks, Recipe(width=40, format=Format.PNG), SAME_LEVELS),
    Case("a-profile", with_profile, Recipe(width=40)),
    Case("on-its-side", lambda: pictures.oriented(6, 80, 60, "png"), Recipe(width=40)),
    Case("mirrored", lambda: pictures.oriented(7, 80, 60, "png"), Recipe(width=40)),
    Case("moving-to-webp", moving, Recipe(width=30, lossless=True)),
    Case("moving-to-gif", moving, Recipe(width=30, format=Format.GIF), LOSSY),
)
