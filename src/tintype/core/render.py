"""Pictures for delivery: the original as it is, or a rendition made once and kept."""

import asyncio
import time
from pathlib import Path

import structlog
from msgspec import Struct

from tintype.core.browse import no_such_image
from tintype.core.evict import tend
from tintype.core.fairness import Load
from tintype.core.house import House
from tintype.imaging import ImageRefused, Reason, Recipe, output_format, render, row
from tintype.model import Error, Image, Kind

SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 0.1
"""Seconds between two looks at what another process makes."""

log = structlog.get_logger("tintype")


class Picture(Struct, frozen=True):
    """What is ready to be sent: `size` bytes at `path`. `tag` differs whenever the bytes can differ.

    One that was just made has its bytes as `data` too; where the disk was full they are nowhere else.
    """

    image: Image
    path: Path
    size: int
    media_type: str
    tag: str
    data: bytes | None = None


def original(house: House, image: Image) -> Picture:
    """The bytes as they came."""
    return Picture(
        image=image,
        path=house.originals.path(image.sha256),
        size=image.bytes,
        media_type=row(image.format).media_type,
        tag=image.sha256[:32],
    )


def rendition_tag(image: Image, recipe: Recipe) -> str:
    """The tag that a rendition has, known before it is made."""
    return f"{image.sha256[:16]}-{recipe.fingerprint()[:16]}"


async def rendition(house: House, image: Image, recipe: Recipe) -> Picture:
    """A picture made by a recipe: from the cache, or made now and put there.

    Raises:
        Error: INVALID when the result would be larger than the limits allow; BUSY; MISSING when the
            image was deleted meanwhile.
    """
    format = output_format(image.format, recipe, has_alpha=image.has_alpha)
    path = house.renditions.path(image.id, image.version, recipe.fingerprint(), row(format).extensions[0])
    made = await house.workers.disk(_find, house, path)
    if made is None:
        made = await house.workers.once(path, lambda: _make(house, image, recipe, path))
        tend(house)
    return Picture(image, path, made.size, row(format).media_type, rendition_tag(image, recipe), made.data)


class _Made(Struct, frozen=True):
    """A rendition that is there, with its bytes if it was just made."""

    size: int
    data: bytes | None = None


def _find(house: House, path: Path) -> _Made | None:
    size = house.renditions.find(path)
    return None if size is None else _Made(size)


async def _make(house: House, image: Image, recipe: Recipe, path: Path) -> _Made:
    """Make a rendition, or wait for another process of this machine that does."""
    load = Load(image.account_id, image.width * image.height * image.frames)
    patient_until = time.monotonic() + house.workers.patience
    while True:
        alone = time.monotonic() >= patient_until
        made = await house.workers.pixels(load, _render, house, image, recipe, path, alone=alone)
        # The slot is for others while we wait, and no thread waits with us.
        made = made or await _made_by_another(house, path, patient_until)
        if made is not None:
            return made


async def _made_by_another(house: House, path: Path, patient_until: float) -> _Made | None:
    """What another process made; None when it gave up, or takes too long."""
    pause = SHORTEST_PAUSE
    while time.monotonic() < patient_until:
        made, goes_on = await house.workers.disk(_look, house, path)
        if made is not None or not goes_on:
            return made
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return None


def _look(house: House, path: Path) -> tuple[_Made | None, bool]:
    going_on = house.renditions.claims.is_held(path)
    return _find(house, path), going_on


def _render(house: House, image: Image, recipe: Recipe, path: Path, *, alone: bool) -> _Made | None:
    """Make a rendition unless it is there by now; None if another process is at it and we can wait."""
    with house.renditions.claims.hold(path) as is_ours:
        if not is_ours and not alone:
            return None
        return _find(house, path) or _draw(house, image, recipe, path)


def _draw(house: House, image: Image, recipe: Recipe, path: Path) -> _Made:
    source = house.originals.path(image.sha256)
    try:
        made = render(source, recipe, house.images.made(), house.images.accepted())
    except (ImageRefused, FileNotFoundError) as failed:
        if isinstance(failed, FileNotFoundError) or not source.exists():
            # A delete came between the look-up and this thread.
            raise no_such_image() from None
        if failed.reason is Reason.OUTPUT_TOO_LARGE:
            raise Error(Kind.INVALID, str(failed)) from failed
        # An original that was examined when it came can be drawn: whatever this is, it is our fault.
        raise
    _keep(house, path, made.data)
    return _Made(len(made.data), made.data)


def _keep(house: House, path: Path, data: bytes) -> None:
    try:
        house.renditions.put(path, data)
    except FileNotFoundError:
        # Purged, or deleted with its image, while it was drawn.
        return
    except OSError as failed:
        # A full disk: the picture is delivered all the same, and made again for who asks next.
        log.warning("rendition-not-kept", path=str(path), reason=failed.strerror)
