"""Fonts where the kernel has no Landlock: only those that stay open, as no file can be opened later."""

import os
import re
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import escape

from tintype.imaging.codecs import svg
from tintype.imaging.extras import is_installed
from tintype.imaging.formats import Format, spec
from tintype.imaging.sandbox import landlock

CONFIGURATION = "FONTCONFIG_FILE"
USUAL_CONFIGURATION = "fonts.conf"
"""Looked for in FONTCONFIG_PATH, or where fontconfig was built to look."""
RESTRICTED = "TINTYPE_RESTRICTED_FONTS"
"""The variable that a program restarted by `restrict` finds."""
FONT = re.compile(r" (/.+\.(?:ttf|ttc|otf|otc|pfa|pfb))$", re.IGNORECASE | re.MULTILINE)


def restrict(command: list[str]) -> None:
    """Start this program anew, with only the fonts of `svg.STYLES`, unless Landlock can be used.

    Without Landlock opening files will be forbidden altogether. Cairo keeps ten font files open, and text in
    another would be boxes; so fontconfig has to know only of those that are open. It reads its configuration
    once in a process.

    Args:
        command: the program and its arguments.
    """
    if sys.platform != "linux" or landlock.version() or not is_installed(spec(Format.SVG)):
        return
    if RESTRICTED in os.environ:
        svg.preload_fonts()
        Path(os.environ.pop(RESTRICTED)).unlink(missing_ok=True)
        return
    svg.preload_fonts()
    with suppress(OSError):  # no folder to write to: text is then drawn as far as its fonts are open
        os.environ[RESTRICTED] = os.environ[CONFIGURATION] = _write(_configuration(_open_fonts()))
        os.execv(command[0], command)  # noqa: S606  our own program


def _open_fonts() -> list[str]:
    """The font files that are mapped into memory."""
    return sorted(set(FONT.findall(Path("/proc/self/maps").read_text())))


def _configuration(files: Iterable[str]) -> str:
    """The configuration of this machine, restricted to these font files."""
    usual = os.environ.get(CONFIGURATION, USUAL_CONFIGURATION)
    accepted = "".join(_pattern("file", f"<string>{escape(file)}</string>") for file in files)
    # By patterns, as a glob would reject folders too, and is relative to the working directory.
    all_fonts = "".join(_pattern("scalable", f"<bool>{value}</bool>") for value in ("true", "false"))
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
        f"<include>{escape(usual)}</include><selectfont><acceptfont>{accepted}</acceptfont>"
        f"<rejectfont>{all_fonts}</rejectfont></selectfont></fontconfig>"
    )


def _pattern(name: str, value: str) -> str:
    return f'<pattern><patelt name="{name}">{value}</patelt></pattern>'


def _write(text: str) -> str:
    descriptor, path = tempfile.mkstemp(prefix="tintype-fonts-")
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor
        file.write(text)
    return path
