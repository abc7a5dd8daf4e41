"""`tintype serve`: run the service."""

import asyncio
import gc
import http.client
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
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
    prepare_library,
    run_with_services,
)
from tintype.cli.supervisor import Supervisor, allow_open_files, become_worker
from tintype.console import Showcase
from tintype.core.access.keys import record_new
from tintype.core.runtime.counters import counters_folder, share_counters
from tintype.core.runtime.signing import Keyring, replace_broken_keys
from tintype.dialects import discover
from tintype.imaging.allocator import limit_arenas
from tintype.settings import Settings
from tintype.web import logs
from tintype.web.asgi import App
from tintype.web.settings import WebSettings

log = structlog.get_logger("tintype")

READY_WITHIN = 60.0
"""Seconds to wait for the service to become ready."""

_DEFAULTS = WebSettings()

host_option = click.option("--host", help=f"The address to listen on. [default: {_DEFAULTS.host}]")
port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"The port; 0 picks a free one. [default: {_DEFAULTS.port}]",
)


@click.command()
@data_option
@host_option
@port_option
@click.option(
    "--workers", type=click.IntRange(1, 64), help=f"Worker processes. [default: {_DEFAULTS.workers}]"
)
@backup_option
@click.option("--new-keys", is_flag=True, help="Create new link keys if they are missing or broken.")
@plain_errors
def serve(
    data: Path, host: str | None, port: int | None, workers: int | None, *, no_backup: bool, new_keys: bool
) -> None:
    """Serve the library.

    A new data folder is created; an older library is migrated after its catalogue is copied to a file beside
    it. All settings: `docs/settings.md`. Ctrl-C or SIGTERM stops it after the current requests are finished.
    """
    settings = prepare_library(data, backup=not no_backup)
    keys = settings.data / LINK_KEYS
    if new_keys and replace_broken_keys(keys):
        actor = command_actor()
        # Its threads have ended when it returns: no thread may run during the fork below.
        asyncio.run(run_with_services(settings, lambda services: record_new(services, actor)))
    # Also loaded here, not only in each worker, so that an error is reported once.
    Keyring(keys)
    run(
        override(settings, host, port, workers),
        lambda url: click.echo(f"tintype serves {url}", err=True),
    )


def override(settings: Settings, host: str | None, port: int | None, workers: int | None = None) -> Settings:
    """The settings with the options of the command line; port 0 is replaced by a free port."""
    options = {"host": host, "port": port, "workers": workers}
    web = msgspec.structs.replace(
        settings.web, **{name: value for name, value in options.items() if value is not None}
    )
    web = msgspec.structs.replace(web, port=_free_port(web.host, web.port))
    return msgspec.structs.replace(settings, web=web)


def run(settings: Settings, on_ready: Callable[[str], None], showcase: Showcase | None = None) -> None:
    """Serve until stopped.

    Args:
        settings: all settings.
        on_ready: called once with the base address, when requests are answered.
        showcase: the content of the first page of a demo; None outside a demo.
    """
    logs.start(settings.logs)
    logs.capture_stderr()
    warn(settings)
    settings = msgspec.structs.replace(settings, web=allow_open_files(settings.web))
    ready_read, ready_write = os.pipe()
    supervisor = os.getpid()

    def load_app(worker: int) -> App:
        # In the worker, after the fork: threads and connections do not survive a fork.
        become_worker(supervisor, settings.web.stop_seconds)
        if counters is not None:
            share_counters(counters, worker)
        limit_arenas(settings.workers.malloc_arenas)
        try:
            app = create_app(settings, discover(), showcase=showcase)
        except Exception:
            log.exception("worker-failed")
            raise SystemExit(1) from None
        # Objects of the start live for ever: exclude them from garbage collection.
        gc.freeze()
        os.write(ready_write, b".")
        return app

    # From Python 3.14 on another method is the default, which would load everything again in each worker.
    multiprocessing.set_start_method("fork", force=True)
    server = Supervisor(settings.web)

    def mark_ready(url: str) -> None:
        server.is_ready = True
        on_ready(url)

    threading.Thread(target=_wait_until_ready, args=(settings, ready_read, mark_ready), daemon=True).start()
    with counters_folder(settings.web.workers) if settings.web.metrics else nullcontext() as counters:
        web = msgspec.structs.replace(settings.web, metrics=counters is not None)
        settings = msgspec.structs.replace(settings, web=web)
        server.serve(target_loader=load_app, wrap_loader=False)


def base_url(settings: Settings) -> str:
    """The base address of links if `public_url` is set, else the address on this machine."""
    return settings.web.public_url.rstrip("/") or f"http://{_local_address(settings)}{settings.web.base()}"


def _free_port(host: str, port: int) -> int:
    """The port, after checking that it is free; for 0 a free port."""
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


def _wait_until_ready(settings: Settings, ready_read: int, on_ready: Callable[[str], None]) -> None:
    """Wait until all workers have started and requests are answered, then call `on_ready`.

    Until all workers are forked, this thread does nothing but wait in a read: a lock that it held during a
    fork, of OpenSSL or SQLite, would stay locked in that worker for ever.
    """
    for _ in range(settings.web.workers):
        os.read(ready_read, 1)
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if _is_ready(settings):
            on_ready(base_url(settings))
            return
        time.sleep(0.01)


def _is_ready(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(_local_address(settings), timeout=READY_WITHIN)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _local_address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web.host, settings.web.host)  # noqa: S104  compared, not bound
    return f"[{host}]:{settings.web.port}" if ":" in host else f"{host}:{settings.web.port}"
