"""Is the process alive, and can it serve."""

from tintype.core import House
from tintype.core.browse import reachable
from tintype.web.mount import Answer

HEALTH_PATHS = ("/healthz", "/readyz")


async def health(house: House, path: str) -> Answer:
    """`/healthz`: the process answers. `/readyz`: the catalogue answers too, else 503."""
    if path == "/healthz":
        return Answer(200, b"ok\n", "text/plain")
    if not await reachable(house):
        return Answer(503, b"the catalogue does not answer\n", "text/plain")
    return Answer(200, b"ready\n", "text/plain")
