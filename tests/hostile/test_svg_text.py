"""Text in SVG: every rendition of a file is the same picture, on any kernel."""

import io
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest

from tests import pictures
from tests.extra_pictures import svg
from tintype.imaging import Format, Limits, OutputLimits, Recipe, render
from tintype.imaging.sandbox import landlock
from tintype.imaging.sandbox.pool import Allowance, RendererExit, RendererPool

RECIPE = Recipe(width=160, format=Format.PNG)
WORDS = ("Text 12", "Привет", "Ελλάδα", "שלום", "مرحبا", "→ ∑")
RENDERS = 100
MEMORY = 200 * 1024**2
NO_LANDLOCK = "from tintype.imaging.sandbox import landlock\nlandlock.version = lambda: 0\n"


def text(words: str, family: str, weight: int) -> str:
    return f'<text y="40" font-size="16" font-family="{family}" font-weight="{weight}">{words}</text>'


COMMON = [
    svg(text(words, family, weight))
    for words, (family, weight) in zip(
        WORDS, product(("sans-serif", "serif", "monospace"), (400, 700)), strict=True
    )
]
"""In the styles that are opened before the renderer is confined."""
RARE = [
    svg(text(words, family, weight))
    for words, (family, weight) in zip(
        WORDS, product(("Georgia", "Courier New"), (200, 500, 900)), strict=True
    )
]
OTHERS = [pictures.jpeg(90, 60), pictures.png(90, 60, alpha=True), pictures.avif(60, 40)]


@pytest.fixture(params=[True, False], ids=["landlock", "no landlock"])
def pool(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RendererPool]:
    """Two renderers, on a kernel with or without Landlock as far as they can see."""
    if not request.param:
        (tmp_path / "sitecustomize.py").write_text(NO_LANDLOCK)
        folders = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    found: list[int] = []
    lost: list[RendererExit] = []
    renderers = RendererPool(
        2,
        MEMORY,
        60,
        on_start=lambda confinement, _: found.append(confinement.landlock_abi),
        on_end=lost.append,
    )
    try:
        yield renderers
    finally:
        renderers.close()
    assert found
    assert set(found) == {landlock.version() if request.param else 0}
    assert not lost


def drawn(pool: RendererPool, data: bytes) -> bytes | None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        made = pool.render(file.fileno(), RECIPE, OutputLimits(), Limits(), Allowance(MEMORY), io.BytesIO)
    return made.data


def in_turn(pool: RendererPool, sources: list[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    """Sources and renditions, on two threads, with other pictures and libvips' own threads between them."""

    def make(at: int) -> tuple[bytes, bytes | None]:
        if at % 10 == 0:
            drawn(pool, OTHERS[at // 10 % len(OTHERS)])
        source = sources[at % len(sources)]
        return source, drawn(pool, source)

    with ThreadPoolExecutor(2) as threads:
        yield from threads.map(make, range(RENDERS))


def test_text_is_drawn_as_where_every_font_can_be_opened(pool: RendererPool) -> None:
    expected = {source: render(source, RECIPE).data for source in COMMON}
    for source, made in in_turn(pool, COMMON):
        assert made == expected[source]


def test_a_file_in_any_font_is_one_picture(pool: RendererPool) -> None:
    first: dict[bytes, bytes | None] = {}
    for source, made in in_turn(pool, COMMON + RARE):
        assert made == first.setdefault(source, made)


def test_a_font_that_is_not_open_is_replaced_by_one_that_is(pool: RendererPool) -> None:
    # Where Landlock is missing no other weight of the family is open.
    light, normal = (svg(text("Text 12", "sans-serif", weight)) for weight in (200, 400))
    expected = {render(light, RECIPE).data, render(normal, RECIPE).data}
    assert {made for _, made in in_turn(pool, [light])} <= expected
