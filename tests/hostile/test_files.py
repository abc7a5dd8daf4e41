"""Files that would have a decoder follow what never ends: refused by their headers, at once."""

import time
from collections.abc import Callable

import httpx

from tests import bombs, pictures
from tests.extra_pictures import svg
from tests.hostile.measure import MEGABYTE, memory, resting, settles, watched
from tests.running import Running

FILES: dict[str, Callable[[], bytes]] = {
    "pages of a TIFF": lambda: bombs.tiff_pages(800_000),
    "pages of a TIFF that go round": lambda: bombs.tiff_pages(900, loop=True),
    "an entry of a TIFF": lambda: bombs.tiff_tag(37510, 7, 2**31, 8),
    "scans of a JPEG": lambda: bombs.jpeg_scans(200_000, 4000, 4000),
    "scans of JPEGs in a TIFF": lambda: bombs.tiff_jpegs(
        [bombs.jpeg_scans(80, 4000, 64, grey=True)] * 250, 4000, 64
    ),
    "segments of a JPEG": lambda: bombs.jpeg_segments(5_000_000),
    "texts of a PNG": lambda: bombs.png_texts(b"zTXt", 1001, 50),
    "a profile of a PNG": lambda: bombs.png_texts(b"iCCP", 1, 100_000_000),
    "frames of an APNG": lambda: bombs.png_with((b"acTL", (2**31 - 1).to_bytes(4) + bytes(4))),
    "the canvas of a WebP": lambda: bombs.webp_canvas(16_000, 16_000),
    "the canvas of a WebP, moving": lambda: bombs.webp_canvas(16_000, 16_000, frame=(8, 8)),
    "frames of a GIF": lambda: pictures.tiny_gif(300_000, 100, 100),
    "pieces of a GIF": lambda: bombs.gif_pieces(10_000_000),
    "the size of an AVIF": lambda: bombs.heif_sizes(pictures.avif(), 30_000, 30_000),
    "extents of a HEIC": lambda: bombs.heif_extents(2000, 65_535),
    "references of a HEIC": lambda: bombs.heif_references(1990, 1_900_000),
    "a box of a JXL": lambda: b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x01abcd" + bytes([255] * 8),
    "depth of an SVG": lambda: bombs.svg_depth(600_000),
    "elements of an SVG": lambda: svg("<g/>" * 2_000_000),
    "a picture in an SVG": lambda: bombs.svg_embedding(20_000),
    "fonts of an SVG": lambda: svg("".join(f"<g font-family='F{n}'/>" for n in range(300_000))),
}
SECONDS = 5.0
"""For the answer, upload and all; a second on a machine that does nothing else."""


def test_each_is_refused_in_words(serve: Callable[..., Running]) -> None:
    service = serve()
    token = {"Authorization": f"Bearer {service.token('native')}"}
    with httpx.Client(base_url=service.base_url, headers=token, timeout=60) as client:
        assert client.post("/v1/images", content=pictures.jpeg()).status_code == 201
        before = resting(service.process.pid)
        for name, make in FILES.items():
            data = make()
            began = time.monotonic()
            with watched(service.process.pid) as peak:
                answer = client.post("/v1/images", content=data)
            assert answer.status_code == 422, (name, answer.text)
            assert time.monotonic() - began < SECONDS, name
            # A renderer has the file before it, and that counts.
            assert peak.growth < 80 * MEGABYTE + 2 * len(data), (name, peak.growth)
        # Its texts are never inflated.
        began = time.monotonic()
        with watched(service.process.pid) as peak:
            answer = client.post("/v1/images", content=bombs.png_texts(b"zTXt", 20, 50_000_000))
        assert answer.status_code == 201
        assert time.monotonic() - began < SECONDS
        assert peak.growth < 80 * MEGABYTE, peak.growth
        assert settles(service.process.pid, before + 40 * MEGABYTE), memory(service.process.pid) - before
        assert client.post("/v1/images", content=pictures.png()).status_code == 201
