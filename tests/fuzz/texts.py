"""Ids, names, sizes, lengths of time, settings: what people and programs write."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from hypothesis import strategies as st

from tests.fuzz.target import Target, mutated, mutated_text, only
from tintype.cli.arguments import parse_image_key, parse_recipe, printable
from tintype.cli.audit import parse_since
from tintype.cli.token import parse_duration
from tintype.cli.units import format_size, parse_size
from tintype.core.access.size_allowlist import parse_sizes
from tintype.dialects import discover
from tintype.imaging import Format
from tintype.model import Kind, names
from tintype.model.ids import parse_short, parse_uuid, short
from tintype.settings import CONFIG_NAME, SettingError, load, sections

DIALECTS = discover()
SETTINGS = {
    f"TINTYPE_{section}_{field.name}".upper(): field.default
    for section, kind in sections(DIALECTS).items()
    for field in msgspec.structs.fields(kind)
}
FOLDER = Path(tempfile.gettempdir()) / "tintype-fuzz-that-is-not-there"


def uuid(text: str) -> None:
    found = parse_uuid(text)
    assert found is None or str(found) == text.lower().replace("-", "")[:8] + str(found)[8:]


def short_id(text: str) -> None:
    """Each id has one short spelling."""
    found = parse_short(text)
    assert found is None or short(found) == text


def name(text: str) -> None:
    """A name is clean after it was cleaned once, and can be stored and compared."""
    clean = names.clean(text)
    assert names.clean(clean) == clean
    assert 1 <= len(clean) <= names.MAX_FILENAME
    clean.encode()
    assert "\0" not in clean
    assert "/" not in clean
    for format_ in Format:
        stem, extension = names.split(clean, format_)
        assert stem
        assert extension
    assert names.fold(names.fold(text)) == names.fold(text)


def option(parse: Callable[[Any, Any, str | None], object]) -> Callable[[str], object]:
    """An option of a command is read, or refused as such."""

    def check(text: str) -> object:
        try:
            return parse(CONTEXT, PARAMETER, text)
        except click.BadParameter:
            return None

    return check


def size(text: str) -> None:
    found = option(parse_size)(text)
    assert found is None or format_size(int(str(found)))


def duration(text: str) -> None:
    """A token can be made that lives so long."""
    found = option(parse_duration)(text)
    if isinstance(found, timedelta):
        assert (datetime(2026, 1, 1, tzinfo=UTC) + found).year


def since(text: str) -> None:
    found = option(parse_since)(text)
    if isinstance(found, datetime):
        assert found.tzinfo
        found.astimezone(UTC)


def image_key(text: str) -> None:
    with only(Kind.INVALID):
        assert parse_image_key(text) is not None
    assert printable(text).isprintable()


def recipe(text: str) -> None:
    with suppress(click.UsageError):
        parse_recipe(text.split(" "))


def sizes(text: str) -> None:
    with only(Kind.INVALID):
        found = parse_sizes(text)
        assert parse_sizes(str(found)) == found


def from_environment(environment: dict[str, str]) -> None:
    try:
        load(FOLDER, DIALECTS, environment)
    except SettingError as wrong:
        assert str(wrong)  # noqa: PT017  settings, or a sentence


def from_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / CONFIG_NAME).write_bytes(content)
        try:
            load(Path(folder), DIALECTS, {})
        except SettingError as wrong:
            assert str(wrong)  # noqa: PT017  settings, or a sentence


CONTEXT = click.Context(click.Command("x"))
PARAMETER = click.Option(["--x"])
VALUES = (
    st.sampled_from(
        ("", "0", "-1", "1e9", "true", "nan", "inf", "1_000", "٣", "9" * 5000, "a,b", "[1]", "1.5")
    )
    | st.text(max_size=12)
    | st.sampled_from([str(value) for value in SETTINGS.values()])
)
TOML = [
    b'[web]\nport = 8080\nhosts = ["a.example"]\n[images]\nmax_pixels = 1\n',
    b'data = 1\n[mews]\nlinks = "plain"\n',
]

TARGETS = (
    Target("UUIDs", mutated_text("57a971a5-a335-48f4-8cd1-595245d1a876"), uuid),
    Target("short ids", mutated_text("ABEiM0RVZneImaq7zN3u_w"), short_id),
    Target(
        "images in commands",
        mutated_text("57a971a5-a335-48f4-8cd1-595245d1a876", "ABEiM0RVZneImaq7zN3u_w", "1007"),
        image_key,
    ),
    Target("recipes in commands", mutated_text("w=400 mode=fit focal=0.5x0.5 bg=ff8800 q=80"), recipe),
    Target("names", st.text(max_size=600), name),
    Target("sizes in bytes", mutated_text("10GB", "1.5TiB", "500", "1 kB"), size),
    Target("lengths of time", mutated_text("90s", "7d", "999999d", "12h"), duration),
    Target(
        "moments", mutated_text("7d", "2026-01-31T12:00+01:00", "0001-01-01T00:00+23:59", "999999d"), since
    ),
    Target("sizes in pixels", mutated_text("320x240,640x,x480"), sizes),
    Target(
        "settings in the environment",
        st.dictionaries(st.sampled_from(list(SETTINGS)), VALUES, max_size=4),
        from_environment,
    ),
    Target("settings in a file", mutated(*TOML), from_file),
)
