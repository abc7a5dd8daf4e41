"""Pixels to a file: the saver of a format's row, and the options it is given."""

import pyvips

from tintype.imaging.formats import Option, Row


def encode(image: pyvips.Image, target: Row, quality: int | None = None) -> bytes:
    """The finished pixels as a file of the format, with no metadata but the colour profile.

    Args:
        image: upright, 8 bits a band, with alpha only where the format can be transparent.
        target: the format's row; it has a saver.
        quality: 1 to 100; None: the format's default. Formats without a quality pass over it.

    Raises pyvips.Error when the pixels behind the image can't be read: nothing is decoded before this.
    """
    options: dict[str, Option] = {**target.save_options, "keep": "icc"}
    if target.quality is not None:
        options["Q"] = quality or target.quality
    data: bytes = getattr(image, f"{target.saver}_buffer")(**options)
    return data
