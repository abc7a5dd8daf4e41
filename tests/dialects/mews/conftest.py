"""Clients of the running demo, and pictures of all kinds in it."""

from collections.abc import Iterator

import httpx
import pytest

from tests import pictures
from tests.dialects.mews import client
from tests.running import Running
from tintype.cli.library import with_services
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person
from tintype.core.library.browse import newest_images
from tintype.model import Caller, Image

PICTURES = "mews-pictures"
"""The account of the pictures; their links need no token."""


@pytest.fixture(scope="session")
def http(demo: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.base_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def mews(demo: Running, http: httpx.Client) -> client.Client:
    """A client with tokens of its own, so that the modules don't use up each other's 200 requests."""
    return client.client(demo, http)


@pytest.fixture(scope="session")
def library(demo: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The ids of pictures, by file name. All are `corners`, but for the translucent ones."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, data in _files().items():
        (folder / name).write_bytes(data)
    demo.cli("import", str(folder), "--account", PICTURES)
    demo.publish(PICTURES, "mews")
    return {image.filename: str(image.id) for image in with_services(demo.data, _images)}


def _files() -> dict[str, bytes]:
    corners, encode = pictures.corners, pictures.encode
    return {
        "landscape.jpg": encode(corners(407, 293), "jpeg", quality=95),
        "portrait.jpg": encode(corners(211, 317), "jpeg", quality=95),
        "small.png": encode(corners(24, 18), "png"),
        "turned.jpg": pictures.oriented(6, 160, 90),
        "mirrored.jpg": pictures.oriented(7, 90, 160),
        "drawing.gif": encode(corners(160, 120), "gif"),
        "waving.gif": pictures.gif(60, 44, frames=3),
        "clear.png": encode(pictures.translucent(180, 100), "png"),
        "picture.webp": encode(corners(150, 200), "webp", quality=95),
        "picture.avif": encode(corners(120, 80), "avif", quality=95, speed=10),
        "scan.tiff": encode(corners(120, 80), "tiff"),
        "clear.tiff": encode(pictures.translucent(180, 100), "tiff"),
        "wide.jpg": encode(corners(400, 100), "jpeg", quality=95),
        "wide.png": encode(corners(400, 100), "png"),
        "wide.webp": encode(corners(400, 100), "webp", quality=95),
        "wide.gif": encode(corners(400, 100), "gif"),
        "wide.avif": encode(corners(400, 100), "avif", quality=95, speed=10),
        "wide.tiff": encode(corners(400, 100), "tiff"),
        "tall.jpg": encode(corners(100, 400), "jpeg", quality=95),
        "tall.png": encode(corners(100, 400), "png"),
    }


async def _images(services: Services) -> list[Image]:
    account, person = await get_or_create_person(services, PICTURES, "Administrator")
    caller = Caller(account, person, account.id, "mews", "", frozenset())
    return await newest_images(services, caller, None, 1000)
