"""Seeded test pictures, made with Pillow and by hand: never with libvips, which is what is being tested."""

import io
import random
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, ImageDraw

from tests import bitmaps

RED = (230, 20, 20)
GREEN = (20, 200, 30)
BLUE = (20, 30, 220)
YELLOW = (240, 220, 20)
GREY = (128, 128, 128)

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GPS_IFD = 0x8825
ORIENTATION_TAG = 0x0112

# How an upright picture has to be stored so that the EXIF orientation (1 to 8) brings it back upright:
# each is the inverse of what TIFF 6.0 says of the tag.
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def photo(width: int, height: int, seed: int = 1) -> Image.Image:
    """A smooth picture (RGB) with the look of a photograph: broad shapes, some detail, a little grain."""
    dice = random.Random(seed)
    broad = _noise(dice, 5, 4).resize((width, height), Image.Resampling.BICUBIC)
    detail = _noise(dice, 23, 17).resize((width, height), Image.Resampling.BICUBIC)
    grain = _noise(dice, min(width, 64), min(height, 64)).resize((width, height), Image.Resampling.BILINEAR)
    return Image.blend(Image.blend(broad, detail, 0.3), grain, 0.05)


def corners(width: int, height: int) -> Image.Image:
    """Grey (RGB), with red, green, blue and yellow patches top left, top right, bottom left, bottom right.

    Each patch is a quarter of the width by a quarter of the height.
    """
    image = Image.new("RGB", (width, height), GREY)
    draw = ImageDraw.Draw(image)
    w, h = max(width // 4, 1), max(height // 4, 1)
    for colour, x, y in (
        (RED, 0, 0),
        (GREEN, width - w, 0),
        (BLUE, 0, height - h),
        (YELLOW, width - w, height - h),
    ):
        draw.rectangle((x, y, x + w - 1, y + h - 1), fill=colour)
    return image


def translucent(width: int, height: int, colour: tuple[int, int, int] = RED) -> Image.Image:
    """A disc of one colour (RGBA) on transparent black: dark fringes show when alpha is resampled wrongly."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse(
        (width // 8, height // 8, width * 7 // 8, height * 7 // 8), fill=(*colour, 255)
    )
    return image


def encode(image: Image.Image, format: str, **options: Any) -> bytes:  # noqa: ANN401  Pillow's own options
    """The image as a file of a format that needs no extra; the options go to Pillow's writer."""
    if (format, image.mode) == ("bmp", "RGBA"):  # Pillow writes no alpha
        return _bmp_with_alpha(image)
    if format == "ico":  # Pillow writes sizes of its own
        return bitmaps.icon((*image.size, 32, encode(image, "png", **options)))
    out = io.BytesIO()
    image.save(out, format=str(format).upper(), **options)
    return out.getvalue()


def _bmp_with_alpha(image: Image.Image) -> bytes:
    colours = [red << 16 | green << 8 | blue | alpha << 24 for red, green, blue, alpha in pixels(image)]
    rows = [colours[at : at + image.width] for at in range(0, len(colours), image.width)]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return bitmaps.bmp(rows, 32, header=bitmaps.V4, compression=bitmaps.BITFIELDS, masks=masks)


def decode(data: bytes) -> Image.Image:
    """The picture in the bytes, decoded to its end."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def pixels(image: Image.Image) -> list[tuple[int, ...]]:
    """All pixels, row by row, of an image of 8 bits a band."""
    data, bands = image.tobytes(), len(image.getbands())
    return [tuple(data[at : at + bands]) for at in range(0, len(data), bands)]


def jpeg(width: int = 64, height: int = 48, *, seed: int = 1, **options: Any) -> bytes:  # noqa: ANN401  # Pillow's options
    return encode(photo(width, height, seed), "jpeg", **options)


def png(width: int = 64, height: int = 48, *, seed: int = 1, alpha: bool = False, **options: Any) -> bytes:  # noqa: ANN401  # Pillow's options
    return encode(_still(width, height, seed, alpha=alpha), "png", **options)


def webp(
    width: int = 64,
    height: int = 48,
    *,
    seed: int = 1,
    alpha: bool = False,
    frames: int = 1,
    **options: Any,  # noqa: ANN401  # Pillow's options
) -> bytes:
    if frames > 1:
        return _animation("webp", width, height, seed, frames, **options)
    return encode(_still(width, height, seed, alpha=alpha), "webp", **options)


def gif(width: int = 64, height: int = 48, *, seed: int = 1, frames: int = 1, **options: Any) -> bytes:  # noqa: ANN401  # Pillow's options
    return _animation("gif", width, height, seed, frames, **options)


def avif(width: int = 64, height: int = 48, *, seed: int = 1, alpha: bool = False, **options: Any) -> bytes:  # noqa: ANN401  # Pillow's options
    return encode(_still(width, height, seed, alpha=alpha), "avif", **{"speed": 10, **options})


def tiff(width: int = 64, height: int = 48, *, seed: int = 1, alpha: bool = False, **options: Any) -> bytes:  # noqa: ANN401  # Pillow's options
    return encode(_still(width, height, seed, alpha=alpha), "tiff", **options)


def apng(frames: int, width: int = 64, height: int = 48, *, seed: int = 1) -> bytes:
    return _animation("png", width, height, seed, frames)


def picture(format: str, width: int = 64, height: int = 48, *, seed: int = 1) -> bytes:
    """An opaque still picture in any format that needs no extra."""
    return encode(photo(width, height, seed), format)


def oriented(orientation: int, width: int = 80, height: int = 60, format: str = "jpeg") -> bytes:
    """A picture that people see as `corners(width, height)`, stored turned, with the EXIF tag saying so."""
    image = corners(width, height)
    if orientation in STORED_AS:
        image = image.transpose(STORED_AS[orientation])
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return encode(image, format, exif=exif, **({"quality": 95} if format == "jpeg" else {}))


def with_gps(width: int = 64, height: int = 48, format: str = "jpeg") -> bytes:
    """A picture whose EXIF says where and with what it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (56.0, 50.0, 13.0), 3: "E", 4: (60.0, 36.0, 20.0)})
    return encode(photo(width, height), format, exif=exif.tobytes())


def red_green_swapped_profile() -> bytes:
    """A sound ICC profile: sRGB with its red and green primaries exchanged, so (255, 0, 0) means green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}
    table = bytearray(profile)
    for at in range(132, 132 + 12 * struct.unpack_from(">I", profile, 128)[0], 12):
        name = profile[at : at + 4]
        table[at : at + 4] = tags.get(name, name)
    return bytes(table)


def png_16_bit(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """An RGB PNG of one colour at 16 bits a channel (0..65535), which Pillow can't write."""
    line = b"\0" + struct.pack(">HHH", *colour) * width
    return (
        PNG_SIGNATURE
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
        + png_chunk(b"IDAT", zlib.compress(line * height))
        + png_chunk(b"IEND", b"")
    )


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has the pixels of hardly one row: a bomb, as seen from outside."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        PNG_SIGNATURE
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        + png_chunk(b"IEND", b"")
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk with its length and its right CRC."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiny_gif(frames: int, width: int = 1, height: int = 1) -> bytes:
    """A GIF of many frames that each paint one pixel: some twenty bytes a frame, however big the screen."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    control = b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + (control + frame) * frames + b"\x3b"


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """The opening of an ISO-BMFF file of these brands, and nothing behind it."""
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)
    return struct.pack(">I", len(body) + 4) + body + bytes(64)


def _noise(dice: random.Random, width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), dice.randbytes(width * height * 3))


def _still(width: int, height: int, seed: int, *, alpha: bool) -> Image.Image:
    image = photo(width, height, seed)
    if alpha:
        image.putalpha(translucent(width, height).getchannel("A"))
    return image


def _animation(kind: str, width: int, height: int, seed: int, frames: int, **options: Any) -> bytes:  # noqa: ANN401  # Pillow's options
    first, *rest = [photo(width, height, seed + i) for i in range(frames)]
    if rest:
        options = {"save_all": True, "append_images": rest, "duration": 100, "loop": 0, **options}
    return encode(first, kind, **options)


def near(pixel: object, colour: tuple[int, ...], tolerance: int = 6) -> bool:
    """Whether a pixel has a colour, each channel give or take a tolerance."""
    assert isinstance(pixel, tuple)
    return len(pixel) == len(colour) and all(
        abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True)
    )
