"""Pictures that a package of its own reads: headers here, pixels in a process that can do nothing else."""

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

import pyvips
from msgspec import Struct

from tintype.imaging import heic, jxl, svg
from tintype.imaging.errors import ImageRefused, Reason, damaged
from tintype.imaging.formats import Format

Source = bytes | Path

CHILD = Path(__file__).with_name("aside_child.py")
SLACK = 16 * 1024 * 1024
"""Bytes that an answer may have besides pixels: a profile, the metadata of a JPEG."""
OUT_OF_MEMORY = 3
COSTLY = frozenset({OUT_OF_MEMORY, -signal.SIGKILL, -signal.SIGXCPU, -signal.SIGABRT, -signal.SIGTRAP})
"""How a process ends that wanted more than it was given; libraries abort when memory is refused them."""
ANSWER = re.compile(rb"(L|LA|RGB|RGBA|JPEG) ([0-9]{1,9})")
PROFILE = "icc-profile-data"
GREY_BANDS = 2  # at most, with alpha


class AsideLimits(Struct, frozen=True, kw_only=True):
    """What the process may take: seconds, and bytes of memory."""

    seconds: float = 20.0
    memory: int = 1024 * 1024 * 1024


DEFAULT_ASIDE = AsideLimits()


def header(source: Source, format: Format) -> tuple[int, int, bool]:
    """Width and height as people see them, and whether there is alpha, without decoding a pixel.

    Raises ImageRefused: damaged, or unsupported.
    """
    return HEADERS[format](source)


def read(
    source: Source, format: Format, limits: AsideLimits = DEFAULT_ASIDE, *, scale: float = 1.0
) -> pyvips.Image:
    """The picture, upright and in memory, with its profile.

    Args:
        source: the file.
        format: one that is read aside.
        limits: what the process may take.
        scale: how many times its own size an SVG is drawn at; the others come as they are.

    Raises ImageRefused: damaged, too costly.
    """
    width, height, _ = header(source, format)
    factor = scale if format is Format.SVG else 1.0
    drawn = (max(1, round(width * factor)), max(1, round(height * factor)))
    order = [format, width, height, *drawn, max(1, round(limits.seconds)), limits.memory]
    with _opened(source) as file:
        kind, profile, data = _answer(order, file, limits, drawn[0] * drawn[1] * 4 + SLACK)
    image = _from_jpeg(data, drawn) if kind == "JPEG" else _from_pixels(kind, data, drawn, profile)
    if (image.width, image.height) != drawn:
        raise damaged()
    return image


def _answer(
    order: list[object], file: IO[bytes], limits: AsideLimits, most: int
) -> tuple[str, bytes, memoryview]:
    """What the process says: the kind of its data, the profile, the data."""
    command = [sys.executable, "-I", str(CHILD), *map(str, order)]
    with subprocess.Popen(  # noqa: S603  our own script
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd=os.sep
    ) as process:
        said = _said(process, limits.seconds, most)
    if process.returncode in COSTLY or len(said) > most:
        sentence = "The picture takes more time or memory to draw than is given to one."
        raise ImageRefused(Reason.TOO_COSTLY, sentence)
    head, _, rest = said.partition(b"\n")
    told = ANSWER.fullmatch(head)
    if process.returncode or told is None:
        raise damaged()
    body, end = memoryview(rest), int(told[2])
    return told[1].decode(), bytes(body[:end]), body[end:]


def _said(process: subprocess.Popen[bytes], seconds: float, most: int) -> bytes:
    """All that the process says, or one byte more than `most`; it has ended when this returns."""
    late = threading.Timer(seconds, process.kill)
    late.start()
    said = b""
    try:
        said = process.stdout.read(most + 1) if process.stdout else b""
        if len(said) > most:
            process.kill()
        process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        late.cancel()
    return said


def _from_pixels(kind: str, data: memoryview, size: tuple[int, int], profile: bytes) -> pyvips.Image:
    bands = len(kind)
    if len(data) != size[0] * size[1] * bands:
        raise damaged()
    image = pyvips.Image.new_from_memory(data, *size, bands, "uchar")
    image = image.copy(interpretation="b-w" if bands <= GREY_BANDS else "srgb")
    if profile:
        image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image


def _from_jpeg(data: memoryview, size: tuple[int, int]) -> pyvips.Image:
    """A JPEG XL file can be a JPEG file packed anew, and is then unpacked to just that."""
    image = pyvips.Image.jpegload_buffer(bytes(data), access="sequential", fail_on="error")
    if sorted((image.width, image.height)) != sorted(size):
        raise damaged()
    return image.copy_memory().autorot()


def _opened(source: Source) -> IO[bytes]:
    if isinstance(source, Path):
        return source.open("rb")
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    file.write(source)
    file.seek(0)
    return file


def _bytes(source: Source) -> bytes:
    return source.read_bytes() if isinstance(source, Path) else source


def _jxl(source: Source) -> tuple[int, int, bool]:
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        return jxl.header(file)


def _svg(source: Source) -> tuple[int, int, bool]:
    return (*svg.size(_bytes(source)), True)


HEADERS: Mapping[Format, Callable[[Source], tuple[int, int, bool]]] = MappingProxyType(
    {Format.HEIC: lambda source: heic.header(_bytes(source)), Format.JXL: _jxl, Format.SVG: _svg}
)
