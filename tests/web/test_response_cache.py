"""Pictures asked for again: answered from memory, as long as what they rest on is true."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from tests import pictures
from tests.core.conftest import Clock, Instance, open_instance
from tests.core.counting import count
from tests.core.following import until
from tests.running import TINTYPE, Running, make_token
from tests.service_log import announced, entries
from tests.web.asgi_client import NOON, AsgiClient, open_client
from tintype.core.delivery.render import Picture, original
from tintype.core.runtime.record_cache import CachedImage
from tintype.core.runtime.signing import new_key
from tintype.imaging import Mode, Recipe
from tintype.settings import load
from tintype.web.body_cache import BODY_OVERHEAD_BYTES, BodyCache, DeliverySettings
from tintype.web.hosts import Hosts
from tintype.web.response_cache import MAX_LINK, CachedResponse, CachePolicy, ResponseCache

PHOTO = pictures.jpeg(300, 200, seed=5)

Upload = tuple[str, bytes, dict[str, str]]
"""A path, a body and header fields."""


def native(token: str) -> Upload:
    return "/v1/images", pictures.png(9, 9), {"authorization": f"Bearer {token}"}


def smartsheet(token: str) -> Upload:
    path = "/2.0/sheets/1/rows/2/columns/3/cellimages"
    headers = {"content_type": "image/png", "content_disposition": 'attachment; filename="a.png"'}
    return path, pictures.png(9, 9), {"authorization": f"Bearer {token}", **headers}


def evotor(token: str) -> Upload:
    path = f"/stores/20180413-2595-40E8-80CB-4646C05D81B6/products/{UUID(int=1)}/images"
    request = httpx.Request("POST", "http://x", files={"datafile": ("a.png", pictures.png(300, 300))})
    return path, request.read(), {"x_authorization": token, "content_type": request.headers["content-type"]}


UPLOADS = {each.__name__: each for each in (native, smartsheet, evotor)}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsgiClient]:
    async with open_client(tmp_path) as found:
        yield found


def lose_everything(data: Path) -> None:
    """Whatever is answered after this was in memory. (The service may be tidying up there just now.)"""
    for folder in ("originals", "renditions"):
        shutil.rmtree(data / folder, ignore_errors=True)


@pytest.mark.parametrize("recipe", [None, Recipe(width=60)])
async def test_a_picture_asked_for_again_needs_no_file(client: AsgiClient, recipe: Recipe | None) -> None:
    link = client.link(await client.instance.add(data=PHOTO), recipe)
    first = await client.request_twice(link)
    assert (first.status, len(first.body)) == (200, int(first.headers["content-length"]))
    lose_everything(client.instance.data)
    for _ in range(3):
        again = await client.request(link)
        assert (again.status, again.body) == (200, first.body)
        assert again.headers | {"request-id": ""} == first.headers | {"request-id": ""}
        assert again.headers["request-id"] != first.headers["request-id"]
    assert recipe is not None or first.body == PHOTO
    head = await client.request(link, "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(first.body)))
    part = await client.request(link, Range="bytes=10-19")
    assert (part.status, part.body) == (206, first.body[10:20])


@pytest.mark.parametrize("condition", [{}, {"If_None_Match": "*"}])
async def test_what_is_asked_for_once_takes_no_memory(client: AsgiClient, condition: dict[str, str]) -> None:
    link = client.link(await client.instance.add(data=PHOTO))
    assert (await client.request(link, **condition)).status in {200, 304}
    lose_everything(client.instance.data)
    assert (await client.request(link)).status == 500


async def test_a_rendition_in_memory_counts_as_used_and_an_original_is_left_alone(client: AsgiClient) -> None:
    image = await client.instance.add(data=PHOTO)
    original_file = client.instance.original(image.sha256)
    for recipe, is_touched in ((None, False), (Recipe(width=60), True)):
        await client.request_twice(client.link(image, recipe))
        files = [original_file, *(client.instance.data / "renditions").glob("*/*/*.jpg")]
        os.utime(files[-1], (1000, 1000))
        # The long way, with the picture in memory.
        assert (await client.request(client.link(image, recipe), Range="bytes=0-9")).status == 206
        assert (files[-1].stat().st_mtime > 1000) == is_touched


@pytest.mark.parametrize("recipe", [None, Recipe(width=60)])
@pytest.mark.parametrize("first", ["GET", "304"])
async def test_what_the_client_has_is_told_from_memory(
    client: AsgiClient, recipe: Recipe | None, first: str
) -> None:
    image = await client.instance.add(data=PHOTO)
    link = client.link(image, recipe)
    values = (await client.request_twice(client.link(image, recipe, int(NOON.timestamp()) + 9))).headers
    tag, modified = values["etag"], values["last-modified"]
    whole = await client.request(link) if first == "GET" else await client.request(link, If_None_Match=tag)
    lose_everything(client.instance.data)
    for method in ("GET", "HEAD"):
        answer = await client.request(link, method, If_None_Match=tag, If_Modified_Since="nonsense")
        assert (answer.status, answer.body) == (304, b"")
        for name in ("etag", "cache-control", "access-control-allow-origin"):
            assert answer.headers[name] == whole.headers[name]
        assert not {"content-disposition", "last-modified"} & answer.headers.keys()
    for tags in (f"W/{tag}", f'"other", {tag}', "*"):
        assert (await client.request(link, If_None_Match=tags)).status == 304
    assert (await client.request(link, If_Modified_Since=modified)).status == 304
    assert (await client.request(link, If_None_Match='"other"', If_Modified_Since=modified)).status == 200


async def test_a_link_that_expires_is_kept_ready_until_it_does(client: AsgiClient) -> None:
    link = client.link(await client.instance.add(data=PHOTO), expires=int(NOON.timestamp()) + 600)
    ages = []
    for seconds in (0, 1, 0.5, 100, 498.4):
        client.clock.go(seconds=seconds)
        answer = await client.request(link)
        ages.append((answer.status, answer.headers["cache-control"]))
    # Never longer than it lives: of a second begun nothing is promised.
    assert ages == [(200, f"private, max-age={left}") for left in (600, 599, 598, 498, 0)]
    client.clock.go(seconds=0.1)
    for method in ("GET", "HEAD"):
        for condition in ({}, {"If_None_Match": answer.headers["etag"]}):
            refused = await client.request(link, method, **condition)
            assert (refused.status, refused.headers["cache-control"]) == (403, "no-store")
    assert json.loads((await client.request(link)).body)["type"] == "urn:tintype:error:expired-link"


async def test_every_link_to_an_image_ends_with_it(client: AsgiClient) -> None:
    caller = {"authorization": f"Bearer {make_token(client.instance.data, 'native', 'north')}"}
    image = await client.instance.add(data=PHOTO, filename="photo.jpg")
    ready = [client.link(image), client.link(image, Recipe(width=60)), f"/flag/flag_{2 * image.number}.jpg"]
    for link in ready * 3:
        assert (await client.request(link)).status == 200
    assert (await client.request(f"/v1/images/{image.id}", "DELETE", **caller)).status == 204
    assert [(await client.request(link)).status for link in ready] == [404] * 3


async def test_what_is_ready_ends_with_the_key_that_signed_its_link(client: AsgiClient) -> None:
    image = await client.instance.add(data=PHOTO)
    old, keyring = client.link(image), client.app._services.keyring  # noqa: SLF001  the ring that the cache looks at
    assert (await client.request_twice(old)).status == 200
    first = keyring.all()[0].id
    keyring.add(new_key())
    assert (await client.request_twice(old)).status == 200
    assert keyring.remove(first)
    for _ in range(2):
        assert (await client.request(old)).status == 403
    client.instance.services.keyring.reload()
    assert (await client.request_twice(client.link(image))).status == 200


async def test_a_large_picture_is_sent_from_its_file(tmp_path: Path) -> None:
    async with open_client(tmp_path, TINTYPE_DELIVERY_PICTURE_BYTES="1000") as client:
        image = await client.instance.add(data=PHOTO)
        for _ in range(2):
            answer = await client.request(client.link(image))
            assert (answer.status, answer.body) == (200, b"")
            assert answer.file() == PHOTO
            part = await client.request(client.link(image), Range="bytes=10-19")
            assert (part.status, part.body) == (206, PHOTO[10:20])
        tag = answer.headers["etag"]
        lose_everything(tmp_path)
        assert (await client.request(client.link(image), If_None_Match=tag)).status == 304
        assert (await client.request(client.link(image))).status == 500


@pytest.mark.parametrize("setting", ["PICTURE_BYTES", "MEMORY_BYTES"])
async def test_a_rendition_that_is_removed_is_made_again(tmp_path: Path, setting: str) -> None:
    async with open_client(tmp_path, **{f"TINTYPE_DELIVERY_{setting}": "0"}) as client:
        link = client.link(await client.instance.add(data=PHOTO), Recipe(width=60))
        sizes = set()
        for _ in range(3):
            answer = await client.request(link)
            sizes.add(pictures.decode(answer.body or answer.file()).size)
            shutil.rmtree(tmp_path / "renditions", ignore_errors=True)
        assert sizes == {(60, 40)}


async def test_many_that_ask_at_once_for_the_first_time_are_all_answered(client: AsgiClient) -> None:
    image = await client.instance.add(data=PHOTO)
    for link in (client.link(image), client.link(image, Recipe(width=60))):
        answers = await asyncio.gather(*(client.request(link) for _ in range(30)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.picture() for answer in answers}) == 1


async def test_a_client_that_goes_away_does_not_wait_for_its_picture(tmp_path: Path) -> None:
    async with open_client(tmp_path, TINTYPE_RENDERERS_COUNT="1", TINTYPE_RENDERERS_SECONDS="120") as client:
        image = await client.instance.add(data=pictures.png(1500, 1500))
        long = Recipe(mode=Mode.SCALE, width=6000, height=6000)
        staying = asyncio.create_task(client.request(client.link(image, long)))
        leaving = AsgiClient(client.app, client.instance, client.clock)
        waiting = asyncio.create_task(leaving.request(client.link(image, Recipe(width=61))))
        leaving.disconnected.set()
        assert not (await waiting).status
        assert not staying.done()
        assert (await staying).status == 200
        assert (await client.request(client.link(image, Recipe(width=61)))).status == 200


@pytest.mark.parametrize("dialect", UPLOADS)
async def test_a_client_that_goes_away_does_not_wait_for_its_upload(tmp_path: Path, dialect: str) -> None:
    async with open_client(tmp_path, TINTYPE_RENDERERS_COUNT="1", TINTYPE_RENDERERS_SECONDS="120") as client:
        path, content, headers = UPLOADS[dialect](make_token(client.instance.data, dialect, "north"))
        image = await client.instance.add(data=pictures.png(1500, 1500))
        long = Recipe(mode=Mode.SCALE, width=6000, height=6000)
        staying = asyncio.create_task(client.request(client.link(image, long)))
        workers = client.app._services.workers  # noqa: SLF001  there is no other way to see slots and queue
        await until(lambda: bool(workers._running))  # noqa: SLF001
        leaving = AsgiClient(client.app, client.instance, client.clock)
        headers |= {"content_length": str(len(content))}
        waiting = asyncio.create_task(leaving.send(path, "POST", headers, content))
        await until(lambda: count(workers.counters.waiting) == 1)
        leaving.disconnected.set()
        assert not (await waiting).status
        assert count(workers.counters.waiting) == 0
        assert not staying.done()
        assert (await staying).status == 200
        assert not list((tmp_path / "incoming").iterdir())


async def test_an_upload_may_wait_longer_than_its_body_may_stand_still(tmp_path: Path) -> None:
    brief = {"TINTYPE_RENDERERS_COUNT": "1", "TINTYPE_WEB_BODY_IDLE_SECONDS": "0.001"}
    async with open_client(tmp_path, **brief) as client:
        path, content, headers = native(make_token(client.instance.data, "native", "north"))
        image = await client.instance.add(data=pictures.png(1500, 1500))
        before = asyncio.create_task(client.request(client.link(image, Recipe(width=900))))
        workers = client.app._services.workers  # noqa: SLF001  there is no other way to see the slots
        await until(lambda: bool(workers._running))  # noqa: SLF001
        upload = await client.send(path, "POST", headers | {"content_length": str(len(content))}, content)
        assert (upload.status, (await before).status) == (201, 200)


async def test_pictures_in_memory_have_room_for_so_many_bytes(instance: Instance) -> None:
    kept = BodyCache(DeliverySettings(memory_bytes=100 + 3 * BODY_OVERHEAD_BYTES, picture_bytes=60))
    image = await instance.add()

    def picture(tag: str, size: int) -> Picture:
        return msgspec.structs.replace(original(instance.services, image), tag=tag, size=size)

    kept.record_request("a")
    assert not kept.accepts(picture("a", 60))
    kept.record_request("a")
    assert [kept.accepts(picture("a", size)) for size in (0, 60, 61)] == [True, True, False]
    assert not kept.accepts(picture("b", 60))

    known = CachedImage(image, {}, is_valid=True)
    held = {tag: kept.put(picture(tag, 40), known, tag.encode() * 40) for tag in "ab"}
    assert kept.put(picture("a", 40), known, b"x" * 40) is held["a"]
    kept.mark_used(held["a"])
    kept.put(picture("c", 30), CachedImage(image, {}, is_valid=True), b"c" * 30)
    assert kept.get("b") is None
    assert (held["b"].body, held["b"].data) == (None, None)
    assert held["a"].body == {"type": "http.response.body", "body": b"a" * 40}
    kept.mark_used(held["b"])
    assert kept.get("b") is None
    known.is_valid = False
    assert kept.get("a") is None
    assert held["a"].data is None
    assert kept.get("c") is not None


async def test_only_links_in_the_spelling_that_we_write_are_kept_ready(client: AsgiClient) -> None:
    image = await client.instance.add(data=PHOTO, filename="photo.jpg")
    path, number = f"/Media/Image/{image.id}", 2 * image.number
    flags = [f"/flag/flag_{number}.jpg", f"/flag/flag_{number + 1}.jpg"]
    canonical = [f"{path}?Mode=Fit&Width=60&Height=40", *flags]
    others = [
        f"{path}?Width=60&Mode=Fit&Height=40",
        f"{path}?Mode=4&Width=60&Height=40",
        f"{path}?Mode=Fit&Width=060&Height=40",
        f"{path}?Width=60&Height=40",
        *(f"{canonical[0]}&utm={at}" for at in range(20)),
        *(f"{canonical[0]}{'&Mode=Fit' * at}" for at in range(1, 20)),
        f"{path.upper().replace('/MEDIA/IMAGE', '/Media/Image')}?Mode=Fit&Width=60&Height=40",
        f"{path.replace('-', '%2D')}?Mode=Fit&Width=60&Height=40",
        *(f"/flag/flag_{number}.{extension}" for extension in ("JPG", "Jpg", "jPG")),
        *(f"{canonical[1]}?{at}" for at in range(20)),
        f"/fl%61g/flag_{number}.jpg",
    ]
    for link in [*canonical, *others]:
        answers = [(await client.request(link)).status for _ in range(3)]
        assert answers == [200] * 3, link
    ready = client.app._response_cache._responses  # noqa: SLF001  there is no other way to see it
    split = [link.encode().partition(b"?") for link in canonical]
    assert {key for key, _ in ready.oldest(len(ready))} == {(path, query) for path, _, query in split}


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Instance]:
    async with open_instance(load(tmp_path, [], {}), Clock(NOON)) as found:
        yield found


async def test_only_so_many_links_are_kept_ready_and_no_endless_one(instance: Instance) -> None:
    settings = DeliverySettings(links=2)
    response_cache = ResponseCache(instance.services, settings, BodyCache(settings), Hosts(()))
    instance.services.record_cache.extend_freshness(float("inf"))
    known = CachedImage(await instance.add(), {}, is_valid=True)

    def scope(path: str, query: bytes = b"") -> dict[str, Any]:
        headers = [(b"host", b"localhost"), (b"if-none-match", b'"tag"')]
        return {"method": "GET", "raw_path": path.encode(), "query_string": query, "headers": headers}

    def put(path: str, query: bytes = b"") -> None:
        ready = CachedResponse(path, known, 0, b'"tag"', None, [(b"etag", b'"tag"')], [], None)
        response_cache.put((path.encode(), query), ready)

    put("/a")
    put("/b")
    assert response_cache.find(scope("/a")) is not None
    put("/c")
    assert [response_cache.find(scope(path)) is not None for path in ("/a", "/b", "/c")] == [
        True,
        False,
        True,
    ]
    put("/d" * MAX_LINK)
    put("/d", b"x" * (MAX_LINK + 1))
    assert response_cache.find(scope("/d" * MAX_LINK)) is None
    assert response_cache.find(scope("/d", b"x" * (MAX_LINK + 1))) is None
    instance.services.record_cache.extend_freshness(float("-inf"))
    assert response_cache.find(scope("/a")) is None
    instance.services.record_cache.extend_freshness(float("inf"))
    assert response_cache.find(scope("/a")) is not None
    known.is_valid = False
    assert response_cache.find(scope("/a")) is None


@pytest.mark.parametrize(
    ("left", "expected_value"),
    [(10.0, b"10"), (9.999, b"9"), (0.5, b"0"), (61, b"60"), (0.0, None), (-5, None)],
)
def test_nobody_keeps_a_picture_for_longer_than_its_link_lives(
    left: float, expected_value: bytes | None
) -> None:
    cache_policy = CachePolicy(60, public=False, expires=(NOON + timedelta(seconds=left)).timestamp())
    expected = None if expected_value is None else (b"cache-control", b"private, max-age=" + expected_value)
    assert cache_policy.header(NOON) == expected
    forever = CachePolicy(60, public=True, expires=None)
    assert forever.header(NOON) == (b"cache-control", b"public, max-age=60")


@pytest.mark.parametrize("pictures_too", [True, False])
def test_every_delivery_is_in_the_log_unless_pictures_are_left_out(
    tmp_path: Path, *, pictures_too: bool
) -> None:
    data, log_path = tmp_path / "library", tmp_path / "log"
    token = make_token(data, "native")
    command = [TINTYPE, "serve", "--data", str(data), "--port", "0"]
    env = {"TINTYPE_LOGS_PICTURES": str(pictures_too).lower(), "PATH": "/usr/bin:/bin"}
    with log_path.open("a") as file, subprocess.Popen(command, stderr=file, env=env) as process:
        try:
            with httpx.Client(
                base_url=announced(log_path), headers={"Authorization": f"Bearer {token}"}
            ) as client:
                image = client.post("/v1/images", content=PHOTO).json()
                answers = [client.get(image["url"]) for _ in range(50)]
                tag = {"If-None-Match": answers[0].headers["etag"]}
                answers += [client.get(image["url"], headers=tag), client.head(image["url"])]
                refused = client.get(image["url"] + "x")
        finally:
            process.terminate()
    lines = {line["request_id"]: line for line in entries(log_path.read_text()) if "request_id" in line}
    path = httpx.URL(image["url"]).path
    assert lines[refused.headers["request-id"]]["status"] == 403
    for answer in answers:
        line = lines.get(answer.headers["request-id"])
        assert (line is not None) == pictures_too
        if line is not None:
            values = [
                line[name] for name in ("event", "level", "method", "path", "status", "account", "token")
            ]
            request = answer.request.method
            assert values == ["request", "info", request, path, answer.status_code, None, None]
            assert line["ms"] >= 0
            assert abs(datetime.now(UTC) - datetime.fromisoformat(line["time"])) < timedelta(minutes=5)


def test_below_a_base_path_pictures_are_ready_there_alone(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_BASE_PATH="/context")
    with httpx.Client(headers={"Authorization": f"Bearer {service.token('native')}"}) as client:
        image = client.post(f"{service.base_url}/v1/images", content=PHOTO).json()
        outside = image["url"].replace("/context", "")
        for _ in range(3):
            assert client.get(image["url"]).content == PHOTO
            assert client.get(outside).status_code == 404
