"""Hits: repeated requests for one rendition, compared with nginx that sends the same bytes from a file."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path

from msgspec import Struct

from benchmarks import cold, peers, pictures
from benchmarks.bench import OURS, Bench, Result, Row, Verdict, none_failed, ratio, take_turns
from benchmarks.load import Reply, Sample, fetch, press
from benchmarks.pictures import Original
from benchmarks.processes import Scales, Server
from benchmarks.service import Service, fill, serving
from tintype.imaging import Recipe

CONNECTIONS = 32
UNLOGGED = {"TINTYPE_LOGS_PICTURES": "false"}
"""As nginx keeps no access log here, hits aren't logged either."""
NGINX = "nginx sendfile"
OF_NGINX, OF_UNLOADED = 0.5, 0.25
NEAR = 0.03
"""How near a rendition's bytes come to the number asked, as a part of it."""
TRIES = 20
FULL, UNCHANGED = 200, 304
BOX = Recipe(width=cold.BOX, height=cold.BOX)
COLD_PATHS = 10_000
AHEAD, BEYOND = 1.0, 2.0
"""Seconds that the cold load begins before the hits, and lasts longer than they."""


class Hit(Struct, frozen=True):
    """A rendition of about so many bytes, asked for with or without the tag it has."""

    name: str
    title: str
    bytes: int
    unchanged: bool = False


def measure(bench: Bench, cell: Hit) -> Iterator[Result]:
    """The one result of the cell."""
    originals = pictures.jpegs(bench.pictures, pictures.JPEG_SIZES[1])[:1]
    folder = bench.folder()
    with ExitStack() as stack:
        service = _service(originals, folder, stack)
        path, body = of_bytes(service, originals[0], cell.bytes)
        contenders = {OURS: (service.server, path)}
        if bench.tools.nginx:
            files = folder / "files"
            files.mkdir()
            (files / "picture.jpg").write_bytes(body)
            server = stack.enter_context(peers.sendfile(bench.tools.nginx)(folder, files))
            contenders[NGINX] = (server, "/picture.jpg")
        yield _result(bench, cell, contenders, len(body))


def measure_loaded(bench: Bench) -> Iterator[Result]:
    """Hits beside cold renders that want both cores."""
    originals = pictures.jpegs(bench.pictures, pictures.JPEG_SIZES[2])
    folder = bench.folder()
    with ExitStack() as stack:
        service = _service(originals, folder, stack)
        path, body = of_bytes(service, originals[0], 20_000)
        serials = count(1)
        hit = partial(press, service.server, [path], connections=CONNECTIONS, seconds=bench.seconds)
        colds: list[Sample] = []

        def loaded() -> Sample:
            paths = islice(cold.cold_paths(service, originals, BOX, serials), COLD_PATHS)
            with _beside(partial(_cold_load, bench, service.server, paths, colds)):
                return hit()

        with Scales(service.server.pid) as scales:
            samples = take_turns(bench, {f"{OURS}, unloaded": hit, f"{OURS}, loaded": loaded})
        rows = tuple(Row(name, found, scales.peak, len(body)) for name, found in samples.items())
        beside = Row(f"{OURS}, the cold renders", tuple(colds))
        verdict = ratio("of the unloaded rate", rows[1], rows[0], OF_UNLOADED)
        title = "hit, 20 kB, one worker, 32 connections, while cold renders saturate both cores"
        yield Result("loaded", title, (*rows, beside), (none_failed((*rows, beside)), verdict))


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    """Work that begins a little before the block and ends after it."""
    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(AHEAD)
    yield
    thread.join()


def _cold_load(bench: Bench, server: Server, paths: Iterator[str], into: list[Sample]) -> None:
    seconds = AHEAD + bench.seconds + BEYOND
    into.append(press(server, paths, connections=cold.CONNECTIONS, seconds=seconds))


def _service(originals: list[Original], folder: Path, stack: ExitStack) -> Service:
    library = fill(folder / "library", originals)
    return stack.enter_context(serving(library, folder / "tintype.log", settings=UNLOGGED))


def of_bytes(service: Service, original: Original, wanted: int) -> tuple[str, bytes]:
    """The path and the body of a rendition of about so many bytes."""
    least, most = 16, original.width
    path, body = "", b""
    for _ in range(TRIES):
        width = (least + most) // 2
        path = service.path(original, Recipe(width=width))
        body = fetch(service.server.url + path).expect(FULL).body
        if abs(len(body) - wanted) <= NEAR * wanted or most - least <= 1:
            break
        least, most = (width, most) if len(body) < wanted else (least, width)
    return path, body


def _result(bench: Bench, cell: Hit, contenders: dict[str, tuple[Server, str]], size: int) -> Result:
    weights: dict[str, int] = {}
    loads = {
        name: partial(_load, bench, name, server, path, sent(cell, server, path), weights)
        for name, (server, path) in contenders.items()
    }
    samples = take_turns(bench, loads)
    rows = tuple(Row(name, found, weights[name], size) for name, found in samples.items())
    verdicts: list[Verdict] = [none_failed(rows)]
    if NGINX in samples:
        verdicts.append(ratio("of the rate of nginx", rows[0], rows[1], OF_NGINX))
    return Result(cell.name, f"{cell.title}, one worker, {CONNECTIONS} connections", rows, tuple(verdicts))


def sent(cell: Hit, server: Server, path: str) -> dict[str, str]:
    """What is sent, after looking that it is answered as the cell wants."""
    answer = fetch(server.url + path).expect(FULL)
    if not cell.unchanged:
        return {}
    headers = {"If-None-Match": answer.headers["etag"]}
    _unchanged(fetch(server.url + path, headers))
    return headers


def _unchanged(answer: Reply) -> None:
    if answer.expect(UNCHANGED).body:
        raise RuntimeError("a 304 has no body")


def _load(
    bench: Bench, name: str, server: Server, path: str, headers: dict[str, str], weights: dict[str, int]
) -> Sample:
    with Scales(server.pid) as scales:
        sample = press(server, [path], connections=CONNECTIONS, seconds=bench.seconds, headers=headers)
    weights[name] = max(weights.get(name, 0), scales.peak)
    return sample
