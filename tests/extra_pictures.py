"""Test pictures in the formats of the extras, by the encoders that come with them; SVG by hand."""

from base64 import b64encode
from typing import Any

import pillow_heif
import pillow_jxl  # noqa: F401  it registers itself with Pillow
from PIL import Image

from tests import pictures

pillow_heif.register_heif_opener()

SVG = 'xmlns="http://www.w3.org/2000/svg"'


def heic(image: Image.Image, **options: Any) -> bytes:  # noqa: ANN401  Pillow's options
    return pictures.encode(image, "heif", **{"quality": 90, **options})


def jxl(image: Image.Image, **options: Any) -> bytes:  # noqa: ANN401  Pillow's options
    return pictures.encode(image, "jxl", **{"quality": 95, "effort": 1, **options})


def svg(inside: str = "", *, width: int | str = 80, height: int | str = 60, more: str = "") -> bytes:
    """An SVG of 80 by 60 units with this inside."""
    return f'<svg {SVG} width="{width}" height="{height}" viewBox="0 0 80 60" {more}>{inside}</svg>'.encode()


def corners_svg() -> bytes:
    """`pictures.corners(80, 60)`, drawn."""
    patches = (
        (pictures.RED, 0, 0),
        (pictures.GREEN, 60, 0),
        (pictures.BLUE, 0, 45),
        (pictures.YELLOW, 60, 45),
    )
    drawn = [f'<rect x="{x}" y="{y}" width="20" height="15" fill="rgb{colour}"/>' for colour, x, y in patches]
    return svg(f'<rect width="80" height="60" fill="rgb{pictures.GREY}"/>{"".join(drawn)}')


def embedding(image: Image.Image) -> bytes:
    """An SVG that holds a picture."""
    data = b64encode(pictures.encode(image, "png")).decode()
    return svg(f'<image width="80" height="60" href="data:image/png;base64,{data}"/>')
