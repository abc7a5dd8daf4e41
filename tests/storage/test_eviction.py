"""Eviction: least recently used first, down to the limit, and nothing that is in use."""

import os
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.storage import Renditions
from tintype.storage.eviction import horizon
from tintype.storage.rendition_locks import FILES

BLOCK = 4096
ROOM = 100
"""Renditions of a block each that the cache of these tests may hold."""


@pytest.fixture
def renditions(tmp_path: Path) -> Renditions:
    return Renditions(tmp_path / "renditions", ROOM * BLOCK)


def put(
    renditions: Renditions, minutes_ago: float, image: UUID | None = None, fingerprint: str = "a"
) -> Path:
    key = renditions.key(image or uuid4(), 1, fingerprint, "png")
    assert renditions.put(key, b"picture")
    path = Path(renditions.local_path(key))
    use(path, minutes_ago)
    return path


def find(renditions: Renditions, path: Path) -> int | None:
    return renditions.find("/".join(path.parts[-3:]))


def use(path: Path, minutes_ago: float) -> None:
    moment = time.time() - 60 * minutes_ago
    os.utime(path, (moment, moment))


def evict(renditions: Renditions) -> int:
    with renditions.evicting() as eviction:
        assert eviction is not None
        for shard in eviction.shards:
            eviction.count(shard)
        if eviction.plan():
            for shard in eviction.shards:
                eviction.remove(shard)
        return eviction.files


@given(used=st.dictionaries(st.integers(0, 1000), st.integers(1, 100)), to_free=st.integers(0, 20_000))
def test_as_many_bytes_go_as_have_to_and_the_oldest_of_all(used: dict[int, int], to_free: int) -> None:
    last, quota = horizon(used, to_free)
    gone = sum(size for minute, size in used.items() if minute < last)
    if to_free <= sum(used.values()) and used:
        assert gone + quota == to_free
        assert quota <= used[last]
    else:
        assert all(minute <= last for minute in used)


def test_what_was_used_longest_ago_goes_until_there_is_room(renditions: Renditions) -> None:
    paths = [put(renditions, minutes_ago=1000 - 5 * number) for number in range(ROOM)]
    assert renditions.needs_eviction()
    assert evict(renditions) == 10
    assert [path.exists() for path in paths] == [False] * 10 + [True] * 90
    assert not renditions.needs_eviction()
    assert evict(renditions) == 0


def test_having_been_used_saves_a_rendition(renditions: Renditions) -> None:
    paths = [put(renditions, minutes_ago=1000 - 5 * number) for number in range(ROOM)]
    assert find(renditions, paths[0]) == len(b"picture")
    evict(renditions)
    assert [path.exists() for path in paths[:12]] == [True] + [False] * 10 + [True]


def test_what_is_used_while_room_is_made_stays(renditions: Renditions) -> None:
    paths = [put(renditions, minutes_ago=1000 - 5 * number) for number in range(ROOM)]
    with renditions.evicting() as eviction:
        assert eviction is not None
        for shard in eviction.shards:
            eviction.count(shard)
        assert eviction.plan()
        find(renditions, paths[3])
        for shard in eviction.shards:
            eviction.remove(shard)
    assert [path.exists() for path in paths[:5]] == [False, False, False, True, False]


def test_nothing_that_was_just_used_goes_even_if_there_is_no_room(renditions: Renditions) -> None:
    paths = [put(renditions, minutes_ago=0) for _ in range(ROOM)]
    assert evict(renditions) == 0
    assert all(path.exists() for path in paths)


def test_what_has_no_room_is_not_kept(renditions: Renditions) -> None:
    for _ in range(ROOM):
        put(renditions, minutes_ago=100)
    one_more = renditions.key(uuid4(), 1, "a", "png")
    assert not renditions.put(one_more, b"picture")
    assert not Path(renditions.local_path(one_more)).parent.exists()
    evict(renditions)
    assert renditions.put(one_more, b"picture")


def test_room_that_another_process_made_is_seen(renditions: Renditions, tmp_path: Path) -> None:
    for _ in range(ROOM):
        put(renditions, minutes_ago=100)
    assert not renditions.put(renditions.key(uuid4(), 1, "a", "png"), b"picture")
    evict(Renditions(tmp_path / "renditions", ROOM * BLOCK))
    put(renditions, minutes_ago=0)


def test_folders_that_are_empty_go_too_and_what_is_not_ours_stays(
    renditions: Renditions,
) -> None:
    image = uuid4()
    for number in range(ROOM):
        put(renditions, 100, image, f"{number:x}")
    shard = Path(renditions.local_path(renditions.key(image, 1, "a", "png"))).parent.parent
    foreign = shard / "notes" / "old.txt"
    foreign.parent.mkdir()
    foreign.write_text("mine")
    use(foreign, 10_000)
    alone = put(renditions, 1000) if renditions.remove_image(image) else foreign
    for number in range(ROOM - 1):
        put(renditions, 50, image, f"{number:x}")
    assert evict(renditions) == 10
    assert not alone.parent.exists()
    assert foreign.exists()


def test_the_level_is_put_right_by_counting(renditions: Renditions, tmp_path: Path) -> None:
    kept = [put(renditions, minutes_ago=10) for _ in range(3)]
    kept[0].unlink()
    evict(renditions)
    (tmp_path / "renditions/.locks/level").unlink()
    assert Renditions(tmp_path / "renditions", ROOM * BLOCK).needs_eviction()
    put(renditions, minutes_ago=10)
    assert renditions.needs_eviction()
    evict(renditions)
    assert not renditions.needs_eviction()
    # Three are left, so that many less than the whole room are kept without making any.
    for _ in range(ROOM - 3):
        put(renditions, minutes_ago=10)
    assert not renditions.put(renditions.key(uuid4(), 1, "a", "png"), b"picture")


def test_one_process_makes_room_at_a_time(renditions: Renditions, tmp_path: Path) -> None:
    other = Renditions(tmp_path / "renditions", ROOM * BLOCK)
    with renditions.evicting() as ours:
        assert ours is not None
        with other.evicting() as theirs:
            assert theirs is None
    with other.evicting() as theirs:
        assert theirs is not None


def test_an_eviction_holds_up_no_rendition(renditions: Renditions) -> None:
    with renditions.evicting() as ours:
        assert ours is not None
        # So many that there is one for every lock file.
        for number in range(20 * FILES):
            with renditions.locks.hold(f"{number}") as is_free:
                assert is_free


def test_use_is_marked_once_in_a_while(renditions: Renditions) -> None:
    path = put(renditions, minutes_ago=0.4)
    before = path.stat().st_mtime
    find(renditions, path)
    assert path.stat().st_mtime == before
    use(path, minutes_ago=0.6)
    find(renditions, path)
    assert path.stat().st_mtime > before
