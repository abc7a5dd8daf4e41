"""What a worker process has counted, in the text format of Prometheus."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tintype.core import House
from tintype.web.mount import Answer

METRICS_PATH = "/metrics"

COUNTERS = {
    "made": ("renditions_made", "Renditions made."),
    "shared": ("renditions_shared", "Requests that waited for a rendition that another had begun."),
    "from_others": ("renditions_from_others", "Renditions that another process had made meanwhile."),
    "dropped": ("renditions_dropped", "Renditions not begun, as all who asked went away."),
    "unkept": ("renditions_unkept", "Renditions delivered and not kept: the disk or the cache was full."),
    "evicted": ("renditions_evicted", "Renditions removed to make room."),
    "refused": ("work_refused", "Work on pixels refused as busy."),
    "originals_missing": ("originals_missing", "Deliveries that found an original missing or damaged."),
    "later_made": ("renditions_later_made", "Renditions made after something had stood in for them."),
    "later_dropped": ("renditions_later_dropped", "Such renditions dropped, as there was too much to do."),
    "pixel_seconds": ("pixel_seconds", "Seconds of render slots used, by uploads too."),
}
"""By the name in `_counts`: the metric's name, and what it says."""


async def metrics(house: House) -> Answer:
    """The counts of this process; a label names the process, as another may answer the next time."""
    media_type, body = await house.workers.disk(_exposition, house)
    return Answer(200, body, media_type)


class _Tallied:
    """The counts as the library collects them."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415  as below

        process, counts = [str(os.getpid())], _counts(self._house)
        for field, (name, meaning) in COUNTERS.items():
            family = CounterMetricFamily(f"tintype_{name}", meaning, labels=["process"])
            family.add_metric(process, counts[field])
            yield family
        waiting = GaugeMetricFamily("tintype_work_waiting", "Work on pixels that waits.", labels=["process"])
        waiting.add_metric(process, self._house.workers.waiting())
        yield waiting


def _counts(house: House) -> dict[str, float]:
    later = {"later_made": house.later.made, "later_dropped": house.later.dropped}
    return asdict(house.workers.tally) | later


def _exposition(house: House) -> tuple[str, bytes]:
    # Imported when it is first asked for: a twentieth of a second that no start has to wait for.
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Tallied(house))
    return CONTENT_TYPE_LATEST, generate_latest(registry)
