"""What a service writes to standard error."""

import json
from pathlib import Path
from typing import Any

from tests.waiting import until

LONG = 30
"""Seconds until a service is ready, at the most."""


def entries(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def announced(written: Path) -> str:
    """The address that a service writes to its log when it is ready."""
    until(lambda: "tintype serves " in written.read_text(), LONG, f"no address in {written}")
    return written.read_text().partition("tintype serves ")[2].split()[0]
