"""What a service counts."""

import httpx

from tests.running import Running


def counted(service: Running) -> dict[str, float]:
    """The counts of all worker processes by name."""
    lines = httpx.get(f"{service.base_url}/metrics").raise_for_status().text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.removeprefix("tintype_"): float(value) for name, value in pairs}
