"""Images are attached to places, whose rules hold whichever way an image comes there."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace as change
from uuid import uuid4

import pytest
from msgspec import structs

from tests import pictures
from tests.core.conftest import Instance, once
from tintype.core import Services
from tintype.core.library import browse
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import examine, stage
from tintype.core.library.placement import (
    attach,
    attach_any,
    detach,
    detach_any,
    list_placements,
)
from tintype.core.library.update import replace
from tintype.model import (
    Conflict,
    Image,
    Invalid,
    InvalidField,
    NewImage,
    NotFound,
    Placement,
    PlacementKind,
    QuotaExceeded,
)

SHELF, OTHER = Placement("shelf", "shop", "left"), Placement("shelf", "shop", "right")
NARROW, WIDE = pictures.png(8, 6), pictures.png(80, 6)


def violations(image: Image | NewImage) -> Iterator[str]:
    if image.width > 10:
        yield f"It is {image.width} pixels wide."


def require_valid(placement: Placement) -> None:
    if placement.container != "shop":
        raise Invalid("There is one shop.")


@pytest.fixture
def services(instance: Instance) -> Services:
    """With a kind of places that takes narrow images only, at most two for each image."""
    kinds = {"shelf": PlacementKind(require_valid, violations)}
    limits = structs.replace(instance.services.images, max_placements=2)
    return change(instance.services, placement_kinds=kinds, images=limits)


async def exchange(services: Services, instance: Instance, image: Image, data: bytes) -> Image:
    async with stage(services, once(data), len(data)) as staged:
        info = await examine(services, instance.anna, staged)
        return await replace(services, instance.anna, image.id, staged, info, "")


async def test_an_image_that_came_in_otherwise_is_attached(services: Services, instance: Instance) -> None:
    image = await instance.add()
    await attach(services, instance.anna, image.id, SHELF)
    assert await browse.attached(services, instance.anna, SHELF) == [(SHELF, image)]
    await attach_any(services, image.number, OTHER)
    assert await list_placements(services, instance.anna, image.id) == [SHELF, OTHER]
    # Again is no change.
    await attach(services, instance.anna, image.id, SHELF)
    assert await list_placements(services, instance.anna, image.id) == [SHELF, OTHER]


async def test_a_place_that_has_an_image_keeps_it(services: Services, instance: Instance) -> None:
    first, second = await instance.add(), await instance.add()
    await attach(services, instance.anna, first.id, SHELF)
    with pytest.raises(Conflict):
        await attach(services, instance.anna, second.id, SHELF)
    assert await browse.attached(services, instance.anna, SHELF) == [(SHELF, first)]


async def test_the_rules_of_a_place_hold_for_every_way_in(services: Services, instance: Instance) -> None:
    wide = await instance.add(data=WIDE)
    with pytest.raises(Conflict, match="80 pixels wide"):
        await attach(services, instance.anna, wide.id, SHELF)
    instance.services = services
    with pytest.raises(Conflict, match="80 pixels wide"):
        await instance.add(data=WIDE, placement=SHELF)
    narrow = await instance.add(data=NARROW, placement=SHELF)
    before = instance.files()
    with pytest.raises(Conflict, match="80 pixels wide"):
        await exchange(services, instance, narrow, pictures.png(80, 7))
    # Nothing has changed: neither the record nor the files.
    assert await browse.attached(services, instance.anna, SHELF) == [(SHELF, narrow)]
    assert instance.files() == before
    assert (await exchange(services, instance, narrow, pictures.png(9, 9))).version == 2


async def test_bytes_are_not_replaced_between_the_check_of_a_rule_and_the_attachment(
    services: Services, instance: Instance
) -> None:
    for number in range(20):
        image = await instance.add()
        place = Placement("shelf", "shop", str(number))
        await asyncio.gather(
            exchange(services, instance, image, pictures.png(80, 6, seed=number)),
            attach(services, instance.anna, image.id, place),
            return_exceptions=True,
        )
        now = await browse.find_image(services, instance.anna, image.id)
        is_there = await list_placements(services, instance.anna, image.id) == [place]
        assert (now.width, is_there) in {(80, False), (8, True)}


async def test_what_no_dialect_has_is_no_place(services: Services, instance: Instance) -> None:
    image = await instance.add()
    with pytest.raises(InvalidField, match="kind has to be shelf"):
        await attach(services, instance.anna, image.id, Placement("box", "shop", "left"))
    with pytest.raises(Invalid, match="one shop"):
        await attach(services, instance.anna, image.id, Placement("shelf", "market", "left"))
    assert await list_placements(services, instance.anna, image.id) == []


async def test_only_the_owner_attaches_and_detaches(services: Services, instance: Instance) -> None:
    image = await instance.add()
    with pytest.raises(NotFound):
        await attach(services, instance.boris, image.id, SHELF)
    await attach(services, instance.anna, image.id, SHELF)
    with pytest.raises(NotFound):
        await detach(services, instance.boris, image.id, SHELF)
    with pytest.raises(NotFound):
        await list_placements(services, instance.boris, image.id)
    with pytest.raises(NotFound):
        await attach_any(services, uuid4(), OTHER)
    assert await list_placements(services, instance.anna, image.id) == [SHELF]


async def test_an_image_has_at_most_so_many_places(services: Services, instance: Instance) -> None:
    image = await instance.add()
    third = Placement("shelf", "shop", "third")
    for place in (SHELF, OTHER):
        await attach(services, instance.anna, image.id, place)
    with pytest.raises(QuotaExceeded):
        await attach(services, instance.anna, image.id, third)
    await detach(services, instance.anna, image.id, SHELF)
    await attach(services, instance.anna, image.id, third)
    assert await list_placements(services, instance.anna, image.id) == [OTHER, third]


async def test_it_is_detached_from_exactly_the_place_that_is_named(
    services: Services, instance: Instance
) -> None:
    image, other = await instance.add(), await instance.add()
    slots = [structs.replace(SHELF, slot=slot) for slot in ("", "1")]
    for place in slots:
        await attach(services, instance.anna, image.id, place)
    await attach(services, instance.anna, other.id, OTHER)
    with pytest.raises(NotFound):
        await detach(services, instance.anna, image.id, OTHER)
    await detach_any(services, image.id, slots[1])
    assert await list_placements(services, instance.anna, image.id) == [slots[0]]
    assert await list_placements(services, instance.anna, other.id) == [OTHER]
    with pytest.raises(NotFound):
        await detach(services, instance.anna, image.id, slots[1])


async def test_deleted_at_one_of_two_places_it_stays_at_the_other(
    services: Services, instance: Instance
) -> None:
    image = await instance.add()
    for place in (SHELF, OTHER):
        await attach(services, instance.anna, image.id, place)
    await delete(services, instance.anna, image.id, SHELF)
    assert await browse.attached(services, instance.anna, SHELF) == []
    assert await browse.attached(services, instance.anna, OTHER) == [(OTHER, image)]
    assert instance.has_original(image.sha256)
    await delete(services, instance.anna, image.id, OTHER)
    with pytest.raises(NotFound):
        await browse.find_image(services, instance.anna, image.id)
