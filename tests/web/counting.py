"""What a service counts, and links to make it count."""

from typing import Any

import httpx

from tests.running import Running


def counted(service: Running) -> dict[str, float]:
    """The counts of all worker processes by name."""
    lines = httpx.get(f"{service.base_url}/metrics").raise_for_status().text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.removeprefix("tintype_"): float(value) for name, value in pairs}


def links(service: Running, data: bytes, *recipes: dict[str, Any]) -> list[str]:
    """Native links to a new image, one for each recipe."""
    headers = {"Authorization": f"Bearer {service.token('native')}"}
    with httpx.Client(base_url=service.base_url, headers=headers) as client:
        image = client.post("/v1/images", content=data).raise_for_status().json()["id"]
        items = [{"image": image, **recipe} for recipe in recipes]
        made = client.post("/v1/links", json={"links": items}).raise_for_status().json()
    return [each["url"] for each in made["links"]]


def widths(sides: range) -> list[dict[str, Any]]:
    """A recipe for each width."""
    return [{"width": side} for side in sides]
