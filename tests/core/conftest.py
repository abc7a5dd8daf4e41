"""Real services on a folder of their own, with a clock that tests set, accounts and people."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests import pictures
from tintype.app import LINK_KEYS, build_services, close_services
from tintype.catalogue import CATALOGUE, publications, schema
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person
from tintype.core.delivery.render import Picture
from tintype.core.library.ingest import examine, record_image, stage
from tintype.core.runtime.signing import Keyring
from tintype.dialects import discover
from tintype.model import Actor, Caller, Image, Placement
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
class Instance:
    """Services, accounts and people, and how images come in."""

    services: Services
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
        placement: Placement | None = None,
        replace: bool = False,
        unique: bool = False,
    ) -> Image:
        """Take an image in, as the dialects do; without `data` it is one of its own."""
        data = pictures.png(8, 6, seed=next(self._seeds)) if data is None else data
        async with stage(self.services, once(data), len(data)) as staged:
            who = caller or self.anna
            info = await examine(self.services, who, staged)
            return await record_image(
                self.services,
                who,
                staged,
                info,
                filename,
                placement=placement,
                replace=replace,
                unique=unique,
            )

    def original(self, sha256: str) -> Path:
        """The file of an original, whether it exists or not."""
        path = self.services.originals.local_path(sha256)
        assert path is not None
        return Path(path)

    def has_original(self, sha256: str) -> bool:
        return self.services.originals.stat(sha256) is not None

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


def path_of(picture: Picture) -> Path:
    """The file of a picture, whether it exists or not."""
    path = picture.store.local_path(picture.key)
    assert path is not None
    return Path(path)


async def once(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def create_caller(services: Services, account: str, person: str, role: str = "") -> Caller:
    """Somebody of an account that publishes through every dialect, as if let in by a token."""
    owner, who = await get_or_create_person(services, account, person)
    for dialect in discover():
        await services.catalogue.write(publications.add, owner.id, dialect.name)
    return Caller(owner, who, UUID(int=0), "native", role, frozenset())


@asynccontextmanager
async def open_instance(settings: Settings, clock: Clock) -> AsyncIterator[Instance]:
    schema.migrate(settings.data / CATALOGUE)
    Keyring.make(settings.data / LINK_KEYS)
    services = build_services(settings, clock)
    try:
        anna = await create_caller(services, "north", "Anna Koch")
        boris = await create_caller(services, "south", "Борис Петров")
        yield Instance(services, clock, settings.data, anna, boris)
    finally:
        await close_services(services)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path, [], {"TINTYPE_IMAGES_MAX_OUTPUT_SIDE": "1000"})


@pytest.fixture
async def instance(settings: Settings, clock: Clock) -> AsyncIterator[Instance]:
    async with open_instance(settings, clock) as instance:
        yield instance


@pytest.fixture
def services(instance: Instance) -> Services:
    return instance.services
