"""A real house on a folder of its own, with a clock that tests set, and people who live in it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests import pictures
from tintype.app import CATALOGUE, LINK_KEYS, close_house, open_house
from tintype.catalogue import publications, schema
from tintype.core import House
from tintype.core.ingest import examine, keep, stage
from tintype.core.permit import member
from tintype.core.sign import Keyring
from tintype.dialects import discover
from tintype.model import Actor, Caller, Image, Place, Role
from tintype.settings import Settings, load

NOBODY = Actor("a test", "here")


@dataclass
class Clock:
    """The time, as a test says it is."""

    now: datetime = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, **how_far: float) -> None:
        self.now += timedelta(**how_far)


@dataclass
class Town:
    """A house, who lives in it, and how images come into it."""

    house: House
    clock: Clock
    data: Path
    anna: Caller
    boris: Caller
    """Of another account than Anna."""
    _seeds: Iterator[int] = field(default_factory=lambda: iter(range(100, 10_000)))

    async def add(
        self,
        caller: Caller | None = None,
        data: bytes | None = None,
        filename: str = "photo.png",
        *,
        place: Place | None = None,
        replace: bool = False,
        unique: bool = False,
    ) -> Image:
        """Take an image in, as the dialects do; without `data` it is one of its own."""
        data = pictures.png(8, 6, seed=next(self._seeds)) if data is None else data
        async with stage(self.house, once(data), len(data)) as staged:
            who = caller or self.anna
            facts = await examine(self.house, who, staged)
            return await keep(
                self.house, who, staged, facts, filename, place=place, replace=replace, unique=unique
            )

    def files(self) -> list[str]:
        """Every file of originals, renditions and uploads under way, by its path below the data folder.

        Not those that only serve as locks.
        """
        found = [
            path
            for folder in ("originals", "renditions", "incoming")
            for path in (self.data / folder).rglob("*")
        ]
        return sorted(
            str(path.relative_to(self.data))
            for path in found
            if path.is_file() and path.parent.name != ".locks"
        )


async def once(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def settle(house: House, account: str, person: str, role: Role = Role.EDITOR) -> Caller:
    """Somebody of an account that publishes through every dialect, as if let in by a token."""
    owner, who = await member(house, account, person)
    async with house.catalogue.write() as tx:
        for dialect in discover():
            await publications.add(tx, owner.id, dialect.name)
    return Caller(owner, who, UUID(int=0), "native", role, frozenset())


@asynccontextmanager
async def founded(settings: Settings, clock: Clock) -> AsyncIterator[Town]:
    schema.migrate(settings.data / CATALOGUE)
    Keyring.make(settings.data / LINK_KEYS)
    house = open_house(settings, clock)
    try:
        anna = await settle(house, "north", "Anna Koch")
        boris = await settle(house, "south", "Борис Петров")
        yield Town(house, clock, settings.data, anna, boris)
    finally:
        await close_house(house)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path, [], {"TINTYPE_IMAGES_MAX_OUTPUT_SIDE": "1000"})


@pytest.fixture
async def town(settings: Settings, clock: Clock) -> AsyncIterator[Town]:
    async with founded(settings, clock) as town:
        yield town


@pytest.fixture
def house(town: Town) -> House:
    return town.house
