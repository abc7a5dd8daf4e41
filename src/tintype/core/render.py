"""Pictures for delivery: the original as it is, or a rendition made once and kept."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Hashable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO

import structlog
from msgspec import Struct, structs

from tintype.core.choose import SLOW, Making, is_costly, is_slow, makings, output_pixels, stripped
from tintype.core.evict import tend
from tintype.core.fairness import WorkEstimate
from tintype.core.house import House
from tintype.core.missing_original import missing_original
from tintype.core.renderers import decode
from tintype.core.tally import Tally
from tintype.imaging import Format, ImageRefused, Reason, Recipe, row
from tintype.imaging.extras import is_installed
from tintype.imaging.sandbox.pool import Drawn
from tintype.model import Error, Image, Kind
from tintype.storage import Draft, durable

Gate = Callable[[], Awaitable[None]]

SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 0.1
"""Seconds between two looks at what another process makes."""

log = structlog.get_logger("tintype")


ASKED_TOO_MUCH = frozenset({Reason.OUTPUT_TOO_LARGE, Reason.TOO_COSTLY})
"""Why a picture that was taken in isn't drawn as asked, besides for want of an extra."""


class Client(Struct, frozen=True):
    """For whom a rendition is made.

    Attributes:
        payer: who pays for the work, as a WorkEstimate has it.
        may_make: asked before anything is made anew; what it raises is raised.
    """

    payer: Hashable
    may_make: Gate | None = None


class UnreadableError(Exception):
    """An original is not there, or not what it was when it came."""


class Picture(Struct, frozen=True):
    """What is ready to be sent: `size` bytes at `path`. `tag` differs whenever the bytes can differ.

    One that was just made has its bytes as `data` too, if they are few, or else in an open file, `unkept`,
    where the cache had no room; they may be nowhere else. One that `stands_in` is delivered until another is
    made, which takes longer.
    """

    image: Image
    path: Path
    size: int
    media_type: str
    tag: str
    data: bytes | None = None
    unkept: Draft | None = None
    stands_in: bool = False


def original(house: House, image: Image) -> Picture:
    """The bytes as they came."""
    return Picture(
        image=image,
        path=house.originals.path(image.sha256),
        size=image.bytes,
        media_type=row(image.format).media_type,
        tag=original_tag(image),
    )


def original_tag(image: Image) -> str:
    """The tag of the bytes as they came."""
    return image.sha256[:32]


def stripped_tag(image: Image) -> str:
    """The tag of the original without its metadata."""
    return _tag(image, stripped(image))


def rendition_tag(image: Image, recipe: Recipe, accepted: AbstractSet[Format] = frozenset()) -> str:
    """The tag of the rendition that suits who reads the accepted formats best, known before it is made."""
    return _tag(image, makings(image, recipe, accepted)[0])


async def rendition(
    house: House,
    image: Image,
    recipe: Recipe,
    accepted: AbstractSet[Format] = frozenset(),
    client: Client | None = None,
) -> Picture:
    """A picture made by a recipe: from the cache, or made now and put there.

    Args:
        house: the house.
        image: of what.
        recipe: how.
        accepted: the formats that the client reads, besides those that everybody does.
        client: for whom it is made; None: for the image's account.

    Raises:
        Error: INVALID when the result would be larger than the limits allow; BUSY; REFUSED when it takes more
            memory than there is; MISSING when the image was deleted meanwhile; ORIGINAL_MISSING.
    """
    best, *others = makings(image, recipe, accepted)
    client = client or Client(image.account_id)
    made = await house.workers.disk(_find, house, _places(house, image, best))
    if made is not None:
        return _picture(image, best, made)
    if others and _is_for_later(house, best, output_pixels(image, recipe)):
        return await _stand_in(house, image, best, others[0], client)
    return _picture(image, best, await _make_once(house, image, best, client))


async def stripped_original(house: House, image: Image, client: Client) -> Picture:
    """The original without its metadata: from the cache, or made now for a client and put there.

    Raises:
        Error: as `rendition`.
    """
    making = stripped(image)
    made = await house.workers.disk(_find, house, _places(house, image, making))
    return _picture(image, making, made or await _make_once(house, image, making, client))


async def use(house: House, picture: Picture) -> None:
    """Count a rendition's file as used now, though its bytes are delivered from elsewhere."""
    await house.workers.disk(house.renditions.find, picture.path)


class _Made(Struct, frozen=True):
    """A rendition that is there; if it was just made and isn't large, with its bytes."""

    path: Path
    format: Format
    size: int
    data: bytes | None = None
    unkept: Draft | None = None
    is_new: bool = False
    is_kept: bool = True


_Drawn = Drawn[Draft]

_Places = dict[Format, Path]
"""Where what is made lies, by the format that it comes out in: one, unless several are tried."""


def _is_for_later(house: House, best: Making, pixels: int) -> bool:
    """Whether nobody should wait for it. What can't be made here at all is refused at once."""
    format = best.formats[0]
    return is_slow(best) and is_installed(row(format)) and house.later.is_for_later(format, pixels)


async def _stand_in(house: House, image: Image, best: Making, other: Making, client: Client) -> Picture:
    """What is quickly made; the best is made later."""
    made = await house.workers.disk(_find, house, _places(house, image, other))
    made = made or await _make_once(house, image, other, client)
    alone = Client(client.payer)
    house.later.add(_key(_places(house, image, best)), lambda: _make_once(house, image, best, alone))
    return structs.replace(_picture(image, other, made), stands_in=True)


async def _make_once(house: House, image: Image, making: Making, client: Client) -> _Made:
    key, work = _key(_places(house, image, making)), _estimate(house, image, making, client.payer)
    # Who shares what another asked for causes no work.
    if client.may_make is not None and not house.workers.is_under_way(key):
        await client.may_make()
    made = await house.workers.once(key, lambda: _make(house, image, making, work), work)
    tend(house)
    return made


def _picture(image: Image, making: Making, made: _Made) -> Picture:
    media_type, tag = row(made.format).media_type, _tag(image, making)
    return Picture(image, made.path, made.size, media_type, tag, made.data, made.unkept)


def _tag(image: Image, making: Making) -> str:
    return f"{image.sha256[:16]}-{making.fingerprint()[:16]}"


def _places(house: House, image: Image, making: Making) -> _Places:
    fingerprint = making.fingerprint()
    return {
        format: house.renditions.path(image.id, image.version, fingerprint, row(format).extensions[0])
        for format in making.formats
    }


def _key(places: _Places) -> Path:
    """What work on it is known by, in this process and among those of this machine."""
    return next(iter(places.values()))


def _find(house: House, places: _Places) -> _Made | None:
    for format, path in places.items():
        size = house.renditions.find(path)
        if size is not None:
            return _Made(path, format, size)
    return None


async def _make(house: House, image: Image, making: Making, work: WorkEstimate) -> _Made:
    """Make a rendition, or wait for another process of this machine that does."""
    patient_until = time.monotonic() + house.workers.patience
    while True:
        alone = time.monotonic() >= patient_until
        try:
            made = await decode(house.workers, work, _render, house, image, making, alone=alone)
        except UnreadableError as failed:
            raise await missing_original(house, image, str(failed)) from failed
        # The slot is for others while we wait, and no thread waits with us.
        made = made or await _made_by_another(house, image, making, patient_until)
        if made is not None:
            _count(house.workers.tally, made)
            return made


def _estimate(house: House, image: Image, making: Making, payer: Hashable) -> WorkEstimate:
    recipe = making.recipes[0]
    if recipe is None:
        # Its bytes are copied, no pixel is decoded.
        return WorkEstimate(payer, image.bytes)
    pixels = image.width * image.height * image.frames
    made = output_pixels(image, recipe)
    costly = is_costly(image.format, pixels) or (
        is_slow(making) and house.later.is_for_later(making.formats[0], made)
    )
    return WorkEstimate(payer, pixels + made, costly=costly)


def _count(tally: Tally, made: _Made) -> None:
    tally.from_others += not made.is_new
    tally.made += made.is_new
    tally.unkept += not made.is_kept


async def _made_by_another(house: House, image: Image, making: Making, patient_until: float) -> _Made | None:
    """What another process made; None when it gave up, or takes too long."""
    pause = SHORTEST_PAUSE
    while time.monotonic() < patient_until:
        made, goes_on = await house.workers.disk(_look, house, image, making)
        if made is not None or not goes_on:
            return made
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return None


def _look(house: House, image: Image, making: Making) -> tuple[_Made | None, bool]:
    places = _places(house, image, making)
    going_on = house.renditions.claims.is_held(_key(places))
    return _find(house, places), going_on


def _render(memory: int, house: House, image: Image, making: Making, *, alone: bool) -> _Made | None:
    """Make a rendition unless it is there by now; None if another process is at it and we can wait."""
    places = _places(house, image, making)
    with house.renditions.claims.hold(_key(places)) as is_ours:
        if not is_ours and not alone:
            return None
        return _find(house, places) or _keep(house, places, _smallest(memory, house, image, making, places))


def _smallest(memory: int, house: House, image: Image, making: Making, places: _Places) -> _Drawn:
    """The picture; where several are to be made, the one with the fewest bytes, of equals the first."""
    drawn = [_draw(memory, house, image, recipe, _key(places)) for recipe in making.recipes]
    return min(drawn, key=lambda each: each.made.size)


def _draw(memory: int, house: House, image: Image, recipe: Recipe | None, path: Path) -> _Drawn:
    limits, source_limits = house.images.made(), house.images.accepted()

    def spool() -> Draft:
        return house.renditions.draft(path)

    began = time.perf_counter()
    try:
        # What is written is a picture too large to be held until a slow client has it.
        with _opened(house, image) as source, durable.writing():
            if recipe is None:
                return house.renderers.strip(source.fileno(), image.format, memory, spool)
            drawn = house.renderers.render(source.fileno(), recipe, limits, source_limits, memory, spool)
    except ImageRefused as failed:
        if recipe is not None and (failed.reason in ASKED_TOO_MUCH or _lacks_extra(image, recipe, failed)):
            raise Error(Kind.INVALID, str(failed)) from failed
        # An original that was examined when it came can be drawn, if it still is what it was.
        raise UnreadableError(str(failed)) from failed
    made = drawn.made
    if made.format in SLOW:
        house.later.took(made.format, made.width * made.height, time.perf_counter() - began)
    return drawn


def _opened(house: House, image: Image) -> BinaryIO:
    """The original, to be read. Raises UnreadableError."""
    try:
        file = house.originals.path(image.sha256).open("rb")
    except FileNotFoundError:
        raise UnreadableError("the file is gone") from None
    if os.fstat(file.fileno()).st_size != image.bytes:
        # Some decoders don't mind a missing end.
        file.close()
        raise UnreadableError("the file has not the size that is recorded")
    return file


def _lacks_extra(image: Image, recipe: Recipe, failed: ImageRefused) -> bool:
    formats = (image.format, recipe.format or image.format)
    return failed.reason is Reason.UNSUPPORTED and not all(is_installed(row(each)) for each in formats)


def _keep(house: House, places: _Places, drawn: _Drawn) -> _Made:
    made, data, draft = drawn.made, drawn.data, drawn.file
    path, is_kept = places[made.format], False
    try:
        if data is not None:
            is_kept = house.renditions.put(path, data)
        elif draft is not None:
            is_kept = house.renditions.keep(path, draft, made.size)
    except FileNotFoundError:
        # Purged, or deleted with its image, while it was drawn.
        pass
    except OSError as failed:
        # A full disk: the picture is delivered all the same, and made again for who asks next.
        log.warning("rendition-not-kept", path=str(path), reason=failed.strerror)
    return _Made(path, made.format, made.size, data, None if is_kept else draft, is_new=True, is_kept=is_kept)
