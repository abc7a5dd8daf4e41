"""Cold renditions: every request is for a rendition that does not exist yet."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count, cycle, islice

from msgspec import Struct
from msgspec.structs import replace

from benchmarks import pictures, quality
from benchmarks.bench import OURS, Bench, Result, Row, Verdict, at_most, none_failed, ratio, take_turns
from benchmarks.floor import Job, loop
from benchmarks.load import Sample, fetch, press
from benchmarks.pictures import Original, Size
from benchmarks.processes import Scales, Server
from benchmarks.service import Service, fill, serving
from tintype.imaging import Format, Recipe, render

BOX = 512
CONNECTIONS = 4
FASTEST = 600
"""Renditions a second that no contender reaches: so long are the lists of what to ask."""
FLOOR = "floor"
OF_FLOOR, OF_BEST, OF_BYTES = 0.9, 1.0, 1.05
ALIKE = 0.5
"""SSIMULACRA2 that nobody sees and the pictures' choice decides: so much counts as no lower."""


class Contender(Struct, frozen=True):
    """A server, and the paths of one round of cold requests."""

    name: str
    server: Server
    paths: Callable[[], Iterator[str]]


class Cold(Struct, frozen=True):
    """Originals of these sizes to renditions in the format and quality, within 512 x 512."""

    name: str
    title: str
    source: Format
    target: Format
    quality: int | None
    sizes: tuple[Size, ...]

    @property
    def recipe(self) -> Recipe:
        """What is asked; the source's own format isn't named, as clients don't."""
        format = None if self.target is self.source else self.target
        return Recipe(width=BOX, height=BOX, format=format, quality=self.quality)


def measure(bench: Bench, cell: Cold) -> Iterator[Result]:
    """A result for each size, and one for the pictures of the folder that was given."""
    for title, originals in _groups(bench, cell):
        folder = bench.folder()
        with ExitStack() as stack:
            library = fill(folder / "library", originals)
            service = stack.enter_context(serving(library, folder / "tintype.log"))
            contenders = _start(bench, cell, originals, service, stack)
            result = _result(bench, cell, title, originals, contenders)
            yield replace(result, verdicts=(_were_cold(result, service, cell, originals), *result.verdicts))


def cold_paths(
    service: Service, originals: list[Original], recipe: Recipe, serials: Iterator[int]
) -> Iterator[str]:
    """Links to renditions that were never asked for: the same pixels, out of boxes with ever more room.

    What fills 512 x 512 from side to side fills 512 x 513 just so; that is known only to who makes it.
    """
    for serial in serials:
        for original in originals:
            yield service.path(original, _roomier(recipe, original, serial))


def _roomier(recipe: Recipe, original: Original, room: int) -> Recipe:
    """The recipe with room to spare in the direction that doesn't bind."""
    if original.width >= original.height:
        return replace(recipe, height=(recipe.height or 0) + room)
    return replace(recipe, width=(recipe.width or 0) + room)


def _groups(bench: Bench, cell: Cold) -> Iterator[tuple[str, list[Original]]]:
    png = cell.source is Format.PNG
    for size in cell.sizes:
        if size.width * size.height <= bench.largest * 1e6:
            make = pictures.pngs if png else pictures.jpegs
            yield f"{cell.title}, {size.name}", make(bench.pictures, size)
    if bench.images is not None:
        given = pictures.given(bench.images, bench.work / "given", png=png, longer_than=BOX)
        if given:
            yield f"{cell.title}, {len(given)} given", given


def _start(
    bench: Bench, cell: Cold, originals: list[Original], service: Service, stack: ExitStack
) -> list[Contender]:
    """Everyone who can make such renditions, running; ourselves first."""
    folder = service.library.data.parent
    ours = cold_paths(service, originals, cell.recipe, count(1))
    contenders = [Contender(OURS, service.server, lambda: ours)]
    for peer in bench.tools.renderers():
        paths = [path for original in originals if (path := peer.path(original, cell.recipe)) is not None]
        if paths:
            server = stack.enter_context(peer.start(folder, originals[0].path.parent))
            contenders.append(Contender(peer.name, server, partial(cycle, paths)))
    return contenders


def _result(
    bench: Bench, cell: Cold, title: str, originals: list[Original], contenders: list[Contender]
) -> Result:
    weights: dict[str, int] = {}
    loads = {each.name: partial(_load, bench, each, len(originals), weights) for each in contenders}
    loads[FLOOR] = partial(_floor, bench, cell, originals, weights)
    qualities = _qualities(bench, cell, originals, contenders)
    samples = take_turns(bench, loads)
    rows = tuple(replace(qualities[name], samples=samples[name], peak=weights[name]) for name in loads)
    return Result(cell.name, title, rows, tuple(_verdicts(rows)))


def _were_cold(result: Result, service: Service, cell: Cold, originals: list[Original]) -> Verdict:
    """Whether each of our answers had a rendition made for it, in the format that was asked."""
    ours = next(row for row in result.rows if row.contender == OURS)
    answers = len(originals) + sum(sample.requests for sample in ours.samples)
    made = service.made(cell.target)
    return Verdict(
        f"{cell.target.upper()} renditions made: {made:,}", f"≥ {answers:,} answers", made >= answers
    )


def _load(bench: Bench, contender: Contender, step: int, weights: dict[str, int]) -> Sample:
    most = step * -(-int(FASTEST * bench.seconds) // step)
    with Scales(contender.server.pid) as scales:
        sample = press(
            contender.server,
            islice(contender.paths(), most),
            connections=CONNECTIONS,
            seconds=bench.seconds,
        )
    weights[contender.name] = max(weights.get(contender.name, 0), scales.peak)
    return sample


def _floor(bench: Bench, cell: Cold, originals: list[Original], weights: dict[str, int]) -> Sample:
    done = loop(Job([str(each.path) for each in originals], cell.recipe, bench.seconds))
    weights[FLOOR] = max(weights.get(FLOOR, 0), done.peak)
    return done.sample


def _qualities(
    bench: Bench, cell: Cold, originals: list[Original], contenders: list[Contender]
) -> dict[str, Row]:
    """What each contender makes of each original, judged; the rows of a table still without rates."""
    made = {
        each.name: [
            fetch(each.server.url + path).expect(200).body for path in islice(each.paths(), len(originals))
        ]
        for each in contenders
    }
    made[FLOOR] = [render(each.path, cell.recipe).data for each in originals]
    return {name: _judged(bench, name, originals, data) for name, data in made.items()}


def _judged(bench: Bench, name: str, originals: list[Original], data: list[bytes]) -> Row:
    average = sum(map(len, data)) / len(data)
    if bench.tools.python is None:
        return Row(name, bytes=average)
    scored = quality.scores(
        bench.tools.python, [(each.path, made) for each, made in zip(originals, data, strict=True)]
    )
    ssim, ssimulacra2 = (sum(column) / len(scored) for column in zip(*scored, strict=True))
    return Row(name, bytes=average, ssim=ssim, ssimulacra2=ssimulacra2)


def _verdicts(rows: tuple[Row, ...]) -> Iterator[Verdict]:
    by_name = {row.contender: row for row in rows}
    ours, floor = by_name[OURS], by_name.pop(FLOOR)
    yield none_failed(rows)
    yield ratio("of the floor's rate", ours, floor, OF_FLOOR)
    peers = [row for row in by_name.values() if row is not ours]
    if not peers:
        return
    best = max(peers, key=lambda row: row.rate)
    yield ratio(f"of the rate of the best peer, {best.contender}", ours, best, OF_BEST)
    if ours.bytes and best.bytes:
        yield at_most(f"of the bytes of {best.contender}", ours.bytes / best.bytes, OF_BYTES)
    if ours.ssimulacra2 is not None and best.ssimulacra2 is not None:
        more = ours.ssimulacra2 - best.ssimulacra2
        yield Verdict(f"SSIMULACRA2 beside {best.contender}: {more:+.1f}", f"≥ -{ALIKE}", more >= -ALIKE)
