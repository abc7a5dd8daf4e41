"""What is unsafe about a start, said in words before it goes on."""

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
    """Say what is unsafe, a line for people and one of the log each."""
    for event, sentence in unsafe(settings):
        with suppress(OSError):
            # Nobody may be there to read it: a start must not fail for that.
            click.echo(f"Warning: {sentence}", err=True)
        log.warning(event, advice=sentence)


def unsafe(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is unsafe, each by a word and in a sentence."""
    if os.geteuid() == 0:
        yield "runs-as-root", "tintype runs as root, which it never needs: give it a user of its own."
    if _lets_others_in(settings.data):
        open_folder = f"Others on this machine can enter {settings.data}, where every image lies."
        yield "data-folder-is-open", f"{open_folder} Close it with chmod go=."
    if _is_public(settings.web.host) and not settings.web.public_url:
        public = f"The service listens on {settings.web.host}, and links are made for whatever host is asked."
        yield "no-public-url", f"{public} Set TINTYPE_WEB_PUBLIC_URL to the address that clients use."


def _lets_others_in(folder: Path) -> bool:
    return bool(folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _is_public(host: str) -> bool:
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
