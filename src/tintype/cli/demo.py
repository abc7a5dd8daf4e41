"""`tintype demo`: a small library, served, with everything needed to ask for it."""

import asyncio
import multiprocessing
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import rich_click as click

from tintype.cli.demo_library import CREDENTIALS, SAMPLE, Credentials, DemoLibrary, fill
from tintype.cli.demo_requests import requests
from tintype.cli.library import plain_errors, prepare, run_with_services
from tintype.cli.serve import override, run
from tintype.console import Showcase
from tintype.core import Services
from tintype.core.library.browse import newest_images
from tintype.model import Image
from tintype.model.ids import short
from tintype.settings import DATA, Settings
from tintype.storage import durable
from tintype.web.hosts import LOOPBACK

FACTS = "demo.json"
SHELL = "demo.env"
MAX_IMAGES = 1000
"""Images told of in `demo.json`; a demo that was given more serves them all the same."""


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DATA,
    default="demo-library",
    show_default=True,
    show_envvar=True,
    help="The folder that holds the library; made and filled if it is new.",
)
@click.option("--host", help="The address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 picks a free one. [default: 8080]")
@plain_errors
def demo(data: Path, host: str | None, port: int | None) -> None:
    """Serve a small library of generated images, with credentials for every dialect.

    Once ready it writes DATA/demo.json and prints the same line: the address, the credentials, the
    images. DATA/demo.env has the same for a shell. Started again, it serves the same library.

    The credentials lie in that folder in plain text and the first page shows them to whoever can reach
    it: keep a demo on this machine. It answers only requests for this machine's own names (localhost,
    127.0.0.1…), unless TINTYPE_WEB_HOSTS names others.
    """
    settings = _keep_here(override(prepare(data), host, port))
    (settings.data / FACTS).unlink(missing_ok=True)
    if not (settings.data / CREDENTIALS).exists():
        _fill_in_process(settings)
    made = msgspec.json.decode((settings.data / CREDENTIALS).read_bytes(), type=DemoLibrary)
    run(settings, lambda url: _tell(settings, made, url), _showcase(made, settings.data))


def _keep_here(settings: Settings) -> Settings:
    """The settings by which only this machine's own names are served, unless others are named."""
    hosts = settings.web.hosts or (*LOOPBACK, settings.web.host)
    return msgspec.structs.replace(settings, web=msgspec.structs.replace(settings.web, hosts=hosts))


def _showcase(made: DemoLibrary, data: Path) -> Showcase:
    return Showcase(made.caller, lambda url, image: requests(url, made.by_dialect(), image, data / SAMPLE))


def _fill_in_process(settings: Settings) -> None:
    """Fill the library in a process of its own: the threads that libvips starts must not be forked."""
    click.echo("Making the demo library…", err=True)
    process = multiprocessing.get_context("spawn").Process(target=fill, args=(settings.data,))
    with _interrupts_ignored():
        process.start()
    try:
        process.join()
    except KeyboardInterrupt:
        # Ctrl-C reaches both processes. Only this one reacts to it: two would report it twice.
        process.terminate()
        process.join()
        raise
    if process.exitcode:
        raise click.ClickException("The demo library could not be made; the messages above say why.")


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore SIGINT; a process that is started meanwhile ignores it for good."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(settings: Settings, made: DemoLibrary, url: str) -> None:
    async def library(services: Services) -> list[Image]:
        return (await newest_images(services, made.caller, None, MAX_IMAGES))[::-1]

    images = asyncio.run(run_with_services(settings, library))
    facts = {
        "base_url": url,
        **made.credentials,
        "images": [_describe(image) for image in images],
    }
    line = msgspec.json.encode(facts)
    durable.write_private(settings.data / SHELL, _shell(url, made.by_dialect(), images[:1]).encode())
    durable.write_private(settings.data / FACTS, line + b"\n")
    click.echo(line.decode())
    click.echo(f"\nOpen {url}/ in a browser. Stop with Ctrl-C.", err=True)


def _describe(image: Image) -> dict[str, object]:
    return {
        "id": str(image.id),
        "number": image.number,
        "name": image.name,
        "extension": image.extension,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "status": image.status.name.lower(),
    }


def _shell(url: str, credentials: Credentials, images: list[Image]) -> str:
    values = {"BASE_URL": url}
    for dialect, given in credentials.items():
        values |= {f"{dialect}_{name.removesuffix('_id')}".upper(): value for name, value in given.items()}
    for image in images:
        values |= {"IMAGE_ID": str(image.id), "IMAGE_SHORT_ID": short(image.id)}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
