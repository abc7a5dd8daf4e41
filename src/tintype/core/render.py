"""Pictures for delivery: the original as it is, or a rendition made once and kept."""

from pathlib import Path
from uuid import UUID

from msgspec import Struct

from tintype.catalogue import images
from tintype.core.browse import no_such_image
from tintype.core.fairness import Load
from tintype.core.house import House
from tintype.imaging import ImageRefused, Reason, Recipe, output_format, render, row
from tintype.model import Error, Image, Kind


class Picture(Struct, frozen=True):
    """A file ready to be sent: `size` bytes at `path`. `tag` differs whenever the bytes can differ."""

    image: Image
    path: Path
    size: int
    media_type: str
    tag: str


async def linked(house: House, key: UUID | int, version: int | None = None) -> Image:
    """The image a link names, by id or number.

    Raises:
        Error: MISSING when there is none, or its present version is another than the link's.
    """
    async with house.catalogue.read() as tx:
        image = await images.linked(tx, key)
    if image is None or version not in {None, image.version}:
        raise no_such_image()
    return image


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
    size = await house.workers.disk(_size, path)
    if size is None:
        size = await house.workers.once(path, lambda: _make(house, image, recipe, path))
    return Picture(image, path, size, row(format).media_type, rendition_tag(image, recipe))


async def _make(house: House, image: Image, recipe: Recipe, path: Path) -> int:
    load = Load(image.account_id, image.width * image.height * image.frames)
    return await house.workers.pixels(load, _render, house, image, recipe, path)


def _render(house: House, image: Image, recipe: Recipe, path: Path) -> int:
    source = house.originals.path(image.sha256)
    try:
        made = render(source, recipe, house.images.made(), house.images.accepted())
        house.renditions.put(path, made.data)
    except (ImageRefused, FileNotFoundError) as failed:
        if isinstance(failed, FileNotFoundError) or not source.exists():
            # A delete came between the look-up and this thread; it takes the folder of renditions too.
            raise no_such_image() from None
        if failed.reason is Reason.OUTPUT_TOO_LARGE:
            raise Error(Kind.INVALID, str(failed)) from failed
        # An original that was examined when it came can be drawn: whatever this is, it is our fault.
        raise
    return len(made.data)


def _size(path: Path) -> int | None:
    try:
        # Renditions are not synced: a power cut can leave an empty file, which counts as none.
        return path.stat().st_size or None
    except FileNotFoundError:
        return None
