"""What all worker processes have counted, in the text format of Prometheus."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from tintype.core import Services
from tintype.web.dialect_routes import RawResponse

METRICS_PATH = "/metrics"


async def metrics(services: Services) -> RawResponse:
    """The sums of the counters of all worker processes, whichever answers."""
    return RawResponse(200, await services.workers.disk(_exposition), CONTENT_TYPE_LATEST)


def _exposition() -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus-client's
    return generate_latest(registry)
