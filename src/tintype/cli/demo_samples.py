"""The description of a picture of the demo."""

from msgspec import Struct


class Sample(Struct, frozen=True):
    """One picture of the library: how it is drawn and recorded. Sides in pixels, hue in degrees."""

    filename: str
    width: int
    height: int
    hue: int
    person: str = "Anna Koch"
    archived: bool = False
    transparent: bool = False
    is_rotated: bool = False
    frames: int = 1
