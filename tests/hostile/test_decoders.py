"""Pictures that take what a decoder gives: memory, time, a crash. The service stays, and so do the others."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import pyvips
from PIL import Image

from tests import pictures
from tests.extra_pictures import heic, svg
from tests.hostile.measure import MEGABYTE, memory, resting, settles, tree
from tests.running import Running

MEBI = 1024**2
BUDGET = 512 * MEBI
SAMPLE_SECONDS = 0.01


def renderers(service: Running) -> list[int]:
    """The processes that decode."""
    return [pid for pid in tree(service.process.pid) if b"sandbox.renderer" in _command(pid)]


def others(service: Running) -> list[int]:
    """The processes that have tokens, keys or sockets."""
    return [pid for pid in tree(service.process.pid) if b"sandbox.renderer" not in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Peaks:
    """The most memory that renderers, and that the others took together, sampled while a block runs."""

    def __init__(self, service: Running) -> None:
        self._service = service
        self.renderers = self.others = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        stop = threading.Event()

        def sample() -> None:
            while not stop.wait(SAMPLE_SECONDS):
                found = renderers(self._service)
                self.renderers = max(self.renderers, sum(memory(pid) for pid in found))
                rest = [pid for pid in others(self._service) if pid not in found]
                self.others = max(self.others, sum(_own(pid) for pid in rest))

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _own(pid: int) -> int:
    """Bytes of this process alone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def flat(width: int, height: int, format: str, **options: object) -> bytes:
    """A picture of one colour: large when it is decoded, and small until then."""
    return pictures.encode(Image.new("RGB", (width, height), (40, 90, 160)), format, **options)


def moving(width: int, height: int, frames: int) -> bytes:
    shades = [Image.new("RGB", (width, height), (shade * 4, 90, 160)) for shade in range(frames)]
    return pictures.encode(shades[0], "webp", method=0, save_all=True, append_images=shades[1:])


def deep_interlaced(width: int, height: int) -> bytes:
    image = pyvips.Image.black(width, height, bands=4).cast("ushort").copy(interpretation="rgb16")
    return bytes(image.pngsave_buffer(interlace=True, bitdepth=16, compression=1))


def blurred(times: int, side: int = 2000) -> bytes:
    """An SVG whose filters take long."""
    blurs = "".join('<feGaussianBlur stdDeviation="90 80"/>' for _ in range(times))
    more = f'<filter id="f" x="0" y="0" width="1" height="1">{blurs}</filter>'
    return svg(f'{more}<rect width="80" height="60" filter="url(#f)"/>', width=side, height=side)


HEAVY: dict[str, Callable[[], bytes]] = {
    "AVIF": lambda: flat(3200, 3200, "avif", speed=10),
    "AVIF, more than there is": lambda: flat(4900, 4900, "avif", speed=10),
    "WebP": lambda: flat(3800, 3800, "webp", method=0),
    "WebP, moving": lambda: moving(2000, 2000, 60),
    "progressive JPEG": lambda: flat(7000, 7000, "jpeg", progressive=True, subsampling=0),
    "interlaced PNG of 16 bits": lambda: deep_interlaced(5000, 5000),
    "HEIC": lambda: heic(Image.new("RGB", (5000, 5000))),
    "GIF": lambda: flat(4400, 4400, "gif"),
    "SVG": lambda: svg('<rect width="80" height="60"/>', width=7000, height=7000),
    "SVG of filters": lambda: blurred(4, side=5000),
}


@contextmanager
def uploading(service: Running, account: str = "demo") -> Iterator[httpx.Client]:
    token = {"Authorization": f"Bearer {service.token('native', account)}"}
    with httpx.Client(base_url=service.base_url, headers=token, timeout=120) as client:
        yield client


def test_no_process_that_has_tokens_or_sockets_has_a_decoder(serve: Callable[..., Running]) -> None:
    service = serve()
    with uploading(service) as client:
        link = client.post("/v1/images", content=pictures.jpeg()).raise_for_status().json()["id"]
        client.get(f"/v1/images/{link}").raise_for_status()
    # One that has only just started isn't confined yet; it is before it is handed anything.
    resting(service.process.pid)
    assert renderers(service)
    for pid in others(service):
        maps = Path(f"/proc/{pid}/maps").read_text()
        for library in ("vips", "heif", "jxl", "libwebp", "libpng", "svg_hush"):
            assert library not in maps, (pid, library)
    for pid in renderers(service):
        status = Path(f"/proc/{pid}/status").read_text()
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("name", HEAVY)
def test_all_renderers_together_stay_within_their_memory(serve: Callable[..., Running], name: str) -> None:
    env = {"TINTYPE_RENDERERS_SECONDS": "4", "TINTYPE_RENDERERS_MEMORY_BYTES": str(BUDGET)}
    service, data = serve(**env), HEAVY[name]()
    peaks = Peaks(service)
    with uploading(service) as client, ThreadPoolExecutor(4) as threads:
        client.post("/v1/images", content=pictures.jpeg()).raise_for_status()
        before = resting(service.process.pid)
        with peaks.watching():
            answers = list(threads.map(lambda _: client.post("/v1/images", content=data), range(4)))
        # Taken in, refused in words, or told to come again.
        assert {answer.status_code for answer in answers} <= {201, 422, 503}
        assert peaks.renderers < BUDGET, peaks.renderers
        assert peaks.others < 200 * MEGABYTE
        for image in (answer.json()["id"] for answer in answers if answer.status_code == 201):
            drawn = client.get(client.get(f"/v1/images/{image}").json()["url"])
            assert drawn.status_code == 200
            break
        assert settles(service.process.pid, before + 90 * MEGABYTE), memory(service.process.pid) - before
        assert client.post("/v1/images", content=pictures.png()).status_code == 201


def test_a_picture_that_takes_too_long_is_refused_in_time_and_nothing_else_is(
    serve: Callable[..., Running],
) -> None:
    service = serve(TINTYPE_RENDERERS_SECONDS="1.5")
    with uploading(service) as client:
        before = renderers(service)
        began = time.monotonic()
        answer = client.post("/v1/images", content=blurred(60, side=4000))
        assert (answer.status_code, answer.json()["reason"]) == (422, "too-costly")
        # Queued twice, when its memory is known only then.
        assert time.monotonic() - began < 8
        assert client.post("/v1/images", content=pictures.png()).status_code == 201
        assert set(renderers(service)) != set(before)


def test_a_renderer_killed_under_a_picture_costs_no_other(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_RENDERERS_COUNT="1")
    with uploading(service) as client, ThreadPoolExecutor(1) as threads:
        client.post("/v1/images", content=pictures.png()).raise_for_status()
        (pid,) = renderers(service)
        noise = Image.effect_noise((3000, 3000), 90)
        slow = pictures.encode(noise.convert("RGB"), "png", compress_level=1)
        at_rest = _ticks(pid)
        upload = threads.submit(client.post, "/v1/images", content=slow)
        while _ticks(pid) < at_rest + 8:
            assert not upload.done()
        os.kill(pid, signal.SIGKILL)
        # Done again by another, with all the memory there is: it might have been for want of that.
        assert upload.result().status_code == 201
        assert client.post("/v1/images", content=pictures.jpeg()).status_code == 201
        assert pid not in renderers(service)


def _ticks(pid: int) -> int:
    """Hundredths of a second of processor time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_costly_pictures_of_one_tenant_hold_up_nobody_else(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_RENDERERS_COUNT="2", TINTYPE_RENDERERS_SECONDS="2")
    costly = [
        blurred(40, side=3000),
        heic(Image.new("RGB", (5000, 5000))),
        flat(5000, 5000, "avif", speed=10),
    ]
    with uploading(service, "flood") as one, uploading(service, "other") as other:
        image = other.post("/v1/images", content=pictures.jpeg(1200, 900)).raise_for_status().json()
        with ThreadPoolExecutor(6) as threads:
            uploads = [threads.submit(one.post, "/v1/images", content=data) for data in costly]
            waits: list[float] = []
            while not all(upload.done() for upload in uploads):
                began = time.monotonic()
                wanted = {"image": image["id"], "width": 200, "quality": 1 + len(waits) % 100}
                links = other.post("/v1/links", json={"links": [wanted]}).raise_for_status().json()["links"]
                assert other.get(links[0]["url"]).status_code == 200
                waits.append(time.monotonic() - began)
            assert {upload.result().status_code for upload in uploads} <= {201, 422, 503}
        assert len(waits) > 3
        assert sorted(waits)[len(waits) * 95 // 100] < 3
