"""The same loads on this version and an earlier revision, in one run, to find what became slower."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import count, islice
from pathlib import Path

from benchmarks import batches, cold, hits, pictures
from benchmarks.bench import OURS, Bench, Result, Row, Verdict, none_failed, ratio, take_turns
from benchmarks.load import Sample, press
from benchmarks.pictures import JPEG_SIZES, PNG_SIZES, Original
from benchmarks.service import Service, fill, serving
from tintype.imaging import Recipe

OF_BEFORE = 0.97
REPOSITORY = Path(__file__).parents[1]
BOX = Recipe(width=cold.BOX, height=cold.BOX)
SIZES = (*JPEG_SIZES[:3], PNG_SIZES[0])

Load = Callable[[Service], Callable[[], Sample]]
"""Made ready on a service once, then carried out each round."""


def measure(bench: Bench) -> Iterator[Result]:
    """A result for each load; none unless a revision was named."""
    if bench.against is None:
        note = "left out: name a revision with --against"
        yield Result("before", "this version beside an earlier one", (), (), (note,))
        return
    sources = {f"{OURS}, now": REPOSITORY / "src", f"before, {bench.against}": _source(bench, bench.against)}
    for size in SIZES:
        make = pictures.pngs if size in PNG_SIZES else pictures.jpegs
        originals = make(bench.pictures, size)
        kind = "PNG" if size in PNG_SIZES else "JPEG"
        yield _compared(
            bench, f"cold {kind}, {size.name}", sources, originals, partial(_cold, bench, originals)
        )
    originals = pictures.jpegs(bench.pictures, JPEG_SIZES[1])
    for hit in (hits.Hit("hit-20k", "hit, 20 kB", 20_000), hits.Hit("304", "304", 20_000, unchanged=True)):
        yield _compared(bench, hit.title, sources, originals[:1], partial(_hit, bench, originals[0], hit))
    originals = pictures.jpegs(bench.pictures, batches.TINY, batches.ITEMS)
    for batch in (batches.GET_URLS, batches.IMAGE_URLS):
        yield _compared(bench, batch.title, sources, originals, partial(_batch, bench, batch))


def _source(bench: Bench, revision: str) -> Path:
    """The sources of the revision, unpacked."""
    folder = bench.folder()
    archive = subprocess.run(
        ["git", "archive", revision, "src"], cwd=REPOSITORY, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return folder / "src"


def _compared(
    bench: Bench, title: str, sources: Mapping[str, Path], originals: list[Original], load: Load
) -> Result:
    """Both versions, each on a library that it filled itself, in turn."""
    with ExitStack() as stack:
        loads = {}
        for name, source in sources.items():
            env = {"PYTHONPATH": str(source), **hits.UNLOGGED}
            folder = bench.folder()
            library = fill(folder / "library", originals, env)
            service = stack.enter_context(serving(library, folder / "tintype.log", settings=env))
            loads[name] = load(service)
        now, before = (Row(name, samples) for name, samples in take_turns(bench, loads).items())
    verdicts: tuple[Verdict, ...] = (
        none_failed((now,)),
        ratio("of the rate before", now, before, OF_BEFORE),
    )
    return Result("before", title, (now, before), verdicts)


def _cold(bench: Bench, originals: list[Original], service: Service) -> Callable[[], Sample]:
    paths = cold.cold_paths(service, originals, BOX, count(1))
    most = int(cold.FASTEST * bench.seconds)
    return lambda: press(
        service.server, islice(paths, most), connections=cold.CONNECTIONS, seconds=bench.seconds
    )


def _hit(bench: Bench, original: Original, hit: hits.Hit, service: Service) -> Callable[[], Sample]:
    path, _body = hits.of_bytes(service, original, hit.bytes)
    headers = hits.sent(hit, service.server, path)
    return partial(
        press, service.server, [path], connections=hits.CONNECTIONS, seconds=bench.seconds, headers=headers
    )


def _batch(bench: Bench, batch: batches.Batch, service: Service) -> Callable[[], Sample]:
    return partial(batches.ask, bench, batches.asked(batch, service))
