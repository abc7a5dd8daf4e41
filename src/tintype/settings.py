"""All settings, composed of those of each package; read from a TOML file and the environment."""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_origin

import msgspec
from msgspec import Struct

from tintype.core.runtime.settings import (
    CacheSettings,
    DeferredSettings,
    RendererSettings,
    WorkerSettings,
)
from tintype.core.services import ImageSettings, QuotaSettings, RenditionSettings
from tintype.core.upkeep.collect_garbage import GcSettings
from tintype.dialects import AnyDialect
from tintype.web.body_cache import DeliverySettings
from tintype.web.logs import LogSettings
from tintype.web.settings import WebSettings
from tintype.web.unsigned_limits import LimitSettings

PREFIX = "TINTYPE_"
DATA = "TINTYPE_DATA"
DEFAULT_DATA = "tintype-data"
CONFIG_NAME = "tintype.toml"
RENAMED = {"facts": "cache", "later": "deferred", "bounds": "limits"}
"""Sections by names that they had."""

SECTIONS: dict[str, type[Struct]] = {
    "web": WebSettings,
    "images": ImageSettings,
    "quotas": QuotaSettings,
    "renditions": RenditionSettings,
    "deferred": DeferredSettings,
    "renderers": RendererSettings,
    "workers": WorkerSettings,
    "limits": LimitSettings,
    "cache": CacheSettings,
    "delivery": DeliverySettings,
    "logs": LogSettings,
    "gc": GcSettings,
}


class SettingError(Exception):
    """An unknown setting, or an invalid value."""


class Settings(Struct, frozen=True):
    """All settings. `data` is the data folder; `dialects` has the settings of each dialect."""

    data: Path
    web: WebSettings
    images: ImageSettings
    quotas: QuotaSettings
    renditions: RenditionSettings
    deferred: DeferredSettings
    renderers: RendererSettings
    workers: WorkerSettings
    limits: LimitSettings
    cache: CacheSettings
    delivery: DeliverySettings
    logs: LogSettings
    gc: GcSettings
    dialects: dict[str, Struct]


def sections(dialects: Sequence[AnyDialect]) -> dict[str, type[Struct]]:
    """The sections of the settings, each with the type of its fields."""
    return SECTIONS | {dialect.name: dialect.settings for dialect in dialects}


def load(
    data: Path | None, dialects: Sequence[AnyDialect], environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force.

    Strongest first: `TINTYPE_<SECTION>_<FIELD>` in the environment, `<data>/tintype.toml` with a table a
    section, the defaults. In the environment the members of a list stand between commas.

    Args:
        data: the data folder; None: `TINTYPE_DATA`, or `tintype-data` here.
        dialects: whose sections there are.
        environment: the environment.

    Raises:
        SettingError: when one is wrong; it names it, and where it was set.
    """
    folder = (data or Path(environment.get(DATA) or DEFAULT_DATA)).resolve()
    known = sections(dialects)
    given = _from_file(folder / CONFIG_NAME, known) | _from_environment(environment, known)
    values: dict[str, Any] = {section: _section(section, kind, given) for section, kind in known.items()}
    _require_dialects(values["web"].dialects, given, dialects)
    own = {dialect.name: values.pop(dialect.name) for dialect in dialects}
    return Settings(data=folder, dialects=own, **values)


class _Given(Struct, frozen=True):
    """A value that was given for a setting, and where: a variable, or a file and a line."""

    value: Any
    source: str


_AllGiven = dict[tuple[str, str], _Given]
"""By section and name."""


def _from_file(path: Path, known: Mapping[str, type[Struct]]) -> _AllGiven:
    if not path.is_file():
        return {}
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingError(f"{path} is not TOML: {broken}") from broken
    given = {}
    for section, table in tables.items():
        if section not in known:
            source = f"{path}{_line(text, section)}"
            raise SettingError(
                f"[{section}] in {source} is not a section of the settings.{_hint(section, known)}"
            )
        if not isinstance(table, dict):
            raise SettingError(f"{section} in {path} is a section: write [{section}] above its settings.")
        names = known[section].__struct_fields__
        for name, value in table.items():
            source = f"{path}{_line(text, section, name)}"
            if name not in names:
                raise SettingError(f"[{section}] {name} in {source} is not a setting.{_hint(name, names)}")
            given[section, name] = _Given(value, source)
    return given


def _line(text: str, section: str, name: str = "") -> str:
    """Where a setting, or a section, is in the file, if it is written in the usual way."""
    wanted, table = f"{section}.{name}", ""
    for number, line in enumerate(text.splitlines(), 1):
        key = line.partition("=")[0].strip()
        if key.startswith("["):
            table, key = key.partition("]")[0].strip("[ "), ""
        here = f"{table}.{key}".lstrip(".")
        if here == wanted or (not name and here.startswith(wanted)):
            return f", line {number}"
    return ""


def _from_environment(environment: Mapping[str, str], known: Mapping[str, type[Struct]]) -> _AllGiven:
    names = {
        f"{PREFIX}{section}_{field}".upper(): (section, field)
        for section, kind in known.items()
        for field in kind.__struct_fields__
    }
    given = {}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == DATA:
            continue
        if variable not in names:
            raise SettingError(f"{variable} is not a setting.{_hint(_renamed(variable), names)}")
        section, name = names[variable]
        members = _members(value) if _is_list(known[section], name) else value
        given[section, name] = _Given(members, variable)
    return given


def _hint(name: str, known: Iterable[str]) -> str:
    """What may have been meant."""
    nearest = [RENAMED[name]] if name in RENAMED else difflib.get_close_matches(name, known, 1)
    return f" Did you mean {nearest[0]}?" if nearest else " docs/settings.md lists them all."


def _renamed(variable: str) -> str:
    section, _, rest = variable.removeprefix(PREFIX).partition("_")
    new = RENAMED.get(section.lower())
    return f"{PREFIX}{new}_{rest}".upper() if new else variable


def _is_list(kind: type[Struct], name: str) -> bool:
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    return get_origin(types[name]) is tuple


def _members(text: str) -> list[str]:
    return [member.strip() for member in text.split(",") if member.strip()]


def _require_dialects(names: Sequence[str], given: _AllGiven, dialects: Sequence[AnyDialect]) -> None:
    known = [dialect.name for dialect in dialects]
    for name in names:
        if name not in known:
            there_are = f"{name!r}, which is no dialect; there are {', '.join(known)}."
            raise SettingError(f"[web] dialects in {given['web', 'dialects'].source} names {there_are}")


def _section(section: str, kind: type[Struct], given: _AllGiven) -> Struct:
    values = {
        field.name: _value(section, field, given[section, field.name])
        for field in msgspec.structs.fields(kind)
        if (section, field.name) in given
    }
    try:
        return kind(**values)
    except ValueError as wrong:
        name, reason = wrong.args
        raise _invalid(section, name, given[section, name], reason) from wrong


def _invalid(section: str, name: str, given: _Given, reason: str) -> SettingError:
    return SettingError(f"[{section}] {name} is {given.value!r} in {given.source}: {reason}.")


def _value(section: str, field: msgspec.structs.FieldInfo, given: _Given) -> Any:  # noqa: ANN401  a setting's
    try:
        # Not strict: what comes from the environment is text.
        return msgspec.convert(given.value, field.type, strict=False)
    except msgspec.ValidationError as wrong:
        raise _invalid(section, field.name, given, _expected(field.type, wrong)) from wrong


def _expected(kind: Any, wrong: msgspec.ValidationError) -> str:  # noqa: ANN401  a setting's type
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"allowed are {', '.join(member.value for member in kind)}"
    return str(wrong).partition(" - at ")[0].replace("`", "")
