"""The counters of a worker process, in the text format of Prometheus."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tintype.core import Services
from tintype.web.dialect_routes import RawResponse

METRICS_PATH = "/metrics"

COUNTERS = {
    "made": ("renditions_made", "Renditions made."),
    "shared": ("renditions_shared", "Requests that waited for a rendition that another had begun."),
    "coalesced": ("renditions_coalesced", "Renditions that another process had made meanwhile."),
    "dropped": ("renditions_dropped", "Renditions not begun, as all who asked went away."),
    "not_cached": (
        "renditions_not_cached",
        "Renditions delivered and not kept: the disk or the cache was full.",
    ),
    "evicted": ("renditions_evicted", "Renditions removed to make room."),
    "refused": ("work_refused", "Work on pixels refused as busy."),
    "originals_missing": ("originals_missing", "Deliveries that found an original missing or damaged."),
    "deferred_made": ("renditions_deferred_made", "Renditions made after something had stood in for them."),
    "deferred_dropped": (
        "renditions_deferred_dropped",
        "Such renditions dropped, as there was too much to do.",
    ),
    "pixel_seconds": ("pixel_seconds", "Seconds of render slots used, by uploads too."),
}
"""By the name in `_counts`: the metric's name and its help text."""


async def metrics(services: Services) -> RawResponse:
    """The counters of this process; a label has its id, as another may answer the next request."""
    media_type, body = await services.workers.disk(_exposition, services)
    return RawResponse(200, body, media_type)


class _CounterCollector:
    """A collector for prometheus-client."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415  as below

        process, counts = [str(os.getpid())], _counts(self._services)
        for field, (name, meaning) in COUNTERS.items():
            family = CounterMetricFamily(f"tintype_{name}", meaning, labels=["process"])
            family.add_metric(process, counts[field])
            yield family
        waiting = GaugeMetricFamily("tintype_work_waiting", "Work on pixels that waits.", labels=["process"])
        waiting.add_metric(process, self._services.workers.waiting())
        yield waiting


def _counts(services: Services) -> dict[str, float]:
    later = {"deferred_made": services.deferred.made, "deferred_dropped": services.deferred.dropped}
    return asdict(services.workers.counters) | later


def _exposition(services: Services) -> tuple[str, bytes]:
    # Imported on first use: it takes 50 ms, which would delay each start.
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_CounterCollector(services))
    return CONTENT_TYPE_LATEST, generate_latest(registry)
