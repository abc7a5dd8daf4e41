"""Damage in JPEGs, of which libjpeg only warns; and files that only lack their end mark."""

import itertools
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests import pictures
from tintype.imaging import ImageRefused, OutputLimits, Reason, Recipe, inspect, render, verify
from tintype.imaging.formats import Format
from tintype.imaging.pipeline.render import render_inspected

END = b"\xff\xd9"
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "progressive": {"progressive": True},
    "restart": {"restart_marker_rows": 1},
}


def photo(width: int, height: int, seed: int = 1, **options: Any) -> bytes:  # noqa: ANN401  Pillow's options
    return pictures.encode(pictures.photo(width, height, seed), "jpeg", quality=85, **options)


def grey(width: int, height: int) -> bytes:
    return pictures.encode(pictures.photo(width, height).convert("L"), "jpeg", quality=85)


def refusal(data: bytes) -> Reason:
    with pytest.raises(ImageRefused) as refused:
        verify(data, inspect(data))
    return refused.value.reason


def accept(data: bytes) -> None:
    verify(data, inspect(data))


def is_accepted(data: bytes) -> bool:
    try:
        accept(data)
    except ImageRefused:
        return False
    return True


def pixels_at(data: bytes, width: int) -> bytes:
    made = render(data, Recipe(width=width, format=Format.PNG).normal(), OutputLimits())
    return pictures.decode(made.data).tobytes()


def scan_of(data: bytes) -> tuple[int, int]:
    """Start and end of the data of the only scan."""
    start = data.index(b"\xff\xda")
    start += 2 + int.from_bytes(data[start + 2 : start + 4])
    return start, len(data) - len(END)


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_without_its_end_mark_a_picture_is_whole_in_every_size(kind: str, missing: int) -> None:
    dice = random.Random(f"{kind} {missing}")
    for _ in range(4):
        width, height = dice.randrange(20, 500), dice.randrange(20, 500)
        data = photo(width, height, **KINDS[kind])
        accept(data[:-missing])
        for part in (1, 2, 3, 6, 12):
            size = max(1, width // part)
            assert pixels_at(data[:-missing], size) == pixels_at(data, size)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_off_is_refused_or_was_of_no_use(kind: str) -> None:
    """Heights of every remainder of a row of MCUs, and cuts within its data."""
    refused = 0
    for extra, cut in itertools.product(range(0, 16, 3), (3, 4, 6, 9, 12)):
        data = photo(48, 64 + extra, seed=extra, **KINDS[kind])
        if not is_accepted(data[:-cut]):
            refused += 1
            continue
        for width in (48, 24, 12, 6):
            assert pixels_at(data[:-cut], width) == pixels_at(data, width)
    assert refused > 20


@pytest.mark.parametrize("filler", [b"\0", b"\xff", b"\x55"])
@pytest.mark.parametrize("make", [photo, grey])
def test_half_of_a_picture_is_no_picture(make: Callable[[int, int], bytes], filler: bytes) -> None:
    data = make(320, 240)
    start, end = scan_of(data)
    middle = (start + end) // 2
    assert refusal(data[:middle] + filler * (end - middle) + END) is Reason.DAMAGED
    assert refusal(data[:middle] + END) is Reason.DAMAGED


def test_a_missing_or_overwritten_middle_is_refused() -> None:
    data = photo(320, 240)
    start, end = scan_of(data)
    at = (start + end) // 2
    assert refusal(data[:at] + data[at + 1000 :]) is Reason.DAMAGED
    assert refusal(data[:at] + bytes(1000) + data[at + 1000 :]) is Reason.DAMAGED
    assert refusal(data[: end - 40] + END) is Reason.DAMAGED


def test_a_missing_restart_interval_is_refused() -> None:
    data = photo(320, 240, restart_marker_rows=1)
    first, second = data.index(b"\xff\xd1"), data.index(b"\xff\xd2")
    assert refusal(data[:first] + data[second:]) is Reason.DAMAGED


def test_a_few_stray_bytes_before_a_marker_are_skipped_and_many_are_damage() -> None:
    data = photo(320, 240, restart_marker_rows=1)
    at = data.index(b"\xff\xd1")
    stray = data[:at] + b"123456789" + data[at:]
    accept(stray)
    assert pixels_at(stray, 160) == pixels_at(data, 160)
    assert refusal(data[:at] + b"x" * 100 + data[at:]) is Reason.DAMAGED


def test_a_progressive_picture_that_ends_between_two_scans_is_refused() -> None:
    data = photo(240, 180, progressive=True)
    scans = [found.start() for found in re.finditer(rb"\xff\xda", data)]
    assert len(scans) > 5
    for scan in scans[1:]:
        assert refusal(data[:scan] + END) is Reason.DAMAGED
    assert refusal(data[: len(data) // 10] + END) is Reason.DAMAGED


@pytest.mark.parametrize("rows", range(1, 17, 3))
@pytest.mark.parametrize("sampling", [0, 1, 2])
def test_the_last_row_of_mcus_is_read_whatever_the_height(rows: int, sampling: int) -> None:
    # At an eighth fewer than 8 rows are left over, also those of the last MCUs (T.81, A.2.3).
    data = photo(96, 64 + rows, subsampling=sampling)
    accept(data)
    assert not is_accepted(data[:-12] + END)


def with_stray_bytes(data: bytes, positions: list[int], count: int) -> bytes:
    dice = random.Random(5)
    for at in sorted(positions, reverse=True):
        data = data[:at] + bytes(dice.randrange(255) for _ in range(count)) + data[at:]
    return data


def restarts(data: bytes) -> list[int]:
    start, _ = scan_of(data)
    return [start + found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", data[start:])]


@pytest.mark.parametrize("places", [[0], [3], [2, 9, 13], [0, 1, 2, 3, 4]], ids=str)
def test_a_few_stray_bytes_are_harmless_in_several_places(places: list[int]) -> None:
    whole = photo(320, 240, restart_marker_rows=1)
    data = with_stray_bytes(whole, [restarts(whole)[place] for place in places], 9)
    accept(data)
    for width in (320, 100, 50, 20):
        assert pixels_at(data, width) == pixels_at(whole, width)


@pytest.mark.parametrize("kind", KINDS)
def test_data_that_is_left_over_is_damage_unless_it_is_a_few_bytes(kind: str) -> None:
    data = photo(320, 240, **KINDS[kind])
    accept(with_stray_bytes(data, [len(data) - 2], 9))
    assert not is_accepted(with_stray_bytes(data, [len(data) - 2], 100))
    assert not is_accepted(with_stray_bytes(data, [len(data) - 2], 10_000))


@pytest.mark.parametrize("harmless", [[0], [0, 3], [9]], ids=str)
def test_harmless_stray_bytes_do_not_hide_damage(harmless: list[int]) -> None:
    data = photo(320, 240, restart_marker_rows=1)
    marks = restarts(data)
    cut = data[: marks[5]] + data[marks[6] :]
    assert not is_accepted(with_stray_bytes(cut, [marks[place] for place in harmless if place < 5], 9))
    assert not is_accepted(with_stray_bytes(cut, [restarts(cut)[place] for place in harmless], 9))


def test_segments_that_libjpeg_warns_of_are_harmless_and_do_not_hide_damage() -> None:
    data = photo(200, 133)
    at = data.index(b"JFIF\0") + 5
    odd = data[:at] + b"\x07" + data[at + 1 :]  # a version that doesn't exist
    accept(odd)
    assert not is_accepted(odd[:-12] + END)


def test_of_two_pictures_in_a_file_the_first_counts() -> None:
    first, second = photo(200, 133), photo(182, 196)
    accept(first + second)
    assert not is_accepted(first[:-40] + END + second)


def test_files_are_checked_by_themselves_in_threads() -> None:
    """libvips keeps one text of errors for all threads."""
    whole, damaged = photo(160, 120), photo(160, 120)[:-200] + END
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(is_accepted, [whole, damaged] * 100))
    assert results == [True, False] * 100


def test_damage_after_the_upload_is_refused_when_it_is_rendered() -> None:
    data = photo(320, 240)
    info = inspect(data)
    start, end = scan_of(data)
    cut = data[: (start + end) // 2] + END
    for width in (320, 100, 50, 20):
        with pytest.raises(ImageRefused):
            render_inspected(cut, info, Recipe(width=width))


@pytest.mark.parametrize(("marker", "kind"), [(0xC3, "Lossless"), (0xC5, "Hierarchical")])
def test_processes_that_browsers_do_not_show_are_unsupported(marker: int, kind: str) -> None:
    data = photo(64, 48).replace(b"\xff\xc0", bytes((0xFF, marker)))
    with pytest.raises(ImageRefused, match=f"{kind} JPEG isn't accepted") as refused:
        inspect(data)
    assert refused.value.reason is Reason.UNSUPPORTED


def test_twelve_bits_a_sample_are_unsupported() -> None:
    data = bytearray(photo(64, 48))
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(ImageRefused, match="JPEG with 12 bits a sample") as refused:
        inspect(bytes(data))
    assert refused.value.reason is Reason.UNSUPPORTED
