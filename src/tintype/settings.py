"""Every setting there is: each room's own, put together; read from a TOML file and the environment."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_origin

import msgspec
from msgspec import Struct

from tintype.core.runtime.deferred import DeferredSettings
from tintype.core.runtime.record_cache import CacheSettings
from tintype.core.runtime.renderers import RendererSettings
from tintype.core.runtime.workers import WorkerSettings
from tintype.core.services import ImageSettings, QuotaSettings, RenditionSettings
from tintype.core.upkeep.check_and_gc import GcSettings
from tintype.dialects import Dialect
from tintype.web.logs import LogSettings
from tintype.web.response_cache import DeliverySettings
from tintype.web.settings import WebSettings
from tintype.web.unsigned_limits import LimitSettings

PREFIX = "TINTYPE_"
DATA = "TINTYPE_DATA"
DEFAULT_DATA = "tintype-data"
CONFIG_NAME = "tintype.toml"

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
    """A setting that is not known, or has a value that it can't have."""


class Settings(Struct, frozen=True):
    """All settings. `data` is the folder of everything that is kept; `dialects` has an entry each."""

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
    dialects: dict[str, Any]


def sections(dialects: Sequence[Dialect]) -> dict[str, type[Struct]]:
    """The sections of the settings, each with the type of its fields."""
    return SECTIONS | {dialect.name: dialect.settings for dialect in dialects}


def load(
    data: Path | None, dialects: Sequence[Dialect], environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force.

    Strongest first: `TINTYPE_<SECTION>_<FIELD>` in the environment, `<data>/tintype.toml` with a table a
    section, the defaults. In the environment the members of a list stand between commas.

    Args:
        data: the data folder; None: `TINTYPE_DATA`, or `tintype-data` here.
        dialects: whose sections there are.
        environment: the environment.

    Raises:
        SettingError: names what is wrong, and where.
    """
    folder = (data or Path(environment.get(DATA) or DEFAULT_DATA)).resolve()
    known = sections(dialects)
    values = _from_file(folder / CONFIG_NAME, known)
    for section, name, value in _from_environment(environment, known):
        values.setdefault(section, {})[name] = _members(value) if _is_list(known[section], name) else value
    made = {section: _convert(section, values.get(section, {}), kind) for section, kind in known.items()}
    rooms: dict[str, Any] = {section: made[section] for section in SECTIONS}
    _require_dialects(rooms["web"].dialects, dialects)
    return Settings(data=folder, dialects={dialect.name: made[dialect.name] for dialect in dialects}, **rooms)


def _from_file(path: Path, known: Mapping[str, type[Struct]]) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingError(f"{path} is not TOML: {broken}") from broken
    for section, table in values.items():
        if section not in known or not isinstance(table, dict):
            raise SettingError(f"{path} has a section [{section}]; there are {', '.join(sorted(known))}.")
    return values


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, type[Struct]]
) -> list[tuple[str, str, str]]:
    names = {
        f"{PREFIX}{section}_{field}".upper(): (section, field)
        for section, kind in known.items()
        for field in kind.__struct_fields__
    }
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and name != DATA}
    unknown = sorted(given.keys() - names.keys())
    if unknown:
        raise SettingError(f"{unknown[0]} is not a setting; docs/settings.md lists them all.")
    return [(*names[name], value) for name, value in given.items()]


def _is_list(kind: type[Struct], name: str) -> bool:
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    return get_origin(types[name]) is tuple


def _members(text: str) -> list[str]:
    return [member.strip() for member in text.split(",") if member.strip()]


def _require_dialects(named: Sequence[str], dialects: Sequence[Dialect]) -> None:
    known = [dialect.name for dialect in dialects]
    for name in named:
        if name not in known:
            raise SettingError(
                f"Setting [web]: dialects names {name!r}, which is no dialect; there are {', '.join(known)}."
            )


def _convert(section: str, values: Mapping[str, Any], kind: type[Struct]) -> Struct:
    try:
        # Not strict: what comes from the environment is text.
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as wrong:
        raise SettingError(f"Setting [{section}]: {wrong}") from wrong
