"""Run by `aside` as a process of its own: a file on standard input, its pixels on standard output.

It imports nothing of tintype, so that it starts quickly. Before it looks into the file it gives up what it
could do harm with: it can open no file and no socket any more, and has so much memory and time.

Called with: format, width and height that the file has, those to draw it at, seconds, bytes of memory.
Answers a line, `RGB 560` (the bands, and how many bytes of profile follow), the profile and the pixels, row
by row at 8 bits; `JPEG 0` and a JPEG file for a JPEG XL file that was made from one. Ends with 1 when the
file can't be read, with 3 for want of memory.
"""

import re
import resource
import sys
from array import array
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

Drawn = tuple[str, bytes, bytes]  # bands, profile, pixels
Size = tuple[int, int]

UNREADABLE, OUT_OF_MEMORY = 1, 3
SVG = "http://www.w3.org/2000/svg"
EMBEDDED = {"image": ["png", "jpeg", "gif", "webp"]}
FAMILIES = re.compile(rb"font-family\s*[:=]\s*[\"']?([\w\s,'&;.-]{1,200})")
MAX_FAMILIES = 20
WORDS = re.compile(r"[^\w\s-]")


def main() -> None:
    """Do what the command line asks for."""
    kind, *numbers = sys.argv[1:]
    width, height, drawn_width, drawn_height, seconds, memory = map(int, numbers)
    data = sys.stdin.buffer.read()
    draw = {"heic": _heic, "jxl": _jxl, "svg": _svg}[kind](data)
    _give_up(seconds, memory)
    try:
        bands, profile, pixels = draw((width, height), (drawn_width, drawn_height))
    except Exception as error:  # noqa: BLE001  every library has its own
        wants_memory = isinstance(error, MemoryError) or "memory" in str(error).lower()
        sys.exit(OUT_OF_MEMORY if wants_memory else UNREADABLE)
    out = sys.stdout.buffer
    out.write(f"{bands} {len(profile)}\n".encode())
    out.write(profile)
    out.write(pixels)
    out.flush()


def _give_up(seconds: int, memory: int) -> None:
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123  as little as can be imported
        present = int(file.read().split()[0]) * resource.getpagesize()
    for limit, most in (
        (resource.RLIMIT_AS, present + memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _heic(data: bytes) -> Callable[[Size, Size], Drawn]:
    import pillow_heif  # noqa: PLC0415  only what is asked for, to start quickly

    def draw(_size: Size, _drawn: Size) -> Drawn:
        pillow_heif.options.DECODE_THREADS = 1
        found = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        image = found[found.primary_index]
        pixels, mode = bytes(image.data), image.mode
        bands, row = (1, 2 * image.size[0]) if mode == "I;16" else (len(mode), len(mode) * image.size[0])
        if image.stride != row:
            rows = range(0, image.stride * image.size[1], image.stride)
            pixels = b"".join(pixels[at : at + row] for at in rows)
        profile: Any = image.info.get("icc_profile") or b""
        return ("L", profile, pixels[1::2]) if mode == "I;16" else (mode[:bands], profile, pixels)

    return draw


def _jxl(data: bytes) -> Callable[[Size, Size], Drawn]:
    from pillow_jxl import Decoder  # noqa: PLC0415  the same

    def draw(_size: Size, _drawn: Size) -> Drawn:
        is_jpeg, info, pixels, profile, _boxes = Decoder(num_threads=0)(data)
        if is_jpeg:
            return "JPEG", b"", pixels
        if info.mode == "I;16":
            return "L", profile, pixels[1::2]
        if info.mode.startswith("F"):
            return "L", profile, bytes(min(255, max(0, round(255 * value))) for value in array("f", pixels))
        return info.mode, profile, pixels

    return draw


def _svg(data: bytes) -> Callable[[Size, Size], Drawn]:
    import py_svg_hush  # noqa: PLC0415  the same
    import pyvips  # noqa: PLC0415  the same

    pyvips.concurrency_set(1)
    _open_fonts(pyvips, data)

    def draw(size: Size, drawn: Size) -> Drawn:
        clean = py_svg_hush.filter_svg(data, EMBEDDED)
        image = pyvips.Image.svgload_buffer(_framed(clean, size, drawn))
        return "RGBA", b"", bytes(image.write_to_memory())

    return draw


def _framed(clean: bytes, size: Size, drawn: Size) -> bytes:
    """The picture at its own size, within one of the size asked for, so that it fills that to the edge."""
    inner = ET.fromstring(clean)  # noqa: S314  what came from the filter has no document type any more
    if "viewBox" not in inner.attrib:
        inner.set("viewBox", f"0 0 {size[0]} {size[1]}")
    inner.set("width", str(size[0]))
    inner.set("height", str(size[1]))
    told = {"width": str(drawn[0]), "height": str(drawn[1]), "viewBox": f"0 0 {size[0]} {size[1]}"}
    outer = ET.Element(f"{{{SVG}}}svg", told, preserveAspectRatio="none")
    outer.append(inner)
    # As text: to write in ASCII, it would look for the file of that codec.
    return ET.tostring(outer, encoding="unicode").encode()


def _open_fonts(pyvips: Any, data: bytes) -> None:  # noqa: ANN401  a module
    """Draw a letter in the fonts that the file names, and in those that stand in for others.

    They stay open; later nothing can be opened any more.
    """
    named = [found.decode("utf-8", "replace").split(",") for found in FAMILIES.findall(data)]
    families = dict.fromkeys(WORDS.sub("", name).strip() for names in named for name in names)
    wanted = ["sans-serif", "serif", "monospace", *list(families)[:MAX_FAMILIES]]
    letters = "".join(
        f'<text y="9" font-family="{family}" font-weight="{weight}" font-style="{style}">Aa</text>'
        for family in wanted
        for weight in ("normal", "bold")
        for style in ("normal", "italic")
    )
    page = f'<svg xmlns="{SVG}" width="9" height="9">{letters}</svg>'
    pyvips.Image.svgload_buffer(page.encode()).avg()


if __name__ == "__main__":
    main()
