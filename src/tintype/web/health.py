"""Is the process alive, and can it serve."""

from tintype.core import House
from tintype.core.health import can_serve, degraded
from tintype.web.mount import Answer

HEALTH_PATHS = ("/healthz", "/readyz")


async def health(house: House, path: str) -> Answer:
    """`/healthz`: the process answers. `/readyz`: pictures can be delivered, else 503.

    What doesn't work besides has a line each, such as `degraded: storage full`: a proxy that took the service
    out for that would make it worse.
    """
    if path == "/healthz":
        return Answer(200, b"ok\n", "text/plain")
    # Who asks while somebody else does shares the answer: asking often costs nothing.
    return await house.workers.once("readiness", lambda: _readiness(house))


async def _readiness(house: House) -> Answer:
    if not await can_serve(house):
        return Answer(503, b"the catalogue does not answer\n", "text/plain")
    faults = "".join(f"degraded: {fault}\n" for fault in await degraded(house))
    return Answer(200, b"ready\n" + faults.encode(), "text/plain")
