"""Renditions: added atomically, removed together."""

import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tintype.storage import Renditions

ONE, OTHER = uuid4(), uuid4()


@pytest.fixture
def renditions(tmp_path: Path) -> Renditions:
    return Renditions(tmp_path / "renditions", 10**9)


def put(renditions: Renditions, image: UUID, fingerprint: str, data: bytes = b"picture") -> Path:
    key = renditions.key(image, 1, fingerprint, "png")
    renditions.put(key, data)
    return Path(renditions.local_path(key))


def test_a_rendition_is_put_in_place_whole_and_alone(renditions: Renditions) -> None:
    path = put(renditions, ONE, "f" * 32)
    assert path.read_bytes() == b"picture"
    assert list(path.parent.iterdir()) == [path]


def test_image_version_recipe_and_format_each_have_a_key_of_their_own(renditions: Renditions) -> None:
    keys = {
        renditions.key(image, version, fingerprint, extension)
        for image in (ONE, OTHER)
        for version in (1, 11)
        for fingerprint in ("a", "b")
        for extension in ("jpg", "webp")
    }
    assert len(keys) == 16


def test_forgetting_an_image_drops_all_of_it_and_nothing_else(renditions: Renditions) -> None:
    first, second = put(renditions, ONE, "a"), put(renditions, ONE, "b")
    kept = put(renditions, OTHER, "a")
    renditions.remove_image(ONE)
    assert not first.exists()
    assert not second.exists()
    assert kept.exists()
    assert list(renditions.each()) == [OTHER]


def test_forgetting_what_was_never_made_is_no_error(renditions: Renditions) -> None:
    renditions.remove_image(ONE)
    assert list(renditions.each()) == []


def test_files_that_are_not_ours_are_passed_over(renditions: Renditions, tmp_path: Path) -> None:
    made = put(renditions, ONE, "a")
    (tmp_path / "renditions" / ".DS_Store").write_bytes(b"")
    (made.parent.parent / "lost+found").mkdir()
    assert list(renditions.each()) == [ONE]


def test_only_old_drafts_are_abandoned(renditions: Renditions) -> None:
    made = put(renditions, ONE, "a")
    old, fresh = made.with_name("new-old"), made.with_name("new-fresh")
    for path in (old, fresh):
        path.write_bytes(b"half a pict")
    for path in (made, old):
        os.utime(path, (0, 0))
    assert renditions.abandoned.count(3600) == 1
    assert renditions.abandoned.remove(3600) == 1
    assert [path.exists() for path in (made, old, fresh)] == [True, False, True]
