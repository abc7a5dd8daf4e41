"""What other decoders than the service's see in a file: to compare two files of a picture."""

import io
import warnings
from typing import Any

import pyvips
from msgspec import Struct
from PIL import ExifTags, Image, ImageSequence

from tests import extra_pictures  # noqa: F401  it registers decoders with Pillow
from tintype.imaging import Format

Frame = tuple[tuple[int, int], bytes, object]
"""Size, pixels (RGBA), duration."""


class Seen(Struct, frozen=True):
    """Frames, loops, ICC profile and orientation."""

    frames: list[Frame]
    loop: int | None
    profile: bytes | None
    orientation: int


def seen(data: bytes, format: Format) -> Seen:
    """All frames of a file, by Pillow; an SVG by librsvg."""
    if format is Format.SVG:
        drawn = pyvips.Image.svgload_buffer(data)
        return Seen([((drawn.width, drawn.height), bytes(drawn.write_to_memory()), None)], None, None, 1)
    with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
        primary = image.tell()
        frames = [
            (frame.size, frame.convert("RGBA").tobytes(), _duration(frame))
            for frame in ImageSequence.Iterator(image)
        ]
        # Of several pictures the primary one is open at first.
        frames = frames[primary:] + frames[:primary]
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        return Seen(frames, image.info.get("loop"), image.info.get("icc_profile"), orientation)


def _duration(frame: Image.Image) -> Any:  # noqa: ANN401  Pillow's: a number, or None
    """Milliseconds of a frame of an animation. A still image has none, whatever its chunks say."""
    return frame.info.get("duration") if getattr(frame, "n_frames", 1) > 1 else None
