"""The properties of an image, and the limits on originals. Pure."""

from typing import Annotated

from msgspec import Meta, Struct

from tintype.imaging.colour_signal import ColourSignal
from tintype.imaging.errors import ImageRefused, Reason, size_in_words
from tintype.imaging.formats import Format, spec
from tintype.imaging.whole_decoding import BUFFERED, SMALL_FRAME, USUAL, decoder_bytes, other_frames_bytes


class Placeholder(Struct, frozen=True):
    """What a page shows while the image loads.

    Attributes:
        thumbhash: in base64 (RFC 4648, 4).
        colour: the dominant colour as `#rrggbb` in sRGB; None if all pixels are transparent. Red, green and
            blue are divided into 8 ranges each; it is the mean of the cell that has the most pixels.
    """

    thumbhash: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/]{1,60}={0,2}\Z")]
    colour: Annotated[str, Meta(pattern=r"\A#[0-9a-f]{6}\Z")] | None


class Limits(Struct, frozen=True, kw_only=True):
    """Limits on originals: pixels of a frame and of a side; number of frames; pixels of all frames.

    `max_whole_pixels` replaces `max_pixels` for images that are decoded as a whole before the first line is
    available; `max_svg_bytes` bounds what is parsed as XML.
    """

    max_pixels: int = 100_000_000
    max_whole_pixels: int = 50_000_000
    max_side: int = 20_000
    max_frames: int = 1000
    max_total_pixels: int = 400_000_000
    max_svg_bytes: int = 5 * 1024 * 1024


class ImageInfo(Struct, frozen=True, kw_only=True):
    """The properties of an image according to its header; the size is in pixels, after EXIF orientation.

    Attributes:
        bands: channels after decoding, including alpha.
        bits: bits per channel after decoding: 8, 16 or 32.
        whole_pixels, buffer_bytes, file_bytes, is_premultiplied, colour: as in `headers.Header`.
        placeholder: not from the header; added after decoding.
    """

    format: Format
    width: Annotated[int, Meta(ge=1)]
    height: Annotated[int, Meta(ge=1)]
    frames: Annotated[int, Meta(ge=1)]
    has_alpha: bool
    orientation: Annotated[int, Meta(ge=1, le=8)]
    bands: Annotated[int, Meta(ge=1)] = 3
    bits: Annotated[int, Meta(ge=1)] = 8
    whole_pixels: Annotated[int, Meta(ge=0)] = 0
    buffer_bytes: Annotated[int, Meta(ge=0)] = 0
    file_bytes: Annotated[int, Meta(ge=0)] = 0
    is_premultiplied: bool = False
    colour: ColourSignal | None = None
    placeholder: Placeholder | None = None

    @property
    def is_animated(self) -> bool:
        """Whether there is more than one frame."""
        return self.frames > 1


DEFAULT_LIMITS = Limits()


def check_limits(info: ImageInfo, limits: Limits) -> None:
    """Check the image against the limits.

    Raises:
        ImageRefused: when a limit is exceeded, with the reason of the first.
    """
    has = f"The picture has {size_in_words(info.width, info.height)} pixels"
    pixels = info.width * info.height
    if max(info.width, info.height) > limits.max_side:
        raise ImageRefused(Reason.TOO_LARGE_SIDE, f"{has}; at most {limits.max_side} a side are accepted.")
    if pixels > limits.max_pixels:
        raise ImageRefused(Reason.TOO_MANY_PIXELS, f"{has}; at most {limits.max_pixels} are accepted.")
    if info.frames > limits.max_frames:
        sentence = f"The picture has {info.frames} frames; at most {limits.max_frames} are accepted."
        raise ImageRefused(Reason.TOO_MANY_FRAMES, sentence)
    if pixels * info.frames > limits.max_total_pixels:
        sentence = (
            f"{has} in each of {info.frames} frames; at most {limits.max_total_pixels} in all are accepted."
        )
        raise ImageRefused(Reason.TOO_MANY_PIXELS, sentence)
    _check_whole(info, limits, has)


def _check_whole(info: ImageInfo, limits: Limits, has: str) -> None:
    """Check what is decoded at once: fewer pixels are accepted where each takes more memory than usual."""
    if not info.whole_pixels:
        return
    pixel_bytes = info.bands * info.bits / 8
    each = (
        decoder_bytes(info.format, info.bits, has_alpha=info.has_alpha)
        + info.buffer_bytes / info.whole_pixels
        + BUFFERED * pixel_bytes
    )
    frame_bytes = round(info.width * info.height * pixel_bytes) + SMALL_FRAME
    others = other_frames_bytes(info.format, frame_bytes, info.frames)
    # An SVG has a limit on its bytes.
    others += info.file_bytes * (info.format is not Format.SVG)
    most = min(limits.max_whole_pixels, int((limits.max_whole_pixels * USUAL - others) / each))
    if info.whole_pixels > most:
        sentence = (
            f"{has}; at most {max(0, most)} are accepted where all have to be decoded at once, "
            f"as in this {spec(info.format).name}."
        )
        raise ImageRefused(Reason.TOO_MANY_PIXELS, sentence)
