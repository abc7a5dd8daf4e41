"""A real, migrated SQLite catalogue with two accounts in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from tintype.catalogue import Database, accounts, images, schema
from tintype.imaging import Format
from tintype.model import Account, NewImage, Person, Status

NOON = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)

BLANK = NewImage(
    id=UUID(int=0),
    filename="photo.png",
    name="photo",
    extension="png",
    format=Format.PNG,
    sha256="0" * 64,
    bytes=1,
    width=1,
    height=1,
    frames=1,
    has_alpha=False,
    status=Status.ACTIVE,
)


@dataclass
class Sample:
    """A catalogue, and two accounts with a person each."""

    database: Database
    path: Path
    north: Account
    south: Account
    anna: Person
    boris: Person
    minutes: int = field(default=0)

    async def add(self, account: Account | None = None, person: Person | None = None, **info: Any) -> int:  # noqa: ANN401  any field of a draft
        """Record an image a minute after the one before; answers its number."""
        self.minutes += 1
        draft = msgspec.structs.replace(BLANK, **{"id": uuid4(), **info})
        now = NOON + timedelta(minutes=self.minutes)
        owner = (account or self.north).id
        return (await self.database.write(images.add, owner, person or self.anna, draft, now)).number


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "catalogue.sqlite3"
    schema.migrate(found)
    return found


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    opened = Database(path)
    yield opened
    await opened.close()


@pytest.fixture
async def sample(database: Database, path: Path) -> Sample:
    north = await database.write(accounts.get_or_create, uuid4(), "north", NOON)
    south = await database.write(accounts.get_or_create, uuid4(), "south", NOON)
    anna = await database.write(accounts.get_or_create_person, north.id, "Anna Koch", NOON)
    boris = await database.write(accounts.get_or_create_person, north.id, "борис", NOON)
    return Sample(database, path, north, south, anna, boris)
