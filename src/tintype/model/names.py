"""Untrusted file names: cleaning, splitting off the extension, folding for searches."""

import re
import unicodedata

from tintype.imaging import Format, extension_fits, spec

MAX_FILENAME = 255
"""Characters kept of a file name; the usual bound of file systems."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_BREAK = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_CONTROL = re.compile("[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates (Unicode UAX 9, 2): `a\\u202egnp.exe` would be shown as `aexe.png`."""
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}\Z")


def clean(filename: str) -> str:
    """The last component of a path with slashes or backslashes, as one line of printable text.

    Line breaks and tabs become spaces, other controls and lone surrogates (which UTF-8 can't encode) U+FFFD;
    characters that change the direction of the text are removed. An empty result becomes `image`. If it is
    longer than 255 characters, the stem is cut and the extension kept.
    """
    base = _LINE_BREAK.sub(" ", _DIRECTION.sub("", re.split(r"[/\\]", filename)[-1])).strip()
    base = _CONTROL.sub("\ufffd", base)
    if base in {"", ".", ".."}:
        return "image"
    if len(base) <= MAX_FILENAME:
        return base
    stem, dot, extension = base.rpartition(".")
    if not dot or not _EXTENSION.match(extension):
        return base[:MAX_FILENAME]
    return stem[: MAX_FILENAME - len(extension) - 1] + "." + extension


def split(filename: str, format: Format) -> tuple[str, str]:
    """Split a file name into the name and the extension of its format.

    The upload's spelling is kept if it matches the format (`JPG`, `jpeg`). The extension of another image
    format is replaced by the canonical one; a suffix that is not an image extension is part of the name.
    """
    stem, dot, extension = filename.rpartition(".")
    if dot and stem and extension_fits(format, extension):
        return stem, extension
    canonical = spec(format).extensions[0]
    if dot and stem and any(extension_fits(other, extension) for other in Format):
        return stem, canonical
    return filename, canonical


def fold(text: str) -> str:
    """Text normalised for searches: NFKD, without accents and case.

    Lone surrogates, which databases reject, become U+FFFD.
    """
    decomposed = unicodedata.normalize("NFKD", _SURROGATE.sub("\ufffd", text)).casefold()
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", decomposed) if not unicodedata.combining(char)
    )
    return unicodedata.normalize("NFC", bare)
