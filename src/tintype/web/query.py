"""Query strings, parsed (WHATWG URL, application/x-www-form-urlencoded)."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from tintype.model import Error

MAX_FIELDS = 50
"""The most parameters of a query."""

Query = Mapping[str, str]


def parse_query(text: str, too_many: Callable[[int], Error]) -> Query:
    """The parameters of a query by name; of a repeated one the last value.

    Args:
        text: the query, in which each byte is one character (Latin-1).
        too_many: makes the error for more than `MAX_FIELDS` parameters, which it is given.

    Raises:
        Error: as `too_many` makes it, when there are too many.
    """
    try:
        return dict(parse_qsl(_as_utf8(text), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise too_many(MAX_FIELDS) from None


def parse_filled(text: str) -> Query:
    """The parameters that are not empty, however many; of a repeated one the first value."""
    return dict(reversed(parse_qsl(_as_utf8(text))))


def _as_utf8(text: str) -> str:
    """The query as UTF-8, as browsers send it; what is not encoded in ASCII is rare."""
    return text if text.isascii() else text.encode("latin-1", "replace").decode("utf-8", "replace")
