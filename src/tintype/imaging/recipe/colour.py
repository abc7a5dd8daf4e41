"""Colours in sRGB, and their hexadecimal notation."""

import re

from msgspec import Struct

LEVELS = range(256)

_HEX_COLOUR = re.compile(r"#?((?:[0-9a-fA-F]{2}){3,4}|[0-9a-fA-F]{3,4})\Z")
_SHORT_DIGITS = 4


class Colour(Struct, frozen=True):
    """A colour in sRGB with its opacity; each 0 to 255.

    Raises:
        ValueError: when a level is out of range.
    """

    red: int
    green: int
    blue: int
    alpha: int = 255

    def __post_init__(self) -> None:
        if not all(level in LEVELS for level in (self.red, self.green, self.blue, self.alpha)):
            raise ValueError("The levels of a colour are from 0 to 255.")

    def __str__(self) -> str:
        levels = (self.red, self.green, self.blue) if self.is_opaque else self.rgba
        return bytes(levels).hex()

    @property
    def rgba(self) -> tuple[int, int, int, int]:
        """Red, green, blue and alpha."""
        return self.red, self.green, self.blue, self.alpha

    @property
    def is_opaque(self) -> bool:
        """Whether alpha is 255."""
        return self.alpha == max(LEVELS)

    @property
    def is_grey(self) -> bool:
        """Whether it has no hue."""
        return self.red == self.green == self.blue

    def over(self, ground: "Colour") -> "Colour":
        """The opaque colour that results from compositing it over an opaque ground."""
        pairs = zip(self.rgba[:3], ground.rgba[:3], strict=True)
        return Colour(*((2 * (a * self.alpha + b * (255 - self.alpha)) + 255) // 510 for a, b in pairs))


def parse_colour(text: str) -> Colour:
    """Parse `rgb`, `rgba`, `rrggbb` or `rrggbbaa` in hexadecimal digits, with or without a `#`.

    Raises:
        ValueError: when the text is anything else.
    """
    found = _HEX_COLOUR.match(text)
    if found is None:
        raise ValueError("A colour is written with 3, 4, 6 or 8 hexadecimal digits, as in ff8800.")
    digits = found[1]
    if len(digits) <= _SHORT_DIGITS:
        digits = "".join(digit * 2 for digit in digits)
    return Colour(*bytes.fromhex(digits))
