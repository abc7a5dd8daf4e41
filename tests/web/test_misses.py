"""Renditions asked for the first time, over real sockets: made once for all who ask, and again when lost."""

import asyncio
import shutil
from collections.abc import Callable

import httpx

from tests import pictures
from tests.running import Running
from tests.web.counting import counted
from tintype.storage.rendition_locks import RenditionLocks

CROWD = 400
"""As many as a process may have connections by an ordinary limit on open files, ours and theirs."""


def links(service: Running, data: bytes, widths: range) -> list[str]:
    """Paths of links to renditions of a new image."""
    headers = {"Authorization": f"Bearer {service.token('native')}"}
    with httpx.Client(base_url=service.base_url, headers=headers) as client:
        image = client.post("/v1/images", content=data).raise_for_status().json()
        items = [{"image": image["id"], "width": width} for width in widths]
        made = client.post("/v1/links", json={"links": items}).raise_for_status().json()
    return [each["url"].removeprefix(service.base_url) for each in made["links"]]


async def ask(service: Running, path: str, everybody: asyncio.Barrier) -> bytes:
    url = httpx.URL(service.base_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    await everybody.wait()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    try:
        return await reader.read(-1)
    finally:
        writer.close()


async def test_what_many_ask_for_at_once_is_made_once_and_all_are_answered(
    serve: Callable[..., Running],
) -> None:
    service = serve(TINTYPE_WEB_METRICS="true")
    (path,) = links(service, pictures.png(2000, 1500), range(300, 301))
    everybody = asyncio.Barrier(CROWD)
    answers = await asyncio.gather(*(ask(service, path, everybody) for _ in range(CROWD)))
    assert {answer.split()[1] for answer in answers} == {b"200"}
    (body,) = {answer.partition(b"\r\n\r\n")[2] for answer in answers}
    assert pictures.decode(body).size == (300, 225)
    assert counted(service)["renditions_made_total"] == 1
    assert counted(service)["renditions_shared_total"] > 0


async def test_one_who_goes_away_frees_his_place_and_takes_nothing_from_others(
    serve: Callable[..., Running],
) -> None:
    service = serve(TINTYPE_WEB_METRICS="true", TINTYPE_DELIVERY_MEMORY_BYTES="0")
    (path,) = links(service, pictures.png(64, 48), range(20, 21))
    whole = (await ask(service, path, asyncio.Barrier(1))).partition(b"\r\n\r\n")[2]
    (made,) = (service.data / "renditions").glob("*/*/*.png")
    key = str(made.relative_to(service.data / "renditions"))
    made.unlink()
    # To the service we are another process that makes it, and so it waits for us.
    with RenditionLocks(service.data / "renditions" / ".locks").hold(key) as is_ours:
        assert is_ours
        stays, goes = [asyncio.create_task(ask(service, path, asyncio.Barrier(1))) for _ in range(2)]
        await until(service, "renditions_shared_total", 1)
        goes.cancel()
        await asyncio.wait([goes])
    assert (await stays).endswith(whole)
    assert counted(service)["renditions_dropped_total"] == 0
    made.unlink()
    with RenditionLocks(service.data / "renditions" / ".locks").hold(key):
        goes = asyncio.create_task(ask(service, path, asyncio.Barrier(1)))
        await until(service, "pixel_seconds_total", counted(service)["pixel_seconds_total"] + 1e-9)
        goes.cancel()
        await until(service, "renditions_dropped_total", 1)


async def until(service: Running, name: str, least: float) -> None:
    """Wait for a count to be reached; fail if it never is."""
    async with asyncio.timeout(60):
        while (await asyncio.to_thread(counted, service))[name] < least:  # noqa: ASYNC110  another process's
            await asyncio.sleep(0.01)


def test_losing_the_cache_under_a_running_service_is_harmless(serve: Callable[..., Running]) -> None:
    # Nothing is served from memory, so that each answer needs the disk.
    service = serve(TINTYPE_DELIVERY_MEMORY_BYTES="0")
    paths = links(service, pictures.png(640, 480), range(20, 40))
    with httpx.Client(base_url=service.base_url) as client:
        before = [client.get(path).raise_for_status().content for path in paths]
        for path, content in zip(paths, before, strict=True):
            shutil.rmtree(service.data / "renditions")
            assert [client.get(path).content for _ in range(2)] == [content] * 2
        assert [client.get(path).content for path in paths] == before
