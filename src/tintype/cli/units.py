"""Sizes in bytes, as commands parse and print them."""

import re

import rich_click as click

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([kKMGTP]?)(i?)B?\Z")
_PREFIXES = " kMGTP"

MAX_BYTES = 2**63 - 1
"""The largest number of bytes that the catalogue can store."""


def parse_size(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """The bytes of a size such as 500, 10GB or 1.5TiB; kB is 1,000, KiB is 1,024."""
    if text is None:
        return None
    match = _SIZE.match(text)
    if match is None:
        raise click.BadParameter("write bytes, as in 500, 10GB or 1.5TiB.", ctx, param)
    number, prefix, binary = match.groups()
    unit: int = (1024 if binary else 1000) ** _PREFIXES.index(prefix.replace("K", "k") or " ")
    size = round(float(number) * unit)
    if size > MAX_BYTES:
        raise click.BadParameter(f"{text} is too large; 0 means no limit.", ctx, param)
    return size


def format_size(size: int) -> str:
    """A size such as 999 bytes or 1.5 MB (1 MB is 1,000,000 bytes)."""
    if size < 1000:  # noqa: PLR2004  the prefix k
        return f"{size} bytes"
    power = min(len(_PREFIXES) - 1, (len(str(size)) - 1) // 3)
    return f"{size / 1000**power:.3g} {_PREFIXES[power]}B"
