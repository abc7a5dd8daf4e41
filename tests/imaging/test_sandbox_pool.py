"""The renderer pool: results of images, and what hostile images can break."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

from tests import pictures
from tests.bitmaps import RLE8, bmp, icon, icon_bitmap, rle8
from tests.extra_pictures import corners_svg, heic, jxl, svg
from tests.hostile.measure import memory, watched
from tests.imaging import lying_renderer
from tests.tiffs import Tiff, gradient
from tests.waiting import until
from tintype.imaging import (
    Format,
    ImageRefused,
    Limits,
    OutputLimits,
    Reason,
    Recipe,
    decode_memory,
    inspect,
    render,
    verify,
)
from tintype.imaging.sandbox import pool as pools
from tintype.imaging.sandbox import process
from tintype.imaging.sandbox.messages import Examined
from tintype.imaging.sandbox.pool import (
    MAX_IN_MEMORY,
    OWN_MEMORY,
    START_TIMEOUT,
    Allowance,
    KilledError,
    NeedsMemory,
    RendererError,
    RendererExit,
    RendererPool,
    RenderResult,
    StartError,
)

MEBI = 1024**2
MOST = 600 * MEBI
MUCH = 200 * MEBI

ROWS = [[(x // 9 + y) % 2 for x in range(90)] for y in range(60)]
SOURCES = {
    "jpeg": pictures.jpeg(90, 60),
    "turned": pictures.oriented(6),
    "png": pictures.png(90, 60, alpha=True),
    "apng": pictures.apng(3),
    "webp": pictures.webp(90, 60),
    "gif": pictures.gif(90, 60, frames=3),
    "avif": pictures.avif(90, 60),
    "tiff": pictures.tiff(90, 60),
    "tiff in planes": Tiff(90, 60, gradient(3), planes=True, tile=(16, 16)).encode(),
    "bmp": pictures.picture("bmp", 90, 60),
    "bmp of run lengths": bmp(ROWS, 8, compression=RLE8, palette=[(1, 2, 3), (90, 9, 9)], coded=rle8(ROWS)),
    "ico": pictures.picture("ico", 90, 60),
    "ico with a mask": icon((90, 60, 4, icon_bitmap(ROWS, 4, ROWS, [(1, 2, 3), (90, 9, 9)]))),
    "heic": heic(pictures.corners(80, 60)),
    "jxl": jxl(pictures.corners(80, 60)),
    "svg": corners_svg(),
}


@contextmanager
def opened(data: bytes) -> Iterator[int]:
    """The descriptor of a file that has no name."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file.fileno()


def examined(
    pool: RendererPool,
    data: bytes,
    limits: Limits | None = None,
    memory: int = MUCH,
    seconds_used: float = 0.0,
) -> Examined:
    with opened(data) as source:
        return pool.examine(source, limits, Allowance(memory, seconds_used))


def drawn(
    pool: RendererPool,
    data: bytes,
    recipe: Recipe,
    spool: Callable[[], io.BytesIO] = io.BytesIO,
    memory: int = MUCH,
    seconds_used: float = 0.0,
) -> RenderResult[io.BytesIO]:
    with opened(data) as source:
        allowance = Allowance(memory, seconds_used)
        return pool.render(source, recipe, OutputLimits(), Limits(), allowance, spool)


def pids(pool: RendererPool) -> list[int]:
    """The renderers that are there."""
    return [slot.renderer.result().pid for slot in pool._slots if slot.renderer is not None]  # noqa: SLF001


@contextmanager
def renderers(
    count: int = 1, most: int = MOST, seconds: float = 60.0
) -> Iterator[tuple[RendererPool, list[RendererExit]]]:
    lost: list[RendererExit] = []
    pool = RendererPool(count, most, seconds, on_end=lost.append)
    try:
        yield pool, lost
    finally:
        pool.close()


@pytest.fixture(scope="module")
def pool() -> Iterator[RendererPool]:
    with renderers() as (pool, lost):
        yield pool
        assert lost == []


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_is_found_to_be_what_the_library_finds_it_to_be(pool: RendererPool, source: str) -> None:
    data = SOURCES[source]
    info = inspect(data)
    found = examined(pool, data, Limits())
    assert found.refused is None
    assert found.format is info.format
    assert found.info == replace(info, placeholder=verify(data, info))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "format_", [Format.JPEG, Format.PNG, Format.WEBP, Format.GIF, Format.AVIF, Format.JXL]
)
def test_a_rendition_has_the_bytes_that_the_library_makes(
    pool: RendererPool, source: str, format_: Format
) -> None:
    recipe = Recipe(width=40, format=format_)
    expected = render(SOURCES[source], recipe)
    found = drawn(pool, SOURCES[source], recipe)
    assert found.data == expected.data
    assert (found.made.format, found.made.width, found.made.height) == (
        expected.format,
        expected.width,
        expected.height,
    )


@pytest.mark.parametrize(
    ("data", "reason", "format_"),
    [
        (b"", Reason.UNSUPPORTED, None),
        (b"<html>", Reason.UNSUPPORTED, None),
        (SOURCES["png"][:-40], Reason.DAMAGED, Format.PNG),
        (SOURCES["jpeg"][:300], Reason.DAMAGED, Format.JPEG),
        (pictures.png_header(50_000, 50_000), Reason.TOO_LARGE_SIDE, Format.PNG),
    ],
)
def test_what_is_refused_is_refused_with_its_reason(
    pool: RendererPool, data: bytes, reason: Reason, format_: Format | None
) -> None:
    found = examined(pool, data, Limits())
    assert found.refused is not None
    assert found.refused.reason is reason
    assert found.refused.sentence.endswith(".")
    assert found.format is format_
    with pytest.raises(ImageRefused) as caught:
        drawn(pool, data, Recipe(width=40))
    assert (caught.value.reason, caught.value.sentence) == (reason, found.refused.sentence)


def test_the_place_in_the_file_makes_no_difference(pool: RendererPool) -> None:
    with opened(SOURCES["tiff"]) as source:
        for offset in (0, 100, len(SOURCES["tiff"]) + 5):
            os.lseek(source, offset, os.SEEK_SET)
            assert pool.examine(source, Limits(), Allowance(MUCH)).refused is None


def test_a_large_rendition_goes_to_a_file(pool: RendererPool) -> None:
    data = pictures.png(1500, 1000)
    recipe = Recipe(format=Format.PNG)
    expected = render(data, recipe).data
    assert len(expected) > MAX_IN_MEMORY
    made = drawn(pool, data, recipe)
    assert made.data is None
    assert isinstance(made.file, io.BytesIO)
    assert made.file.getvalue() == expected


def test_a_file_that_cannot_be_written_costs_only_its_rendition() -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    with renderers() as (pool, lost):
        with pytest.raises(OSError, match="No space"):
            drawn(pool, pictures.png(1500, 1000), Recipe(format=Format.PNG), Full)
        assert drawn(pool, SOURCES["png"], Recipe(width=40)).data is not None
        assert lost == []


def test_no_descriptor_is_kept(pool: RendererPool) -> None:
    examined(pool, SOURCES["png"])
    (pid,) = pids(pool)
    before = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208
    for data in (*SOURCES.values(), b"", SOURCES["png"][:-40]):
        examined(pool, data)
    assert os.listdir(f"/proc/{pid}/fd") == before  # noqa: PTH208
    assert "deleted" not in Path(f"/proc/{pid}/maps").read_text()


def test_text_of_an_svg_is_the_same_however_often_it_is_drawn(pool: RendererPool) -> None:
    # Hexadecimal boxes would stand for letters whose font can't be read; the library has every font.
    families = ["DejaVu Serif", "sans-serif", "serif", "monospace", "Courier", "Not There"]
    text = "".join(
        f'<text x="1" y="{9 * at + 9}" font-size="9" font-family="{family}" font-weight="bold">Aÿ{at}</text>'
        for at, family in enumerate(families)
    )
    data = svg(text)
    expected = render(data, Recipe(width=160)).data
    for _ in range(200):
        assert drawn(pool, data, Recipe(width=160)).data == expected


def test_work_that_takes_more_memory_than_it_is_given_is_not_begun(pool: RendererPool) -> None:
    data = pictures.encode(Image.new("RGB", (2500, 2500)), "avif")
    with pytest.raises(NeedsMemory) as caught:
        examined(pool, data, Limits(), memory=64 * MEBI)
    assert 2500 * 2500 * 3 < caught.value.memory < MOST
    assert examined(pool, data, Limits(), memory=caught.value.memory).refused is None
    with pytest.raises(NeedsMemory):
        drawn(pool, data, Recipe(width=40), memory=32 * MEBI)


def test_what_takes_more_than_can_ever_be_given_is_refused() -> None:
    with renderers(most=100 * MEBI) as (pool, lost):
        data = pictures.encode(Image.new("RGB", (5000, 5000)), "webp")
        found = examined(pool, data, Limits(), memory=64 * MEBI)
        assert found.refused is not None
        assert found.refused.reason is Reason.TOO_COSTLY
        assert lost == []


NOISE = Image.effect_noise((2400, 2000), 50).convert("RGB")
LARGE: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: pictures.encode(NOISE, "jpeg", progressive=True),
    "webp": lambda: pictures.encode(NOISE, "webp", method=0),
    "gif": lambda: pictures.encode(NOISE, "gif"),
    "avif": lambda: pictures.encode(NOISE, "avif", speed=10),
    "tiff": lambda: pictures.encode(NOISE, "tiff", compression="jpeg", tiffinfo={278: 2000}),
    "svg": lambda: svg('<g opacity="0.5">' * 60 + "<rect/>" + "</g>" * 60, width=2400, height=2000),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_runs_out_of_memory_is_not_said_to_be_damaged(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = LARGE[name]()
    for limit in (2, 5, 8):
        # The renderer has less than it is told: as if its estimate were wrong.
        monkeypatch.setattr(process, "SLACK", limit * 1_000_000 - MOST)
        with renderers() as (pool, _):
            refused = examined(pool, data, Limits(), memory=MOST).refused
        assert refused is None or refused.reason is Reason.TOO_COSTLY, limit
        if limit == 2:
            assert refused is not None
            assert refused.sentence == "The picture takes more memory than the limit of 630 MB."


def test_an_svg_beyond_the_limits_of_its_library_is_too_costly(pool: RendererPool) -> None:
    levels = [f'<g id="a{n}">' + f'<use href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 8)]
    refused = examined(pool, svg('<rect id="a0"/>' + "".join(levels)), Limits()).refused
    assert refused is not None
    assert (refused.reason, refused.sentence) == (
        Reason.TOO_COSTLY,
        "The picture is too complex to be drawn.",
    )


def flat(side: int, kind: str, **options: Any) -> bytes:  # noqa: ANN401  Pillow's options
    return pictures.encode(Image.new("RGBA" if kind == "webp" else "RGB", (side, side)), kind, **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda: flat(4950, "avif", speed=10, subsampling="4:4:4"),
        lambda: flat(4700, "webp", lossless=True, method=0),
        lambda: flat(7000, "jpeg", progressive=True, subsampling=0),
    ],
    ids=["avif", "webp", "jpeg"],
)
def test_what_is_just_within_the_limits_on_pixels_is_decoded(make: Callable[[], bytes]) -> None:
    # By default an image has as much on machines with four cores or more.
    most = 576 * MEBI
    with renderers(most=most) as (pool, lost):
        assert examined(pool, make(), Limits(), memory=most).refused is None
        assert lost == []


def test_what_could_never_be_drawn_is_not_taken_in() -> None:
    wide = pictures.encode(Image.new("RGB", (16_000, 20)), "png")
    info = inspect(wide)
    most = (decode_memory(info) + decode_memory(info, Recipe(width=200))) // 2
    with renderers(most=most) as (pool, lost):
        assert examined(pool, wide, memory=most).refused is None
        with pytest.raises(ImageRefused):
            drawn(pool, wide, Recipe(width=200), memory=most)
        refused = examined(pool, wide, Limits(), memory=most).refused
        assert refused is not None
        assert refused.reason is Reason.TOO_COSTLY
        assert refused.sentence.endswith(f" of memory, more than the limit of {-(-most // 10**6)} MB.")
        assert lost == []


def test_a_picture_that_takes_too_long_is_given_up_and_nothing_else() -> None:
    with renderers(seconds=60.0) as (pool, lost):
        assert examined(pool, SOURCES["png"]).refused is None
        slow = pictures.encode(Image.effect_noise((3000, 3000), 90), "png")
        began = time.monotonic()
        with pytest.raises(ImageRefused) as caught:
            drawn(pool, slow, Recipe(format=Format.AVIF, lossless=True), memory=MOST, seconds_used=59.3)
        assert time.monotonic() - began < 30
        assert caught.value.reason is Reason.TOO_COSTLY
        assert [each.why for each in lost] == ["late"]
        assert drawn(pool, SOURCES["png"], Recipe(width=40)).data is not None


def test_attempts_with_more_memory_have_what_is_left_of_the_time() -> None:
    slow = pictures.encode(Image.effect_noise((3000, 3000), 90), "png")
    with renderers(seconds=60.0) as (pool, lost):
        began = time.monotonic()
        found = examined(pool, slow, Limits(), MOST, seconds_used=59.99)
        assert found.refused is not None
        assert found.refused.reason is Reason.TOO_COSTLY
        assert time.monotonic() - began < 30
        assert [each.why for each in lost] == ["late"]
        found = examined(pool, SOURCES["png"], Limits(), MOST, seconds_used=60.0)
        assert found.refused is not None
        assert len(lost) == 1


def test_a_renderer_that_is_killed_while_idle_is_replaced() -> None:
    with renderers() as (pool, _):
        examined(pool, SOURCES["png"])
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGKILL)
        until(lambda: _has_ended(pid))
        assert examined(pool, SOURCES["png"]).refused is None
        assert pids(pool) != [pid]


def test_a_renderer_that_is_killed_while_it_starts_costs_no_picture() -> None:
    with renderers() as (pool, lost):
        pool.start()
        (first,) = pids(pool)
        os.kill(first, signal.SIGKILL)
        assert examined(pool, SOURCES["png"]).refused is None
        assert pids(pool) != [first]
        assert lost == []


def test_renderers_that_never_start_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.Renderer, "_command", lambda *_: [sys.executable, "-c", "pass"])
    with renderers() as (pool, _):
        for _ in range(2):
            with pytest.raises(StartError):
                examined(pool, SOURCES["png"])


def test_what_a_renderer_writes_while_it_starts_is_passed_on_and_nothing_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "missing"))
    outputs: list[str] = []
    pool = RendererPool(1, MOST, 60.0, on_start=lambda _, output: outputs.append(output))
    try:
        assert examined(pool, SOURCES["svg"]).refused is None
        assert examined(pool, SOURCES["jpeg"][:300]).refused is not None
    finally:
        pool.close()
    (output,) = outputs
    assert output.startswith("Fontconfig error: ")
    assert capfd.readouterr() == ("", "")


def test_why_a_renderer_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    loud = "import sys; sys.stderr.write('x' * 10**6); sys.exit('no such library')"
    monkeypatch.setattr(process.Renderer, "_command", lambda *_: [sys.executable, "-c", loud])
    with renderers() as (pool, _), pytest.raises(StartError, match="xxx"):
        examined(pool, SOURCES["png"])
    loud = "import sys; sys.exit('no such library')"
    with renderers() as (pool, _), pytest.raises(StartError, match="status 1: no such library"):
        examined(pool, SOURCES["png"])


def test_renderers_that_hang_when_they_start_are_given_up_after_one_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hanging = [sys.executable, "-c", "import time; time.sleep(60)"]
    starts: list[object] = []

    def command(*arguments: object) -> list[str]:
        starts.append(arguments)
        return hanging

    monkeypatch.setattr(process.Renderer, "_command", command)
    monkeypatch.setattr(pools, "START_TIMEOUT", 0.5)
    with renderers() as (pool, _):
        with pytest.raises(StartError):
            examined(pool, SOURCES["png"])
        assert len(starts) == 1


def test_an_idle_renderer_is_preferred_to_one_that_is_starting() -> None:
    with renderers(count=2, seconds=60.0) as (pool, lost):
        pool.start()
        known = set(pids(pool))
        slow = pictures.encode(Image.effect_noise((3000, 3000), 90), "png")
        with pytest.raises(ImageRefused):
            drawn(pool, slow, Recipe(format=Format.AVIF, lossless=True), memory=MOST, seconds_used=59.3)
        (staying,) = known & set(pids(pool))
        (starting,) = set(pids(pool)) - known
        os.kill(starting, signal.SIGSTOP)
        began = time.monotonic()
        assert examined(pool, SOURCES["png"]).refused is None
        assert time.monotonic() - began < START_TIMEOUT / 2
        assert staying in pids(pool)
        assert len(lost) == 1


@pytest.mark.parametrize(
    ("ended_by", "reason"), [(signal.SIGABRT, Reason.TOO_COSTLY), (signal.SIGSEGV, Reason.DAMAGED)]
)
def test_of_a_renderer_that_ends_at_work_only_the_picture_is_lost(
    ended_by: signal.Signals, reason: Reason
) -> None:
    slow = pictures.encode(Image.effect_noise((3000, 3000), 90), "png")
    with renderers() as (pool, lost):
        # With less than there is, it may have been for want of memory.
        for memory_, expected in ((MOST - 1, NeedsMemory), (MOST, ImageRefused)):
            examined(pool, SOURCES["png"])
            (pid,) = pids(pool)
            threading.Thread(target=_kill_at_work, args=(pid, _cpu(pid), ended_by)).start()
            with pytest.raises(expected) as caught:
                drawn(pool, slow, Recipe(format=Format.AVIF, lossless=True), memory=memory_)
            if isinstance(caught.value, NeedsMemory):
                assert caught.value.seconds_used >= 0.2
        assert isinstance(caught.value, ImageRefused)
        assert caught.value.reason is reason
        assert [(each.why, each.status) for each in lost] == [("died", -ended_by)] * 2
        assert drawn(pool, SOURCES["png"], Recipe(width=40)).data is not None


def test_a_renderer_that_is_killed_from_outside_says_nothing_of_its_picture() -> None:
    slow = pictures.encode(Image.effect_noise((3000, 3000), 90), "png")
    with renderers() as (pool, lost):
        examined(pool, SOURCES["png"])
        (pid,) = pids(pool)
        threading.Thread(target=_kill_at_work, args=(pid, _cpu(pid), signal.SIGKILL)).start()
        with pytest.raises(KilledError):
            drawn(pool, slow, Recipe(format=Format.AVIF, lossless=True), memory=MOST)
        assert [(each.why, each.status) for each in lost] == [("died", -signal.SIGKILL)]
        assert drawn(pool, SOURCES["png"], Recipe(width=40)).data is not None


def test_a_renderer_is_replaced_after_so_many_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_ORDERS", 3)
    used = []
    with renderers() as (pool, lost):
        for _ in range(7):
            assert examined(pool, SOURCES["png"]).refused is None
            used += pids(pool)
        assert lost == []
    # After its third order the next one is there.
    assert [used.count(pid) for pid in dict.fromkeys(used)] == [2, 3, 2]


def _kill_at_work(pid: int, at_rest: int, how: signal.Signals) -> None:
    until(lambda: _cpu(pid) > at_rest + 20)
    os.kill(pid, how)


def _cpu(pid: int) -> int:
    """Hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _has_ended(pid: int) -> bool:
    """Whether all of its threads have, and only its status is left."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "Z" and len(list(Path(f"/proc/{pid}/task").iterdir())) == 1


@pytest.mark.parametrize("lie", lying_renderer.LIES)
def test_what_a_renderer_says_is_not_believed(monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    lie_as(monkeypatch, lie)
    with renderers() as (pool, lost):
        with pytest.raises((ImageRefused, RendererError, NeedsMemory)):
            drawn(pool, SOURCES["png"], Recipe(width=40, format=Format.PNG))
        assert [each.why for each in lost] in ([], ["died"], ["confused"])


@pytest.mark.parametrize("lie", [name for name in lying_renderer.LIES if "found" in name])
def test_what_cannot_be_a_picture_is_not_found_to_be_one(monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    lie_as(monkeypatch, lie)
    with renderers() as (pool, lost):
        refused = examined(pool, SOURCES["png"], Limits()).refused
        assert refused is not None
        assert refused.reason is Reason.DAMAGED
        assert [each.why for each in lost] == ["confused"]


def test_what_can_be_a_picture_is(monkeypatch: pytest.MonkeyPatch) -> None:
    lie_as(monkeypatch, "no lie")
    with renderers() as (pool, lost):
        assert examined(pool, SOURCES["png"], Limits()).refused is None
        assert lost == []


def test_a_renderer_that_sends_no_bytes_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "READ_TIMEOUT", 0.3)
    lie_as(monkeypatch, "short", "and stays")
    with renderers() as (pool, lost):
        began = time.monotonic()
        with pytest.raises(ImageRefused) as caught:
            drawn(pool, SOURCES["png"], Recipe(width=40, format=Format.PNG))
        assert time.monotonic() - began < 5
        assert caught.value.reason is Reason.TOO_COSTLY
        assert [each.why for each in lost] == ["late"]


def lie_as(monkeypatch: pytest.MonkeyPatch, *how: str) -> None:
    """Replace renderers by ones that send invalid answers."""
    plain = process.Renderer._command  # noqa: SLF001

    def lying(self: process.Renderer, *arguments: int) -> list[str]:
        assert plain(self, *arguments)
        return [sys.executable, lying_renderer.__file__, *map(str, arguments), *how]

    monkeypatch.setattr(process.Renderer, "_command", lying)


def test_renderers_end_with_the_process_that_runs_them(tmp_path: Path) -> None:
    script = (
        "import time\nfrom tintype.imaging.sandbox.pool import RendererPool\n"
        "pool = RendererPool(2, 2**29, 60.0)\npool.start()\n"
        "pids = [slot.renderer.result().pid for slot in pool._slots]\n"
        "for slot in pool._slots:\n"
        "    slot.renderer.result().wait_until_ready(lambda *_: None, time.monotonic() + 60)\n"
        "print(*pids, flush=True)\ninput()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    with parent:
        assert parent.stdout is not None
        found = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(found) == 2
        parent.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in found))


def test_a_renderer_takes_no_more_for_itself_than_is_counted_for_it(pool: RendererPool) -> None:
    for data in SOURCES.values():
        examined(pool, data)
    assert sum(map(memory, pids(pool))) < OWN_MEMORY - process.SLACK


def test_nothing_of_the_services_environment_reaches_a_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINTYPE_SECRET", "not for you")
    with renderers() as (pool, _):
        examined(pool, SOURCES["png"])
        assert b"TINTYPE_SECRET" not in Path(f"/proc/{pids(pool)[0]}/environ").read_bytes()


def test_refused_pictures_leave_no_memory_behind_even_when_nothing_collects_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = "import gc; gc.disable(); gc.enable = gc.collect = lambda *_: None\n"
    run = f"{without}from tintype.imaging.sandbox.renderer import main; main()"
    monkeypatch.setattr(
        process.Renderer,
        "_command",
        lambda _, *arguments: [sys.executable, "-P", "-c", run, *map(str, arguments)],
    )
    whole = pictures.encode(Image.effect_noise((2500, 2500), 90), "png")
    damaged = whole[: len(whole) * 9 // 10]
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 255
    with renderers() as (pool, lost):
        examined(pool, SOURCES["png"])
        before = memory(pids(pool)[0])
        for _ in range(12):
            for data in (damaged, bytes(broken)):
                found = examined(pool, data, Limits())
                assert found.refused is not None
                assert found.refused.reason is Reason.DAMAGED
        assert memory(pids(pool)[0]) < before + 24 * MEBI
        assert lost == []


@pytest.mark.parametrize("format", [Format.PNG, Format.JPEG])
def test_a_renderer_is_kept_after_large_pictures(format: Format) -> None:
    noise = Image.effect_noise((4000, 3000), 60)
    data = pictures.encode(Image.merge("RGBA", (noise, noise, noise, noise)), "png", compress_level=1)
    with renderers() as (pool, _):
        examined(pool, SOURCES["png"])
        before = pids(pool)
        for _ in range(12):
            drawn(pool, data, Recipe(width=512, height=512, format=format))
        assert pids(pool) == before


def test_what_takes_more_than_its_header_tells_gets_no_more_than_it_was_given() -> None:
    blurs = "".join(f'<feGaussianBlur in="SourceGraphic" stdDeviation="9" result="r{n}"/>' for n in range(6))
    merged = "".join(f'<feMergeNode in="r{n}"/>' for n in range(6))
    filtered = f'<filter id="f">{blurs}<feMerge>{merged}</feMerge></filter>'
    data = svg(f'{filtered}<rect width="80" height="60" filter="url(#f)"/>', width=3000, height=2250)
    given = 90 * MEBI
    with renderers(seconds=10) as (pool, _):
        examined(pool, SOURCES["png"])
        (pid,) = pids(pool)
        with watched(pid) as peak, pytest.raises(NeedsMemory) as caught:
            examined(pool, data, Limits(), memory=given)
        assert caught.value.memory == MOST
        assert given / 2 < peak.most < OWN_MEMORY + given
        # It does take more.
        with watched(pids(pool)[0]) as peak:
            examined(pool, data, Limits(), memory=MOST)
        assert peak.most > OWN_MEMORY + given
