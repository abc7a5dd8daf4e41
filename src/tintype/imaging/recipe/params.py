"""Recipes read from words, as signed links and the command line have them."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tintype.imaging.formats import Format
from tintype.imaging.recipe import Crop, Focal, Mode, Recipe, parse_colour

AUTO = "auto"

_WHOLE = re.compile(r"[0-9]{1,9}\Z")
_DECIMAL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,9})?\Z")


class ParamError(ValueError):
    """A word that says nothing: `name` is the field it stands for."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"{name} {rule}.")
        self.name = name


def parse_params(words: Mapping[str, str]) -> Recipe:
    """The recipe that these words say, each by its name in the canonical form, or `dpr`.

    Raises:
        ParamError: for a name that is none, or a word that its field can't be.
        ValueError: for words that a recipe can't have together, or out of their range.
    """
    said: dict[str, Any] = {}
    for name, word in words.items():
        if name not in READERS:
            raise ParamError(name, f"is not a part of a recipe; there are {', '.join(READERS)}")
        said |= READERS[name](name, word)
    return Recipe(**said)


def _whole(field: str) -> Callable[[str, str], dict[str, Any]]:
    def read(name: str, word: str) -> dict[str, Any]:
        if not _WHOLE.match(word):
            raise ParamError(name, "has to be a whole number")
        return {field: int(word)}

    return read


def _yes_or_no(name: str, word: str) -> dict[str, Any]:
    if word not in {"yes", "no"}:
        raise ParamError(name, "has to be yes or no")
    return {name: word == "yes"}


def _mode(name: str, word: str) -> dict[str, Any]:
    return {"mode": _member(Mode, name, word)}


def _crop(name: str, word: str) -> dict[str, Any]:
    return {"crop": _member(Crop, name, word)}


def _format(name: str, word: str) -> dict[str, Any]:
    return {"auto": True} if word == AUTO else {"format": _member(Format, name, word)}


def _member(kind: Callable[[str], Any], name: str, word: str) -> Any:  # noqa: ANN401  a member of the kind
    try:
        return kind(word)
    except ValueError:
        raise ParamError(name, f"can't be {word[:20]}") from None


def _dpr(name: str, word: str) -> dict[str, Any]:
    if not _DECIMAL.match(word):
        raise ParamError(name, "has to be a number such as 2 or 1.5")
    return {"dpr": float(word)}


def _focal(name: str, word: str) -> dict[str, Any]:
    x, _, y = word.partition("x")
    if not (_DECIMAL.match(x) and _DECIMAL.match(y)):
        raise ParamError(name, "has to be two numbers from 0 to 1, such as 0.3x0.5")
    return {"focal": Focal(float(x), float(y))}


def _background(name: str, word: str) -> dict[str, Any]:
    try:
        return {"background": parse_colour(word)}
    except ValueError:
        raise ParamError(name, "has to be a colour in hexadecimal digits, such as ff8800") from None


READERS: Mapping[str, Callable[[str, str], dict[str, Any]]] = MappingProxyType(
    {
        "mode": _mode,
        "w": _whole("width"),
        "h": _whole("height"),
        "dpr": _dpr,
        "enlarge": _yes_or_no,
        "focal": _focal,
        "crop": _crop,
        "background": _background,
        "format": _format,
        "q": _whole("quality"),
        "lossless": _yes_or_no,
        "max-bytes": _whole("max_bytes"),
        "frames": _whole("frames"),
        "linear": _yes_or_no,
    }
)
"""What reads each word."""
