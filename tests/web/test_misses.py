"""Renditions asked for the first time, over real sockets: made once for all who ask, and again when lost."""

import asyncio
import shutil
from collections.abc import Callable

import httpx

from tests import pictures
from tests.running import Running
from tests.waiting import until
from tests.web.counting import counted, links, widths
from tintype.storage.rendition_locks import RenditionLocks

CROWD = 400
"""As many as a process may have connections by an ordinary limit on open files, ours and theirs."""


async def reached(service: Running, name: str, least: float) -> None:
    """Wait for a count to be reached; fail if it never is."""
    await asyncio.to_thread(until, lambda: counted(service)[name] >= least, 60)


async def ask(link: str, everybody: asyncio.Barrier) -> bytes:
    url = httpx.URL(link)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    await everybody.wait()
    writer.write(f"GET {url.raw_path.decode()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    try:
        return await reader.read(-1)
    finally:
        writer.close()


async def test_what_many_ask_for_at_once_is_made_once_and_all_are_answered(
    serve: Callable[..., Running],
) -> None:
    service = serve(TINTYPE_WEB_METRICS="true")
    (link,) = links(service, pictures.png(2000, 1500), {"width": 300})
    everybody = asyncio.Barrier(CROWD)
    answers = await asyncio.gather(*(ask(link, everybody) for _ in range(CROWD)))
    assert {answer.split()[1] for answer in answers} == {b"200"}
    (body,) = {answer.partition(b"\r\n\r\n")[2] for answer in answers}
    assert pictures.decode(body).size == (300, 225)
    assert counted(service)["renditions_made_total"] == 1
    assert counted(service)["renditions_shared_total"] > 0


async def test_one_who_goes_away_frees_his_place_and_takes_nothing_from_others(
    serve: Callable[..., Running],
) -> None:
    service = serve(TINTYPE_WEB_METRICS="true", TINTYPE_DELIVERY_MEMORY_BYTES="0")
    (link,) = links(service, pictures.png(64, 48), {"width": 20})
    whole = (await ask(link, asyncio.Barrier(1))).partition(b"\r\n\r\n")[2]
    (made,) = (service.data / "renditions").glob("*/*/*.png")
    key = str(made.relative_to(service.data / "renditions"))
    made.unlink()
    # To the service we are another process that makes it, and so it waits for us.
    with RenditionLocks(service.data / "renditions" / ".locks").hold(key) as is_ours:
        assert is_ours
        stays, goes = [asyncio.create_task(ask(link, asyncio.Barrier(1))) for _ in range(2)]
        await reached(service, "renditions_shared_total", 1)
        goes.cancel()
        await asyncio.wait([goes])
    assert (await stays).endswith(whole)
    assert counted(service)["renditions_dropped_total"] == 0
    made.unlink()
    with RenditionLocks(service.data / "renditions" / ".locks").hold(key):
        goes = asyncio.create_task(ask(link, asyncio.Barrier(1)))
        await reached(service, "pixel_seconds_total", counted(service)["pixel_seconds_total"] + 1e-9)
        goes.cancel()
        await reached(service, "renditions_dropped_total", 1)


def test_losing_the_cache_under_a_running_service_is_harmless(serve: Callable[..., Running]) -> None:
    # Nothing is served from memory, so that each answer needs the disk.
    service = serve(TINTYPE_DELIVERY_MEMORY_BYTES="0")
    found = links(service, pictures.png(640, 480), *widths(range(20, 40)))
    with httpx.Client() as client:
        before = [client.get(link).raise_for_status().content for link in found]
        for link, content in zip(found, before, strict=True):
            shutil.rmtree(service.data / "renditions")
            assert [client.get(link).content for _ in range(2)] == [content] * 2
        assert [client.get(link).content for link in found] == before
