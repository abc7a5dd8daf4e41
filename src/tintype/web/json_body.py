"""JSON bodies of requests: byte-order marks, and whole numbers that are written with a fraction."""

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from tintype.model import Malformed

T = TypeVar("T")


def decode_text(raw: bytes) -> str:
    """The text of a JSON body: UTF-8, or UTF-16 or UTF-32, with or without a byte-order mark (RFC 8259, 8.1).

    Raises:
        UnicodeDecodeError: when it is none of these.
    """
    return raw.decode(json.detect_encoding(raw))


def decode_json(raw: bytes, into: type[T], complete: Callable[[Any], object] = lambda _: None) -> T:
    """Decode a JSON body.

    A number without a fractional part is an integer, however it is written (JSON Schema 2020-12, 4.2.3): some
    languages write 200 as 200.0 or 2e2.

    Args:
        raw: the body.
        into: the type of the result.
        complete: changes a body that doesn't fit the type, as parsed: it may fill in what is missing.

    Raises:
        Malformed: when it is not JSON.
        msgspec.ValidationError: when it doesn't fit the type.
    """
    try:
        # Decoded to str first, because msgspec does not check the UTF-8 of values that it skips.
        text = decode_text(raw)
        try:
            return msgspec.json.decode(text, type=into)
        except msgspec.ValidationError:
            parsed = _ANY.decode(text)
        complete(parsed)
        return msgspec.convert(parsed, into)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Malformed("The body has to be JSON.") from broken


def decode_any(raw: bytes) -> Any:  # noqa: ANN401  any JSON value
    """Decode a JSON body of any type; otherwise as `decode_json`.

    Raises:
        Malformed: when it is not JSON.
    """
    try:
        return _ANY.decode(decode_text(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Malformed("The body is not JSON.") from broken


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        # As msgspec does with numbers that it decodes itself.
        raise msgspec.DecodeError("Number out of range")
    return int(value) if value.is_integer() else value


_ANY = msgspec.json.Decoder(float_hook=_number)
