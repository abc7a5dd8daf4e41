"""The cells as data: what is measured, and the target."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from benchmarks import batches, before, cold, hits, memory, start, storm
from benchmarks.bench import Bench, Result
from benchmarks.cold import Cold
from benchmarks.hits import Hit
from benchmarks.pictures import JPEG_SIZES, PNG_SIZES
from tintype.imaging import Format

MIDDLING = JPEG_SIZES[1:4:2]


class Cell(Struct, frozen=True):
    """A cell by the name that `--cells` knows it by."""

    name: str
    measures: str
    measure: Callable[[Bench], Iterator[Result]]


def _cold(cell: Cold) -> Cell:
    return Cell(cell.name, f"cold {cell.title}, within 512 x 512", lambda bench: cold.measure(bench, cell))


def _hit(cell: Hit) -> Cell:
    return Cell(cell.name, cell.title, lambda bench: hits.measure(bench, cell))


def _batch(batch: batches.Batch) -> Cell:
    return Cell(
        batch.name,
        f"{batch.title} with {batches.ITEMS} items",
        lambda bench: batches.measure(bench, batch),
    )


CELLS = (
    _cold(Cold("jpeg", "JPEG to JPEG q80", Format.JPEG, Format.JPEG, 80, JPEG_SIZES)),
    _cold(Cold("png", "PNG to PNG", Format.PNG, Format.PNG, None, PNG_SIZES)),
    _cold(Cold("webp", "JPEG to WebP q75", Format.JPEG, Format.WEBP, 75, MIDDLING)),
    _cold(Cold("avif", "JPEG to AVIF q65", Format.JPEG, Format.AVIF, 65, MIDDLING)),
    _hit(Hit("hit-20k", "hit, 20 kB", 20_000)),
    _hit(Hit("hit-200k", "hit, 200 kB", 200_000)),
    _hit(Hit("304", "304", 20_000, unchanged=True)),
    _batch(batches.GET_URLS),
    _batch(batches.IMAGE_URLS),
    Cell("storm", "1,000 clients at once for one cold rendition", storm.measure),
    Cell("memory", "resident memory over many mixed renders", memory.measure),
    Cell("allocators", "the same under other allocators", memory.measure_allocators),
    Cell("start", "start to ready", start.measure),
    Cell(
        "before", "cold renditions, hits and batches beside an earlier revision (--against)", before.measure
    ),
    Cell("loaded", "hits while cold renders saturate both cores", hits.measure_loaded),
)
