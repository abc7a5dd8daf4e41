"""What the pictures of the demo are like."""

from msgspec import Struct


class Sample(Struct, frozen=True):
    """One picture of the library: how it is drawn, and how it is kept."""

    filename: str
    width: int
    height: int
    hue: int
    person: str = "Anna Koch"
    archived: bool = False
    transparent: bool = False
    on_its_side: bool = False
    frames: int = 1
