"""The loads: wrk for some seconds, and a burst of simultaneous requests."""

import asyncio
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
from msgspec import Struct

from benchmarks.processes import Server

SCRIPT = Path(__file__).with_name("ask.lua")
SHORTEST = 1
"""Seconds: wrk counts in whole ones."""
BURST_WITHIN = 120.0
FAILED = 400


class Sample(Struct, frozen=True):
    """What one stretch of load came to. `errors` counts whatever wasn't answered, and answers from 400 on."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class Reply(Struct, frozen=True):
    """One answer, whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    def expect(self, status: int) -> "Reply":
        """The answer itself. Raises RuntimeError when its status is another."""
        if self.status != status:
            raise RuntimeError(f"{self.status} instead of {status}: {self.body[:500]!r}")
        return self


def fetch(url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Reply:
    """Ask once."""
    request = Request(url, body, dict(headers or {}))  # noqa: S310  an address of this machine
    try:
        with urlopen(request, timeout=BURST_WITHIN) as answer:  # noqa: S310  the same
            return _reply(answer)
    except HTTPError as other:
        with other:
            return _reply(other)


def _reply(answer: HTTPResponse | HTTPError) -> Reply:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(answer.status or 0, headers, answer.read())


def press(
    server: Server,
    paths: Iterable[str],
    *,
    connections: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Sample:
    """Ask for the paths in turn, each once (a single one again and again), as fast as the answers come."""
    with tempfile.TemporaryDirectory() as folder:
        lines, posted = Path(folder) / "paths", Path(folder) / "body"
        lines.write_text("".join(f"{path}\n" for path in paths))
        posted.write_bytes(body or b"")
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(SHORTEST, round(seconds))}s",
            "--timeout",
            "60s",
        ]
        for name, value in (headers or {}).items():
            command += ["-H", f"{name}: {value}"]
        command += ["-s", str(SCRIPT), server.url, "--", str(lines), *([str(posted)] if body else [])]
        done = subprocess.run(command, capture_output=True, check=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Sample)


async def exhaust(
    server: Server, paths: Sequence[str], connections: int, told: Callable[[int], None]
) -> Sample:
    """Ask for every path once, over so many connections; `told` hears how many were answered."""
    ahead, times, statuses = iter(paths), [], []
    began = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for path in ahead:
            asked = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            statuses.append(await _answer(reader))
            times.append(1000 * (time.perf_counter() - asked))
            told(len(times))
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    percentiles = statistics.quantiles(times, n=100)
    failed = len([status for status in statuses if status >= FAILED])
    return Sample(len(times), time.perf_counter() - began, percentiles[49], percentiles[98], failed)


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    await reader.readexactly(int(length[1]) if length else 0)
    return int(head.split(maxsplit=2)[1])


async def burst(server: Server, path: str, clients: int) -> tuple[Sample, set[bytes]]:
    """All clients connect, then all ask for the same at once; with the sample, the bodies that came."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    pairs = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(clients)]
    began = time.perf_counter()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[float, bytes, bytes]:
        writer.write(request)
        answer = await reader.read(-1)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return time.perf_counter() - began, head[:12], body

    async with asyncio.timeout(BURST_WITHIN):
        answers = await asyncio.gather(*(ask(*pair) for pair in pairs))
    times = statistics.quantiles([1000 * seconds for seconds, _, _ in answers], n=100)
    good = [body for _, status, body in answers if status == b"HTTP/1.1 200"]
    sample = Sample(clients, time.perf_counter() - began, times[49], times[98], clients - len(good))
    return sample, set(good)
