"""Warnings at the start about settings and surroundings that are unsafe."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import rich_click as click
import structlog

from tintype.settings import Settings

log = structlog.get_logger("tintype")


def warn(settings: Settings) -> None:
    """Print each warning, and log it."""
    for event, sentence in unsafe_settings(settings):
        with suppress(OSError):
            # Standard error may be closed: the start must not fail because of that.
            click.echo(f"Warning: {sentence}", err=True)
        log.warning(event, advice=sentence)


def unsafe_settings(settings: Settings) -> Iterator[tuple[str, str]]:
    """The warnings: a log event and a sentence each."""
    if os.geteuid() == 0:
        yield "runs-as-root", "tintype runs as root, which it never needs: give it a user of its own."
    if _is_open_to_others(settings.data):
        open_folder = f"Others on this machine can enter {settings.data}, which contains all images."
        yield "data-folder-is-open", f"{open_folder} Close it with chmod go=."
    if _is_public(settings.web.host) and not settings.web.public_url:
        public = f"The service listens on {settings.web.host}, and links have the host of the request."
        yield "no-public-url", f"{public} Set TINTYPE_WEB_PUBLIC_URL to the address that clients use."


def _is_open_to_others(folder: Path) -> bool:
    return bool(folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _is_public(host: str) -> bool:
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
