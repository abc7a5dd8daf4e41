"""The library of the demo: images made by code, always the same, and credentials made once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from tintype.cli.demo_samples import Sample
from tintype.cli.library import command_actor, prepare, run_with_services
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person, issue_token
from tintype.core.library.ingest import examine, keep, present, stage
from tintype.dialects import Dialect, discover
from tintype.model import Account, Caller, Image, Person, Role, Status
from tintype.storage import durable

ACCOUNT = "demo"
OTHER_ACCOUNT = "other"
CREDENTIALS = "demo-credentials.json"
SAMPLE = "000.png"

Credentials = dict[str, dict[str, str]]
"""By dialect what its clients need: the tokens, and the ids of its record."""


class DemoLibrary(Struct, frozen=True):
    """What is remembered of a filled library.

    Attributes:
        caller: whose images they are.
        credentials: those of each dialect, by its name; and as `foreign_image_id` an image that none of them
            may see.
    """

    caller: Caller
    credentials: dict[str, dict[str, str] | str]

    def by_dialect(self) -> Credentials:
        """The credentials without the rest."""
        return {name: given for name, given in self.credentials.items() if isinstance(given, dict)}


SAMPLES = (
    Sample("harbour at dawn.jpg", 1200, 800, 20),
    Sample("Отель на набережной.jpg", 900, 600, 200, person="Борис Петров"),
    Sample('Zimmer & Suite <"Süd">.png', 640, 480, 120),
    Sample("crème brûlée.webp", 800, 600, 40, person="Борис Петров"),
    Sample("100%_off.png", 300, 300, 340, transparent=True),
    Sample("tower, held upright.jpg", 800, 1200, 260, on_its_side=True),
    Sample("waving.gif", 160, 120, 90, frames=6),
    Sample("Logo 🦊.PNG", 256, 256, 30, transparent=True, person="Борис Петров"),
    Sample("icon.gif", 32, 32, 300),
    Sample("last season.jpeg", 1024, 768, 220, archived=True),
    Sample("menu O'Hara.webp", 600, 900, 150, archived=True, transparent=True),
    Sample("panorama.jpg", 2400, 600, 180, person="Борис Петров"),
)
FOREIGN = Sample("not yours.png", 400, 300, 0)
PRODUCT_SAMPLE = Sample(SAMPLE, 300, 300, 60)


def fill(data: Path) -> None:
    """Fill a data folder; run again after an interruption it completes what is there."""
    settings = prepare(data)
    durable.write_private(settings.data / SAMPLE, _drawn(PRODUCT_SAMPLE))
    made = asyncio.run(run_with_services(settings, _fill))
    # Last: that this file is there says that the library is complete.
    durable.write_private(settings.data / CREDENTIALS, msgspec.json.encode(made))


async def _fill(services: Services) -> DemoLibrary:
    account, anna = await get_or_create_person(services, ACCOUNT, "Anna Koch")
    for sample in SAMPLES:
        await _add(services, ACCOUNT, sample)
    foreign = await _add(services, OTHER_ACCOUNT, FOREIGN)
    credentials = {each.name: await _credentials(services, each, account, anna) for each in discover()}
    return DemoLibrary(_as(account, anna), {**credentials, "foreign_image_id": str(foreign.id)})


async def _credentials(
    services: Services, dialect: Dialect, account: Account, person: Person
) -> dict[str, str]:
    tokens = await issue_token(
        services,
        account,
        person,
        dialect.name,
        pairs=dialect.pairs,
        label="demo",
        scopes=dialect.scopes,
        actor=command_actor(),
    )
    names = ("client_token", "access_token") if dialect.pairs else ("token",)
    return {**dict(zip(names, tokens, strict=True)), **dialect.demo_ids}


async def _add(services: Services, account: str, sample: Sample) -> Image:
    owner, person = await get_or_create_person(services, account, sample.person)
    caller = _as(owner, person)
    async with stage(services, _once(_drawn(sample)), services.images.max_bytes) as staged:
        there = await present(services, caller, staged.sha256, sample.filename)
        if there is not None:
            return there
        facts = await examine(services, caller, staged)
        status = Status.ARCHIVED if sample.archived else Status.ACTIVE
        return await keep(services, caller, staged, facts, sample.filename, status=status)


def _drawn(sample: Sample) -> bytes:
    # Only the process that fills the library has a drawing library in it, not the one that serves it.
    from tintype.cli.demo_pictures import draw  # noqa: PLC0415

    return draw(sample)


def _as(account: Account, person: Person) -> Caller:
    return Caller(account, person, UUID(int=0), "demo", Role.EDITOR, frozenset())


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
