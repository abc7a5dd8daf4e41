"""SVG: sanitised, then drawn by librsvg."""

from xml.etree import ElementTree as ET

import pyvips

from tintype.imaging.codecs.packages import decode_errors
from tintype.imaging.headers import svg as headers

NAMESPACE = "http://www.w3.org/2000/svg"
STYLES = (
    *(("sans-serif", weight, style) for weight in ("normal", "bold") for style in ("normal", "italic")),
    ("serif", "normal", "normal"),
    ("serif", "bold", "normal"),
    ("serif", "normal", "italic"),
    ("monospace", "normal", "normal"),
    ("monospace", "bold", "normal"),
)
"""Family, weight and style of the fonts that are opened first: fewer than the ten that cairo keeps open."""
STRIP_LINES = 128
EMBEDDED = {"image": ["png", "jpeg", "gif", "webp"]}


def read(data: bytes, *, scale: float = 1.0) -> pyvips.Image:
    """Draw the image (RGBA) in memory, at `scale` times its own size.

    It is sanitised first by an allowlist: no scripts, links, or external references.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    import py_svg_hush  # noqa: PLC0415  an extra

    header = headers.header(data)
    width, height = header.width, header.height
    size_drawn = (max(1, round(width * scale)), max(1, round(height * scale)))
    with decode_errors():
        clean = py_svg_hush.filter_svg(data, EMBEDDED)
        # Check limits again: two parsers may read the same bytes differently, and librsvg parses these.
        headers.header(clean)
        return _draw(pyvips.Image.svgload_buffer(_wrap_in_size(clean, (width, height), size_drawn)))


def preload_fonts() -> None:
    """Draw letters in every one of the `STYLES`, so that their fonts are opened now."""
    letters = "".join(
        f'<text y="9" font-family="{family}" font-weight="{weight}" font-style="{style}">Aa</text>'
        for family, weight, style in STYLES
    )
    page = f'<svg xmlns="{NAMESPACE}" width="9" height="9">{letters}</svg>'
    _draw(pyvips.Image.svgload_buffer(page.encode()))


def _draw(image: pyvips.Image) -> pyvips.Image:
    """Draw an image on this thread.

    Pango keeps opened fonts for each thread, and libvips' own threads come and go: where files can no longer
    be opened, text that is drawn on a new one has no fonts, and is boxes.
    """
    region = pyvips.Region.new(image)
    pixels = bytearray()
    for top in range(0, image.height, STRIP_LINES):  # as a region has a copy of what it fetches
        pixels += region.fetch(0, top, image.width, min(STRIP_LINES, image.height - top))
    drawn = pyvips.Image.new_from_memory(pixels, image.width, image.height, image.bands, image.format)
    return drawn.copy(interpretation=image.interpretation, xres=image.xres, yres=image.yres)


def _wrap_in_size(clean: bytes, size: tuple[int, int], size_drawn: tuple[int, int]) -> bytes:
    """The SVG nested in one of the requested size, so that it fills that size exactly."""
    inner = ET.fromstring(clean)  # noqa: S314  the sanitiser has removed the document type
    if "viewBox" not in inner.attrib:
        inner.set("viewBox", f"0 0 {size[0]} {size[1]}")
    inner.set("width", str(size[0]))
    inner.set("height", str(size[1]))
    attributes = {
        "width": str(size_drawn[0]),
        "height": str(size_drawn[1]),
        "viewBox": f"0 0 {size[0]} {size[1]}",
    }
    outer = ET.Element(f"{{{NAMESPACE}}}svg", attributes, preserveAspectRatio="none")
    outer.append(inner)
    return ET.tostring(outer)
