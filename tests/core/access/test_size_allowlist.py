"""Sizes that an account lets anybody ask for."""

import pytest

from tests.core.conftest import NOBODY, Instance
from tintype.core.access.size_allowlist import (
    SizeAllowlist,
    get_allowlist,
    parse_sizes,
    require_size,
    set_allowlist,
)
from tintype.imaging import Mode, Recipe
from tintype.model import Error, Forbidden, Invalid, NotFound


def test_sizes_are_read_and_said_alike() -> None:
    sizes = parse_sizes("320x240, 640x,x480")
    assert sizes == SizeAllowlist(((320, 240), (640, None), (None, 480)))
    assert parse_sizes(str(sizes)) == sizes


@pytest.mark.parametrize("text", ["", "x", "320", "0x5", "320x240,", "-1x2", "3X2", "100000x1", "1x1;2x2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_sizes(text)


def test_there_is_an_end_to_them() -> None:
    assert len(parse_sizes(",".join(f"{side}x" for side in range(1, 101))).pairs) == 100
    with pytest.raises(Error):
        parse_sizes(",".join(f"{side}x" for side in range(1, 102)))


@pytest.mark.parametrize(
    ("recipe", "fits"),
    [
        (Recipe(width=320, height=240), True),
        (Recipe(width=320, height=240, mode=Mode.COVER_EXACT), True),
        (Recipe(width=160, height=120, dpr=2), True),
        (Recipe(width=640), True),
        (Recipe(width=320), False),
        (Recipe(width=640, height=480), False),
        (Recipe(width=240, height=320), False),
        (Recipe(), False),
    ],
)
def test_a_recipe_is_allowed_by_its_box(recipe: Recipe, *, fits: bool) -> None:
    assert parse_sizes("320x240,640x").allow(recipe) is fits


async def test_an_account_that_allows_nothing_in_particular_allows_everything(instance: Instance) -> None:
    account, sizes = await get_allowlist(instance.services, instance.anna.account.name)
    assert (account, sizes) == (instance.anna.account, None)
    await require_size(instance.services, account.id, Recipe(width=1234))


async def test_sizes_bind_the_account_that_they_were_set_for(instance: Instance) -> None:
    await set_allowlist(instance.services, instance.anna.account, parse_sizes("320x240"), NOBODY)
    await require_size(instance.services, instance.anna.account.id, Recipe(width=320, height=240))
    await require_size(instance.services, instance.boris.account.id, Recipe(width=1234))
    with pytest.raises(Forbidden, match="320x240"):
        await require_size(instance.services, instance.anna.account.id, Recipe(width=1234))
    await set_allowlist(instance.services, instance.anna.account, None, NOBODY)
    await require_size(instance.services, instance.anna.account.id, Recipe(width=1234))


async def test_an_unknown_account_is_missing(instance: Instance) -> None:
    with pytest.raises(NotFound):
        await get_allowlist(instance.services, "nobody")
