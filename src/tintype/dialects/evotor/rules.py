"""The vendor's rules for the picture of a product, whichever way it comes in."""

from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging import Format
from tintype.model import Image, NewImage


class Rules(Struct, frozen=True):
    """The rules for a picture: its maximum size in bytes, and its exact width and height in pixels."""

    max_bytes: int
    side: int


def violations(image: Image | NewImage, rules: Rules) -> Iterator[str]:
    """One sentence for each rule that an image breaks."""
    yield from file_violations(image.format, image.bytes, rules)
    yield from shape_violations(image.width, image.height, image.frames, rules)


def file_violations(format: Format | None, size: int, rules: Rules) -> Iterator[str]:
    """One sentence for each rule that a file breaks; `size` is in bytes, the format None if it is unknown."""
    if format is not Format.PNG:
        yield "The picture has to be a PNG."
    if size > rules.max_bytes:
        yield f"The picture has {size} bytes; at most {rules.max_bytes} are accepted."


def shape_violations(width: int, height: int, frames: int, rules: Rules) -> Iterator[str]:
    """One sentence for each rule that the size in pixels and the number of frames break."""
    if (width, height) != (rules.side, rules.side):
        yield f"The picture is {width} by {height} pixels; it has to be {rules.side} by {rules.side}."
    if frames > 1:
        yield f"The picture is animated, with {frames} frames; it has to have one."
