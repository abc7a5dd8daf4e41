"""The cache in memory: bounded both ways, and what was used longest ago leaves first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.runtime.lru_cache import LRUCache

KEYS = st.sampled_from("abcde")
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 6)),
        st.tuples(st.sampled_from(["get", "peek", "remove"]), KEYS, st.just(0)),
        st.tuples(st.just("clear"), st.just(""), st.just(0)),
    )
)


@given(ACTIONS, st.integers(0, 4), st.integers(0, 12))
def test_it_does_what_a_list_in_order_of_use_does(
    actions: list[tuple[str, str, int]], max_entries: int, max_bytes: int
) -> None:
    removed: list[int] = []
    cache: LRUCache[str, int] = LRUCache(max_entries, max_bytes, removed.append)
    kept: list[tuple[str, int, int]] = []  # key, value, size; the least recently used first
    gone: list[int] = []
    for value, (action, key, size) in enumerate(actions):
        present = [entry for entry in kept if entry[0] == key]
        if action == "put":
            gone += [entry[1] for entry in present]
            kept = [entry for entry in kept if entry[0] != key] + [(key, value, size)]
            while len(kept) > max_entries or sum(entry[2] for entry in kept) > max_bytes:
                gone.append(kept.pop(0)[1])
            cache.put(key, value, size)
        elif action == "get":
            kept = [entry for entry in kept if entry[0] != key] + present
            assert cache.get(key) == (present[0][1] if present else None)
        elif action == "peek":
            assert cache.peek(key) == (present[0][1] if present else None)
        elif action == "remove":
            gone += [entry[1] for entry in present]
            kept = [entry for entry in kept if entry[0] != key]
            cache.remove(key)
        else:
            gone += [entry[1] for entry in kept]
            kept = []
            cache.clear()
        assert cache.oldest(len(cache)) == [(entry[0], entry[1]) for entry in kept]
        assert removed == gone


def test_what_is_marked_as_used_stays_longer() -> None:
    cache: LRUCache[str, int] = LRUCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.mark_used("a")
    cache.put("c", 3)
    assert cache.oldest(3) == [("a", 1), ("c", 3)]
    assert cache.oldest(1) == [("a", 1)]
    with pytest.raises(KeyError):
        cache.mark_used("b")
