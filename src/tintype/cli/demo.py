"""`tintype demo`: serve a small library, with credentials and example requests."""

import asyncio
import multiprocessing
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import rich_click as click

from tintype.catalogue import CATALOGUE, schema
from tintype.cli.demo_library import CREDENTIALS, SAMPLE, Credentials, DemoLibrary, fill
from tintype.cli.demo_requests import requests
from tintype.cli.library import plain_errors, prepare_library, run_with_services
from tintype.cli.serve import host_option, override, port_option, run
from tintype.console import Showcase
from tintype.core import Services
from tintype.core.library.browse import newest_images
from tintype.model import Image
from tintype.model.ids import short
from tintype.settings import DATA, Settings
from tintype.storage import durable
from tintype.web.hosts import LOOPBACK

DEMO_JSON = "demo.json"
DEMO_ENV = "demo.env"
MAX_IMAGES = 1000
"""The most images in `demo.json`; a demo with more images serves them too."""


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DATA,
    default="demo-library",
    show_default=True,
    show_envvar=True,
    help="The folder of the library; created and filled if it is new.",
)
@host_option
@port_option
@plain_errors
def demo(data: Path, host: str | None, port: int | None) -> None:
    """Serve a small library of generated images, with credentials for every dialect.

    When it is ready, it writes DATA/demo.json and prints the same line: the address, the credentials, the
    images. DATA/demo.env has the same for a shell. Started again, it serves the same library.

    The credentials are in that folder in plain text, and the first page shows them to anybody who can open
    it: keep a demo on this machine. It answers only requests for this machine's own names (localhost,
    127.0.0.1…), unless TINTYPE_WEB_HOSTS has others.
    """
    settings = _restrict_hosts(override(_prepare_demo(data), host, port))
    (settings.data / DEMO_JSON).unlink(missing_ok=True)
    if not (settings.data / CREDENTIALS).exists():
        _fill_in_process(settings)
    library = msgspec.json.decode((settings.data / CREDENTIALS).read_bytes(), type=DemoLibrary)
    run(settings, lambda url: _write_and_print(settings, library, url), _showcase(library, settings.data))


def _prepare_demo(data: Path) -> Settings:
    """As `prepare_library`, but never on a library that is not a demo's."""
    is_new = schema.revision(data / CATALOGUE) is None
    if not is_new and not (data / SAMPLE).exists():
        raise click.ClickException(
            f"{data} has a library that is no demo, and the demo would add images and tokens to it. Serve it "
            f"with `tintype serve --data {shlex.quote(str(data))}`, or name another folder for the demo."
        )
    settings = prepare_library(data)
    if is_new:
        # Marks the library as a demo's, even if it is interrupted before it is filled.
        durable.write_private(settings.data / SAMPLE, b"")
    return settings


def _restrict_hosts(settings: Settings) -> Settings:
    """The settings with only this machine's own host names, unless `[web] hosts` has some."""
    hosts = settings.web.hosts or (*LOOPBACK, settings.web.host)
    return msgspec.structs.replace(settings, web=msgspec.structs.replace(settings.web, hosts=hosts))


def _showcase(library: DemoLibrary, data: Path) -> Showcase:
    return Showcase(
        library.caller, lambda url, image: requests(url, library.by_dialect(), image, data / SAMPLE)
    )


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


def _write_and_print(settings: Settings, library: DemoLibrary, url: str) -> None:
    async def list_images(services: Services) -> list[Image]:
        return (await newest_images(services, library.caller, None, MAX_IMAGES))[::-1]

    images = asyncio.run(run_with_services(settings, list_images))
    content = {
        "base_url": url,
        **library.credentials,
        "images": [_image_fields(image) for image in images],
    }
    line = msgspec.json.encode(content)
    durable.write_private(
        settings.data / DEMO_ENV, _shell_variables(url, library.by_dialect(), images[:1]).encode()
    )
    durable.write_private(settings.data / DEMO_JSON, line + b"\n")
    click.echo(line.decode())
    click.echo(f"\nOpen {url}/ in a browser. Stop with Ctrl-C.", err=True)


def _image_fields(image: Image) -> dict[str, object]:
    return {
        "id": str(image.id),
        "short_id": short(image.id),
        "number": image.number,
        "name": image.name,
        "extension": image.extension,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "status": image.status.name.lower(),
    }


def _shell_variables(url: str, credentials: Credentials, images: list[Image]) -> str:
    values = {"BASE_URL": url}
    for dialect, own in credentials.items():
        values |= {f"{dialect}_{name.removesuffix('_id')}".upper(): value for name, value in own.items()}
    for image in images:
        values |= {"IMAGE_ID": str(image.id), "IMAGE_SHORT_ID": short(image.id)}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
