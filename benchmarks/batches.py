"""Batches of links with real tokens and catalogue, compared with FastAPI that only validates the body."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import msgspec
from msgspec import Struct

from benchmarks import peers, pictures
from benchmarks.bench import OURS, Bench, Result, Row, none_failed, ratio, take_turns
from benchmarks.load import Sample, fetch, press
from benchmarks.pictures import Size
from benchmarks.processes import Scales, Server
from benchmarks.service import Service, fill, serving
from tintype.model.ids import short

ITEMS = 100
CONNECTIONS = 4
ECHO = "FastAPI echo"
JSON = {"Content-Type": "application/json"}
TINY = Size("tiny", 64, 48)
OF_ECHO = 1.0


class Batch(Struct, frozen=True):
    """One endpoint: where it is, and where FastAPI has the same."""

    name: str
    title: str
    path: str
    echo: str


GET_URLS = Batch("get-urls", "getUrls", "/api/connector/v1/images/getUrls", "/getUrls")
IMAGE_URLS = Batch("imageurls", "imageurls", "/2.0/imageurls", "/imageurls")


class Asked(Struct, frozen=True):
    """One contender's share: where to send what."""

    server: Server
    path: str
    headers: dict[str, str]
    body: bytes


def measure(bench: Bench, batch: Batch) -> Iterator[Result]:
    """The one result of the cell."""
    originals = pictures.jpegs(bench.pictures, TINY, ITEMS)
    folder = bench.folder()
    with ExitStack() as stack:
        library = fill(folder / "library", originals)
        service = stack.enter_context(serving(library, folder / "tintype.log"))
        ours = asked(batch, service)
        contenders = {OURS: ours}
        if bench.tools.python:
            server = stack.enter_context(peers.echo(bench.tools.python, folder / "echo.log"))
            contenders[ECHO] = Asked(server, batch.echo, JSON, ours.body)
        yield _result(bench, batch, contenders)


def asked(batch: Batch, service: Service) -> Asked:
    """The batch as a service is sent it."""
    body, headers = (_get_urls if batch is GET_URLS else _image_urls)(service)
    return Asked(service.server, batch.path, headers, body)


def ask(bench: Bench, asked: Asked) -> Sample:
    """Send the batch again and again."""
    return press(
        asked.server,
        [asked.path],
        connections=CONNECTIONS,
        seconds=bench.seconds,
        headers=asked.headers,
        body=asked.body,
    )


def _get_urls(service: Service) -> tuple[bytes, dict[str, str]]:
    client, access = service.library.tokens.mews
    images = [
        {"ImageId": str(image.id), "Width": 200, "Height": 150, "ResizeMode": "Fit"}
        for image in service.images.values()
    ]
    body = {"ClientToken": client, "AccessToken": access, "Client": "Benchmark 1.0.0", "Images": images}
    return msgspec.json.encode(body), JSON


def _image_urls(service: Service) -> tuple[bytes, dict[str, str]]:
    items = [{"imageId": short(image.id), "width": 48} for image in service.images.values()]
    return msgspec.json.encode(items), JSON | {"Authorization": f"Bearer {service.library.tokens.smartsheet}"}


def _result(bench: Bench, batch: Batch, contenders: dict[str, Asked]) -> Result:
    weights: dict[str, int] = {}
    sizes = {name: _answered(asked) for name, asked in contenders.items()}
    loads = {name: partial(_load, bench, name, asked, weights) for name, asked in contenders.items()}
    samples = take_turns(bench, loads)
    rows = tuple(Row(name, found, weights[name], sizes[name]) for name, found in samples.items())
    verdicts = [none_failed(rows)]
    if len(rows) > 1:
        verdicts.append(ratio("of the rate of FastAPI", rows[0], rows[1], OF_ECHO))
    title = f"{batch.title}, {ITEMS} items, one worker, {CONNECTIONS} connections"
    return Result(batch.name, title, rows, tuple(verdicts))


def _answered(asked: Asked) -> int:
    """The length of the answer, after looking that it has as many items as were asked."""
    body = fetch(asked.server.url + asked.path, asked.headers, asked.body).expect(200).body
    told = body.lower()
    if told.count(b'imageid"') < ITEMS or b'"error"' in told or b'"url":null' in told:
        raise RuntimeError(f"not all were answered: {body[:500]!r}")
    return len(body)


def _load(bench: Bench, name: str, asked: Asked, weights: dict[str, int]) -> Sample:
    with Scales(asked.server.pid) as scales:
        sample = ask(bench, asked)
    weights[name] = max(weights.get(name, 0), scales.peak)
    return sample
