"""`tintype serve`: the service itself."""

import asyncio
import gc
import http.client
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import rich_click as click
import structlog

from tintype.app import LINK_KEYS, create_app
from tintype.cli.advice import warn
from tintype.cli.library import (
    backup_option,
    command_actor,
    data_option,
    plain_errors,
    prepare,
    run_with_services,
)
from tintype.cli.supervisor import Supervisor, allow_open_files, become_worker
from tintype.console import Showcase
from tintype.core.access.keys import record_new
from tintype.core.runtime.signing import Keyring, renew
from tintype.dialects import discover
from tintype.imaging.allocator import keep_memory_flat
from tintype.settings import Settings
from tintype.web import logs
from tintype.web.asgi import App

log = structlog.get_logger("tintype")

READY_WITHIN = 60.0
"""Seconds after which we stop asking whether the service is ready."""


@click.command()
@data_option
@click.option("--host", help="The address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 picks a free one. [default: 8080]")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes. [default: 1]")
@backup_option
@click.option("--new-keys", is_flag=True, help="Make new link keys if they are missing or broken.")
@plain_errors
def serve(
    data: Path, host: str | None, port: int | None, workers: int | None, *, no_backup: bool, new_keys: bool
) -> None:
    """Serve the library.

    A new data folder is made; an older one is migrated, after a copy of its catalogue was put beside it.
    All settings: `docs/settings.md`. Stop it with Ctrl-C or SIGTERM: requests under way are finished first.
    """
    settings = prepare(data, backup=not no_backup)
    keys = settings.data / LINK_KEYS
    if new_keys and renew(keys):
        actor = command_actor()
        # Its threads have ended when it returns: none may run at the fork.
        asyncio.run(run_with_services(settings, lambda services: record_new(services, actor)))
    # Here, and not only in each worker: what is wrong with them is said once.
    Keyring(keys)
    run(
        override(settings, host, port, workers),
        lambda url: click.echo(f"tintype serves {url}", err=True),
    )


def override(settings: Settings, host: str | None, port: int | None, workers: int | None = None) -> Settings:
    """The settings with what the command line says, and a real port in place of 0."""
    given = {"host": host, "port": port, "workers": workers}
    web = msgspec.structs.replace(
        settings.web, **{name: value for name, value in given.items() if value is not None}
    )
    web = msgspec.structs.replace(web, port=_free_port(web.host, web.port))
    return msgspec.structs.replace(settings, web=web)


def run(settings: Settings, on_ready: Callable[[str], None], showcase: Showcase | None = None) -> None:
    """Serve until stopped; `on_ready` is called once with the base address when requests are answered.

    A `showcase` is shown on the first page.
    """
    logs.start(settings.logs)
    warn(settings)
    settings = msgspec.structs.replace(settings, web=allow_open_files(settings.web))
    told, tell = os.pipe()
    supervisor = os.getpid()

    def load_app() -> App:
        # In the worker, after the fork: threads and connections made before it would not survive it.
        become_worker(supervisor, settings.web.stop_seconds)
        keep_memory_flat(settings.workers.malloc_arenas)
        try:
            app = create_app(settings, discover(), showcase=showcase)
        except Exception:
            log.exception("worker-failed")
            raise SystemExit(1) from None
        # What is there by now stays: the collector need not go over it again and again.
        gc.freeze()
        os.write(tell, b".")
        return app

    server = Supervisor(settings.web)

    def tell_ready(url: str) -> None:
        server.is_ready = True
        on_ready(url)

    threading.Thread(target=_announce, args=(settings, told, tell_ready), daemon=True).start()
    server.serve(target_loader=load_app, wrap_loader=False)


def base_url(settings: Settings) -> str:
    """The address that a client on this machine uses."""
    return settings.web.public_url.rstrip("/") or f"http://{_here(settings)}{settings.web.base()}"


def _free_port(host: str, port: int) -> int:
    """The port itself if nobody listens there, or a free one for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            raise click.ClickException(
                f"Can't listen on {host} port {port}: {taken.strerror}. "
                "Choose another with --port; 0 picks a free one."
            ) from taken
        return int(probe.getsockname()[1])


def _announce(settings: Settings, told: int, on_ready: Callable[[str], None]) -> None:
    """Wait until all workers are there, and then until requests are answered.

    Until all are forked this thread only sleeps in a read: whatever lock it held at a fork, of OpenSSL or
    SQLite, would stay locked in that worker for ever.
    """
    for _ in range(settings.web.workers):
        os.read(told, 1)
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if _is_ready(settings):
            on_ready(base_url(settings))
            return
        time.sleep(0.01)


def _is_ready(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(_here(settings), timeout=READY_WITHIN)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _here(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web.host, settings.web.host)  # noqa: S104  compared, not bound
    return f"[{host}]:{settings.web.port}" if ":" in host else f"{host}:{settings.web.port}"
