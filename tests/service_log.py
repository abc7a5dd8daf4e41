"""What a service writes to standard error."""

import json
import time
from pathlib import Path
from typing import Any

LONG = 30
"""Seconds until a service is ready, at the most."""


def entries(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def announced(written: Path) -> str:
    """The address that a service writes to its log when it is ready."""
    deadline = time.monotonic() + LONG
    while "tintype serves " not in written.read_text():
        assert time.monotonic() < deadline, written.read_text()
    return written.read_text().partition("tintype serves ")[2].split()[0]
