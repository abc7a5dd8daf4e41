"""What a service counts."""

import httpx

from tests.running import Running


def counted(service: Running) -> dict[str, float]:
    """The counts by name, of a service with one worker process."""
    lines = httpx.get(f"{service.base_url}/metrics").raise_for_status().text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.partition("{")[0].removeprefix("tintype_"): float(value) for name, value in pairs}
