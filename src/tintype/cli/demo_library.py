"""The library of the demo: images made by code, always the same, and credentials made once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pyvips
from msgspec import Struct

from tintype.cli.library import command_actor, in_house, prepare
from tintype.core import House
from tintype.core.ingest import examine, keep, present, stage
from tintype.core.permit import grant, member
from tintype.dialects import discover
from tintype.model import Account, Caller, Image, Person, Role, Status
from tintype.storage import durable

ACCOUNT = "demo"
OTHER_ACCOUNT = "other"
CREDENTIALS = "demo-credentials.json"
SAMPLE = "000.png"

TURN_CLOCKWISE = 6
"""EXIF orientation: what is shown is the picture turned a quarter clockwise."""
SUN_RADIUS = 0.12
"""In heights of the picture."""

STORE = "20180413-2595-40E8-80CB-4646C05D81B6"
PRODUCT = "5e46f8de-ec4f-4f87-85de-337b88fa2bdd"
"""The ids of the vendor's own example."""


class Pair(Struct, frozen=True):
    """The two tokens of mews."""

    client_token: str
    access_token: str


class Bearer(Struct, frozen=True):
    """One token."""

    token: str


class Till(Struct, frozen=True):
    """The evotor token, and a store and a product to use it on."""

    token: str
    store_id: str
    product_id: str


class Credentials(Struct, frozen=True):
    """What a client of each dialect needs, and an image that none of them may see."""

    mews: Pair
    smartsheet: Bearer
    publisher: Bearer
    evotor: Till
    native: Bearer
    foreign_image_id: str


class Made(Struct, frozen=True):
    """What is remembered of a filled library: whose it is, and the credentials."""

    caller: Caller
    credentials: Credentials


class Sample(Struct, frozen=True):
    """One picture of the library: how it is drawn, and how it is kept."""

    filename: str
    width: int
    height: int
    hue: int
    person: str = "Anna Koch"
    archived: bool = False
    transparent: bool = False
    on_its_side: bool = False
    frames: int = 1


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
    durable.write_private(settings.data / SAMPLE, draw(PRODUCT_SAMPLE))
    made = asyncio.run(in_house(settings, _fill))
    # Last: that this file is there says that the library is complete.
    durable.write_private(settings.data / CREDENTIALS, msgspec.json.encode(made))


def draw(sample: Sample) -> bytes:
    """The bytes of a sample: a sky, a ground and a sun, in its own colours."""
    frames = [_scene(sample, moment / sample.frames) for moment in range(sample.frames)]
    image = pyvips.Image.arrayjoin(frames, across=1).copy()
    if sample.frames > 1:
        image.set_type(pyvips.GValue.gint_type, "page-height", sample.height)
        image.set_type(pyvips.GValue.array_int_type, "delay", [120] * sample.frames)
    if sample.on_its_side:
        # As a camera held upright writes it: turned, with a note that says how to turn it back.
        image = image.rot270().copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", TURN_CLOCKWISE)
    suffix = Path(sample.filename).suffix.lower()
    return bytes(image.write_to_buffer(".jpg[Q=88]" if suffix == ".jpeg" else suffix))


def _scene(sample: Sample, moment: float) -> pyvips.Image:
    grid = pyvips.Image.xyz(sample.width, sample.height)
    x, y = grid[0] / sample.width, grid[1] / sample.height
    distance = (((x - 0.3 - 0.4 * moment) * sample.width / sample.height) ** 2 + (y - 0.35) ** 2) ** 0.5
    sun = distance < SUN_RADIUS
    ground = (y > 0.7 + 0.05 * (x * 720).sin()).ifthenelse(1.0, 0.0)
    lightness = sun.ifthenelse(94, 85 - 45 * y - 30 * ground)
    chroma = sun.ifthenelse(55, 35 + 10 * (x * 360).cos())
    hue = sun.ifthenelse(85, (sample.hue + 60 * y + 120 * ground) % 360)
    picture = lightness.bandjoin([chroma, hue]).copy(interpretation="lch").colourspace("srgb").cast("uchar")
    if not sample.transparent:
        return picture
    return picture.bandjoin(((0.5 - distance) * 1020).cast("uchar"))


async def _fill(house: House) -> Made:
    account, anna = await member(house, ACCOUNT, "Anna Koch")
    for sample in SAMPLES:
        await _add(house, ACCOUNT, sample)
    foreign = await _add(house, OTHER_ACCOUNT, FOREIGN)
    secrets = {
        each.name: await grant(
            house,
            account,
            anna,
            each.name,
            pairs=each.pairs,
            label="demo",
            scopes=each.scopes,
            actor=command_actor(),
        )
        for each in discover()
    }
    credentials = Credentials(
        mews=Pair(*secrets["mews"]),
        smartsheet=Bearer(*secrets["smartsheet"]),
        publisher=Bearer(*secrets["publisher"]),
        evotor=Till(secrets["evotor"][0], STORE, PRODUCT),
        native=Bearer(*secrets["native"]),
        foreign_image_id=str(foreign.id),
    )
    return Made(_as(account, anna), credentials)


async def _add(house: House, account: str, sample: Sample) -> Image:
    owner, person = await member(house, account, sample.person)
    caller = _as(owner, person)
    async with stage(house, _once(draw(sample)), house.images.max_bytes) as staged:
        there = await present(house, caller, staged.sha256, sample.filename)
        if there is not None:
            return there
        facts = await examine(house, caller, staged)
        status = Status.ARCHIVED if sample.archived else Status.ACTIVE
        return await keep(house, caller, staged, facts, sample.filename, status=status)


def _as(account: Account, person: Person) -> Caller:
    return Caller(account, person, UUID(int=0), "demo", Role.EDITOR, frozenset())


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
