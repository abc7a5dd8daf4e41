"""tintype under test: a library of originals, the real `tintype serve` over a real socket, and links."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from benchmarks.load import fetch
from benchmarks.pictures import Original
from benchmarks.processes import Server, family, free_port, started
from tintype.app import LINK_KEYS
from tintype.core.runtime.signing import Keyring
from tintype.dialects.native import links
from tintype.imaging import Format, Recipe, spec

TINTYPE = Path(sys.executable).with_name("tintype")
SETTINGS = {
    # The load comes by one token: what protects from that would be all there is to measure.
    "TINTYPE_MEWS_REQUESTS": "0",
    "TINTYPE_SMARTSHEET_REQUESTS": "0",
}
"""What is set otherwise than by default."""


class Listed(Struct, frozen=True):
    """What the list of images says of one."""

    id: UUID
    filename: str
    version: int


class Page(Struct, frozen=True):
    """The first page of the list of images."""

    images: list[Listed]


class Tokens(Struct, frozen=True):
    """Secrets that open the library's dialects; mews has a client token and an access token."""

    mews: tuple[str, str]
    smartsheet: str
    native: str


class Library(Struct, frozen=True):
    """A data folder that holds originals."""

    data: Path
    tokens: Tokens


class Service(Struct, frozen=True):
    """A running tintype; `images` by the file names of their originals."""

    server: Server
    library: Library
    keyring: Keyring
    images: dict[str, Listed]

    def path(self, original: Original, recipe: Recipe) -> str:
        """The signed link to a rendition, without scheme and host."""
        image = self.images[original.path.name]
        link = links.Link(image.id, image.version, recipe.normal())
        return links.write(link, self.keyring.sign(link.parts()))

    def made(self, format: Format) -> int:
        """Renditions of the format that lie in the cache."""
        pattern = f"??/*/*.{spec(format).extensions[0]}"
        return sum(1 for _ in (self.library.data / "renditions").glob(pattern))

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        return family(self.server.pid)[1:]


def fill(data: Path, originals: Sequence[Original], env: Mapping[str, str] | None = None) -> Library:
    """Make a library of the originals, and tokens for it; `env` is added to the environment."""
    folder: list[str | Path] = ["--data", data]
    environment = {**os.environ, **(env or {})}
    subprocess.run(
        [TINTYPE, "import", *folder, *(original.path for original in originals)],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def token(dialect: str) -> list[str]:
        command: list[str | Path] = [TINTYPE, "token", "create", *folder, "--dialect", dialect]
        done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        return done.stdout.split()

    client, access = token("mews")
    return Library(data, Tokens((client, access), *token("smartsheet"), *token("native")))


@contextmanager
def serving(
    library: Library, log: Path, *, workers: int = 1, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """The service on the library, for as long as the block lasts."""
    port = free_port()
    command: list[str | Path] = [
        TINTYPE,
        "serve",
        "--data",
        library.data,
        "--port",
        str(port),
        "--workers",
        str(workers),
    ]
    with started(command, port, log, {**SETTINGS, **(settings or {})}) as server:
        answer = fetch(
            f"{server.url}/v1/images?limit=1000", {"Authorization": f"Bearer {library.tokens.native}"}
        )
        page = msgspec.json.decode(answer.expect(200).body, type=Page)
        images = {image.filename: image for image in page.images}
        yield Service(server, library, Keyring(library.data / LINK_KEYS), images)
