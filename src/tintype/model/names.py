"""File names from outside: what of them is kept, and how they are compared."""

import re
import unicodedata

from tintype.imaging import Format, extension_fits, spec

MAX_FILENAME = 255
"""Characters kept of a file name; the usual bound of file systems."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}\Z")


def clean(filename: str) -> str:
    """The last part of a path, of either kind of slash, without NUL and lone surrogates.

    NUL cannot be stored by PostgreSQL, surrogates cannot be written as UTF-8; both become U+FFFD.
    An empty result becomes `image`. Longer than 255 characters: the stem is cut, the extension kept.
    """
    base = re.split(r"[/\\]", filename)[-1].strip()
    base = _SURROGATE.sub("\ufffd", base.replace("\0", "\ufffd"))
    if base in {"", ".", ".."}:
        return "image"
    if len(base) <= MAX_FILENAME:
        return base
    stem, dot, extension = base.rpartition(".")
    if not dot or not _EXTENSION.match(extension):
        return base[:MAX_FILENAME]
    return stem[: MAX_FILENAME - len(extension) - 1] + "." + extension


def split(filename: str, format: Format) -> tuple[str, str]:
    """The name without its extension, and the extension.

    The upload's own spelling is kept where it fits the bytes (`JPG`, `jpeg`); an extension of another
    image format gives way to the true one, and a suffix that is no image extension is part of the name.
    """
    stem, dot, extension = filename.rpartition(".")
    if dot and stem and extension_fits(format, extension):
        return stem, extension
    canonical = spec(format).extensions[0]
    if dot and stem and any(extension_fits(other, extension) for other in Format):
        return stem, canonical
    return filename, canonical


def fold(text: str) -> str:
    """Text as it is compared in searches: compatibility-decomposed, no accents, no case.

    Lone surrogates, which no database takes, become U+FFFD.
    """
    decomposed = unicodedata.normalize("NFKD", _SURROGATE.sub("\ufffd", text)).casefold()
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", decomposed) if not unicodedata.combining(char)
    )
    return unicodedata.normalize("NFC", bare)
