"""How commands read and write sizes in bytes."""

import re

import rich_click as click

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([kKMGTP]?)(i?)B?\Z")
_PREFIXES = " kMGTP"

MAX_BYTES = 2**63 - 1
"""The largest number that the catalogue keeps of bytes."""


def parse_size(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """The bytes that a text such as 500, 10GB or 1.5TiB says: kB is 1,000, KiB is 1,024."""
    if text is None:
        return None
    match = _SIZE.match(text)
    if match is None:
        raise click.BadParameter("write bytes, as in 500, 10GB or 1.5TiB.", ctx, param)
    number, prefix, binary = match.groups()
    unit: int = (1024 if binary else 1000) ** _PREFIXES.index(prefix.replace("K", "k") or " ")
    size = round(float(number) * unit)
    if size > MAX_BYTES:
        raise click.BadParameter(f"{text} is beyond all disks; 0 is no limit.", ctx, param)
    return size


def in_bytes(size: int) -> str:
    """A size for reading: 999 bytes, 1.5 MB (of 1,000,000 bytes)."""
    if size < 1000:  # noqa: PLR2004  the prefix k
        return f"{size} bytes"
    power = min(len(_PREFIXES) - 1, (len(str(size)) - 1) // 3)
    return f"{size / 1000**power:.3g} {_PREFIXES[power]}B"
