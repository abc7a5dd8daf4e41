"""Originals to measure with: pictures that cost a decoder and an encoder what photographs do.

A photograph's power falls with the square of the frequency, its objects hide each other at sharp edges, some
of it is flat and some of it rich, and all of it has grain. So are these: leaves of every size one upon
another (Lee, Mumford and Huang, 2001), lettering, and noise of equal power in each octave, stronger here than
there.
"""

import random
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyvips
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

MAKING = 2
"""Part of every file's name: raise it when the same seed would make another picture."""
LEAVES = 900
LETTERINGS = 12
OCTAVES = 10
COARSEST, FINEST = 8.0, 5.0
"""Standard deviations of the coarser octaves, and of the finest two, which a lens weakens; of 255 levels."""
GRAIN = 2.4
JPEG_QUALITY = 90
COPIES = 8
"""Originals of each size: the same few pixels under different checksums."""
SEEDS = (1, 2)


class Original(Struct, frozen=True):
    """An original picture: its file, and its sides in pixels."""

    path: Path
    width: int
    height: int


class Size(Struct, frozen=True):
    """A kind of original; `name` says its size in megapixels."""

    name: str
    width: int
    height: int


JPEG_SIZES = (
    Size("2 MP", 1920, 1280),
    Size("6 MP", 2725, 2225),
    Size("12 MP", 4000, 3000),
    Size("24 MP", 6000, 4000),
    Size("50 MP", 8688, 5792),
)
PNG_SIZES = (Size("1 MP", 1200, 900), Size("3 MP", 2048, 1536), Size("12 MP", 4000, 3000))


def jpegs(folder: Path, size: Size, copies: int = COPIES) -> list[Original]:
    """JPEGs in sRGB, quality 90, 4:2:0; made in the folder if they aren't there."""
    return list(_originals(folder, size, "jpg", copies))


def pngs(folder: Path, size: Size, copies: int = COPIES) -> list[Original]:
    """PNGs in sRGB with a soft-edged alpha; made in the folder if they aren't there."""
    return list(_originals(folder, size, "png", copies))


def given(folder: Path, to: Path, *, png: bool, longer_than: int) -> list[Original]:
    """The pictures of a folder, copied to one level; those with a shorter side are left out."""
    to.mkdir(exist_ok=True)
    suffixes = {".png"} if png else {".jpg", ".jpeg"}
    kept = []
    for number, path in enumerate(
        sorted(each for each in folder.rglob("*") if each.suffix.lower() in suffixes)
    ):
        with Image.open(path) as image:
            width, height = image.size
        if min(width, height) > longer_than:
            copy = to / f"{number}.{'png' if png else 'jpg'}"
            kept.append(Original(Path(shutil.copy(path, copy)), width, height))
    return kept


def _originals(folder: Path, size: Size, suffix: str, copies: int) -> Iterator[Original]:
    folder.mkdir(parents=True, exist_ok=True)
    data: dict[int, bytes] = {}
    for number in range(copies):
        seed = SEEDS[number % len(SEEDS)]
        path = folder / f"{size.width}x{size.height}-{seed}-{number}-v{MAKING}.{suffix}"
        if not path.exists():
            data[seed] = data.get(seed) or _encoded(size, seed, suffix)
            draft = path.with_suffix(".draft")
            draft.write_bytes(_commented(data[seed], f"copy {number}"))
            draft.replace(path)
        yield Original(path, size.width, size.height)


def _encoded(size: Size, seed: int, suffix: str) -> bytes:
    photograph = _photograph(size.width, size.height, seed)
    if suffix == "jpg":
        return bytes(photograph.jpegsave_buffer(Q=JPEG_QUALITY, subsample_mode="on", keep="none"))
    alpha = _from_pillow(_soft_disc(size.width, size.height))
    return bytes(photograph.bandjoin(alpha).pngsave_buffer(compression=6, keep="none"))


def _photograph(width: int, height: int, seed: int) -> pyvips.Image:
    """A picture of 8 bits in sRGB; the same seed makes the same picture."""
    scene = _from_pillow(_leaves(width, height, random.Random(seed))).gaussblur(0.7)  # noqa: S311  a seed is wanted
    richness = _texture(width, height, seed + 100, octaves=4) * 0.06 + 0.6
    light = _texture(width, height, seed + 200, octaves=OCTAVES) * (richness > 0).ifthenelse(richness, 0)
    grain = pyvips.Image.gaussnoise(width, height, sigma=GRAIN, mean=0, seed=seed + 300)
    shaded = scene + light + grain
    return shaded.rint().cast("uchar").copy(interpretation="srgb")


def _texture(width: int, height: int, seed: int, *, octaves: int) -> pyvips.Image:
    """One band about zero, of equal power in every octave, from cells of an eighth of the picture on."""
    longest = max(width, height)
    cells = 8
    image = _cells(width, height, cells, seed, COARSEST)
    for octave in range(1, octaves):
        cells *= 2
        if cells > longest:
            break
        finer = _cells(width, height, cells, seed + octave, FINEST if cells * 4 > longest else COARSEST)
        image = _grown(image, finer.width, finer.height) + finer
    return _grown(image, width, height)


def _cells(width: int, height: int, cells: int, seed: int, sigma: float) -> pyvips.Image:
    scale = cells / max(width, height)
    across, down = max(2, round(width * scale)), max(2, round(height * scale))
    return pyvips.Image.gaussnoise(across, down, sigma=sigma, mean=0, seed=seed).copy_memory()


def _grown(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    return image.resize(width / image.width, vscale=height / image.height, kernel="cubic").crop(
        0, 0, width, height
    )


def _leaves(width: int, height: int, dice: random.Random) -> Image.Image:
    """Discs and polygons of every size, the large ones first, and some lettering on top."""
    image = Image.new("RGB", (width, height), (150, 170, 200))
    draw = ImageDraw.Draw(image)
    # Sizes by a power law, so that the picture looks alike at every distance.
    radii = sorted((0.5 / (1 + 60 * dice.random() ** 0.6) for _ in range(LEAVES)), reverse=True)
    for radius in radii:
        x, y, r = dice.uniform(0, width), dice.uniform(0, height), radius * max(width, height) / 2
        if dice.random() < 0.5:  # noqa: PLR2004  half of them
            draw.ellipse((x - r, y - r * dice.uniform(0.4, 1), x + r, y + r), fill=_colour(dice))
        else:
            draw.regular_polygon((x, y, r), dice.randint(3, 6), dice.uniform(0, 360), fill=_colour(dice))
    for _ in range(LETTERINGS):
        font = ImageFont.load_default(max(8, width * dice.uniform(0.01, 0.04)))
        position = (dice.uniform(0, width * 0.8), dice.uniform(0, height * 0.9))
        draw.text(position, "Tintype 1853", fill=_colour(dice), font=font)
    return image


def _colour(dice: random.Random) -> tuple[int, int, int]:
    """Muted, as most things are: a grey with a tint."""
    light = dice.triangular(25, 230, 110)
    red, green, blue = (round(min(245.0, max(10.0, light + dice.gauss(0, 22)))) for _ in range(3))
    return red, green, blue


def _soft_disc(width: int, height: int) -> Image.Image:
    """Opaque in the middle, transparent in the corners, a broad slope between."""
    gradient = Image.radial_gradient("L").point([max(0, min(255, 640 - 3 * level)) for level in range(256)])
    return gradient.resize((width, height), Image.Resampling.BICUBIC)


def _from_pillow(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_memory(
        image.tobytes(), image.width, image.height, len(image.getbands()), "uchar"
    )


def _commented(data: bytes, text: str) -> bytes:
    """The same picture in other bytes: with a comment that no decoder shows."""
    return (_commented_jpeg if data.startswith(b"\xff\xd8") else _commented_png)(data, text.encode())


def _commented_jpeg(data: bytes, text: bytes) -> bytes:
    """A COM segment (ITU-T T.81, B.2.4.5) behind the first segment, which JFIF wants to stay first."""
    behind = 4 + int.from_bytes(data[4:6])
    return data[:behind] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[behind:]


def _commented_png(data: bytes, text: bytes) -> bytes:
    """A tEXt chunk (PNG, 11.3.3.2) before IEND, whose chunk is the last 12 bytes."""
    chunk = b"tEXtComment\0" + text
    length, check = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    return data[:-12] + length + chunk + check + data[-12:]
