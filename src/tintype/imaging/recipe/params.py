"""Recipes from text parameters, as used in signed links and on the command line."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tintype.imaging.formats import Format
from tintype.imaging.recipe import Crop, Focal, Mode, Recipe
from tintype.imaging.recipe.colour import parse_colour

AUTO = "auto"

_WHOLE = re.compile(r"[0-9]{1,9}\Z")
_DECIMAL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,9})?\Z")


class ParamError(ValueError):
    """An unknown parameter, or an invalid value; `name` is the parameter."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"{name} {rule}.")
        self.name = name


def parse_params(params: Mapping[str, str]) -> Recipe:
    """The recipe of these parameters, named as in the canonical form, or `dpr`.

    Raises:
        ParamError: when a name is unknown, or a value is malformed.
        ValueError: when values are out of range, or exclude each other.
    """
    fields: dict[str, Any] = {}
    for name, value in params.items():
        if name not in READERS:
            raise ParamError(name, f"is not a part of a recipe; there are {', '.join(READERS)}")
        fields |= READERS[name](name, value)
    return Recipe(**fields)


def _whole(field: str) -> Callable[[str, str], dict[str, Any]]:
    def read(name: str, value: str) -> dict[str, Any]:
        if not _WHOLE.match(value):
            raise ParamError(name, "has to be a whole number")
        return {field: int(value)}

    return read


def _boolean(name: str, value: str) -> dict[str, Any]:
    if value not in {"yes", "no"}:
        raise ParamError(name, "has to be yes or no")
    return {name: value == "yes"}


def _mode(name: str, value: str) -> dict[str, Any]:
    return {"mode": _member(Mode, name, value)}


def _crop(name: str, value: str) -> dict[str, Any]:
    return {"crop": _member(Crop, name, value)}


def _format(name: str, value: str) -> dict[str, Any]:
    return {"auto": True} if value == AUTO else {"format": _member(Format, name, value)}


def _member(kind: Callable[[str], Any], name: str, value: str) -> Any:  # noqa: ANN401  a member of the kind
    try:
        return kind(value)
    except ValueError:
        raise ParamError(name, f"can't be {value[:20]}") from None


def _dpr(name: str, value: str) -> dict[str, Any]:
    if not _DECIMAL.match(value):
        raise ParamError(name, "has to be a number such as 2 or 1.5")
    return {"dpr": float(value)}


def _focal(name: str, value: str) -> dict[str, Any]:
    x, _, y = value.partition("x")
    if not (_DECIMAL.match(x) and _DECIMAL.match(y)):
        raise ParamError(name, "has to be two numbers from 0 to 1, such as 0.3x0.5")
    return {"focal": Focal(float(x), float(y))}


def _background(name: str, value: str) -> dict[str, Any]:
    try:
        return {"background": parse_colour(value)}
    except ValueError:
        raise ParamError(name, "has to be a colour in hexadecimal digits, such as ff8800") from None


READERS: Mapping[str, Callable[[str, str], dict[str, Any]]] = MappingProxyType(
    {
        "mode": _mode,
        "w": _whole("width"),
        "h": _whole("height"),
        "dpr": _dpr,
        "enlarge": _boolean,
        "focal": _focal,
        "crop": _crop,
        "background": _background,
        "format": _format,
        "q": _whole("quality"),
        "lossless": _boolean,
        "max-bytes": _whole("max_bytes"),
        "frames": _whole("frames"),
        "linear": _boolean,
    }
)
"""The parser of each parameter."""
