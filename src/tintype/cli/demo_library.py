"""The library of the demo: generated images, always the same, and credentials, created once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from tintype.cli.demo_samples import Sample
from tintype.cli.library import command_actor, prepare_library, run_with_services
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person, issue_token
from tintype.core.library.ingest import examine, find_duplicate, record_image, stage
from tintype.dialects import discover
from tintype.model import Account, Caller, Image, Person, Status
from tintype.storage import durable
from tintype.web.api import AnyApi

ACCOUNT = "demo"
OTHER_ACCOUNT = "other"
CREDENTIALS = "demo-credentials.json"
SAMPLE = "000.png"

Credentials = dict[str, dict[str, str]]
"""For each dialect the values that its clients need: tokens, and ids such as those of a store."""


class DemoLibrary(Struct, frozen=True):
    """The owner of the library, and the credentials.

    Attributes:
        caller: the owner of the images.
        credentials: the credentials by dialect; `foreign_image_id`: the id of an image of another account,
            which none of them may read.
    """

    caller: Caller
    credentials: dict[str, dict[str, str] | str]

    def by_dialect(self) -> Credentials:
        """The credentials of the dialects only."""
        return {name: own for name, own in self.credentials.items() if isinstance(own, dict)}


SAMPLES = (
    Sample("harbour at dawn.jpg", 1200, 800, 20),
    Sample("Отель на набережной.jpg", 900, 600, 200, person="Борис Петров"),
    Sample('Zimmer & Suite <"Süd">.png', 640, 480, 120),
    Sample("crème brûlée.webp", 800, 600, 40, person="Борис Петров"),
    Sample("100%_off.png", 300, 300, 340, transparent=True),
    Sample("tower, held upright.jpg", 800, 1200, 260, is_rotated=True),
    Sample("waving.gif", 160, 120, 90, frames=6),
    Sample("Logo 🦊.PNG", 256, 256, 30, transparent=True, person="Борис Петров"),
    Sample("icon.gif", 32, 32, 300),
    Sample("last season.jpeg", 1024, 768, 220, archived=True),
    Sample("menu O'Hara.webp", 600, 900, 150, archived=True, transparent=True),
    Sample("panorama.jpg", 2400, 600, 180, person="Борис Петров"),
)
FOREIGN = Sample("not yours.png", 400, 300, 0)
UPLOAD_SAMPLE = Sample(SAMPLE, 300, 300, 60)


def fill(data: Path) -> None:
    """Fill a data folder. After an interruption, the next call adds what is missing."""
    settings = prepare_library(data)
    durable.write_private(settings.data / SAMPLE, _image_bytes(UPLOAD_SAMPLE))
    library = asyncio.run(run_with_services(settings, _fill))
    # Last, because this file marks the library as complete.
    durable.write_private(settings.data / CREDENTIALS, msgspec.json.encode(library))


async def _fill(services: Services) -> DemoLibrary:
    account, anna = await get_or_create_person(services, ACCOUNT, "Anna Koch")
    for sample in SAMPLES:
        await _add_image(services, ACCOUNT, sample)
    foreign = await _add_image(services, OTHER_ACCOUNT, FOREIGN)
    credentials = {
        each.name: await _tokens(services, each.name, each.api, account, anna) | dict(each.demo_ids)
        for each in discover()
        if each.api is not None
    }
    return DemoLibrary(_caller(account, anna), {**credentials, "foreign_image_id": str(foreign.id)})


async def _tokens(
    services: Services, dialect: str, api: AnyApi, account: Account, person: Person
) -> dict[str, str]:
    tokens = await issue_token(
        services,
        account,
        person,
        dialect,
        pairs=api.pairs,
        label="demo",
        role=api.default_role,
        scopes=api.scopes,
        actor=command_actor(),
    )
    names = ("client_token", "access_token") if api.pairs else ("token",)
    return dict(zip(names, tokens, strict=True))


async def _add_image(services: Services, account: str, sample: Sample) -> Image:
    owner, person = await get_or_create_person(services, account, sample.person)
    caller = _caller(owner, person)
    async with stage(services, _chunks(_image_bytes(sample)), services.images.max_bytes) as staged:
        existing = await find_duplicate(services, caller, staged.sha256, sample.filename)
        if existing is not None:
            return existing
        info = await examine(services, caller, staged)
        status = Status.ARCHIVED if sample.archived else Status.ACTIVE
        return await record_image(services, caller, staged, info, sample.filename, status=status)


def _image_bytes(sample: Sample) -> bytes:
    # Imported here, so that the process that serves the library does not load it.
    from tintype.cli.demo_pictures import draw  # noqa: PLC0415

    return draw(sample)


def _caller(account: Account, person: Person) -> Caller:
    return Caller(account, person, UUID(int=0), "demo", "", frozenset())


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data
