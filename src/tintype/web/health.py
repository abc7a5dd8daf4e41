"""Liveness and readiness."""

from tintype.core import Services
from tintype.core.upkeep.health import can_serve, degraded
from tintype.web.dialect_routes import RawResponse

HEALTH_PATHS = ("/healthz", "/readyz")


async def health(services: Services, path: str) -> RawResponse:
    """`/healthz`: the process answers. `/readyz`: pictures can be delivered, else 503.

    Each fault that doesn't prevent that is a line such as `degraded: storage full`; the status stays 200,
    because taking the service out of rotation would make it worse.
    """
    if path == "/healthz":
        return RawResponse(200, b"ok\n", "text/plain")
    # Concurrent requests share one check, so frequent ones cost nothing.
    return await services.workers.singleflight("readiness", lambda: _readiness(services))


async def _readiness(services: Services) -> RawResponse:
    if not await can_serve(services):
        return RawResponse(503, b"the catalogue does not answer\n", "text/plain")
    faults = "".join(f"degraded: {fault}\n" for fault in await degraded(services))
    return RawResponse(200, b"ready\n" + faults.encode(), "text/plain")
