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
from tests.core.conftest import Clock, Town, founded
from tests.core.counting import count
from tests.core.following import until
from tests.running import TINTYPE, Running, make_token
from tests.service_log import announced, entries
from tests.web.door import NOON, Door, opened
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
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(tmp_path) as found:
        yield found


def lose_everything(data: Path) -> None:
    """Whatever is answered after this was in memory. (The service may be tidying up there just now.)"""
    for folder in ("originals", "renditions"):
        shutil.rmtree(data / folder, ignore_errors=True)


@pytest.mark.parametrize("recipe", [None, Recipe(width=60)])
async def test_a_picture_asked_for_again_needs_no_file(door: Door, recipe: Recipe | None) -> None:
    link = door.link(await door.town.add(data=PHOTO), recipe)
    first = await door.ask_twice(link)
    assert (first.status, len(first.body)) == (200, int(first.headers["content-length"]))
    lose_everything(door.town.data)
    for _ in range(3):
        again = await door.ask(link)
        assert (again.status, again.body) == (200, first.body)
        assert again.headers | {"request-id": ""} == first.headers | {"request-id": ""}
        assert again.headers["request-id"] != first.headers["request-id"]
    assert recipe is not None or first.body == PHOTO
    head = await door.ask(link, "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(first.body)))
    part = await door.ask(link, Range="bytes=10-19")
    assert (part.status, part.body) == (206, first.body[10:20])


@pytest.mark.parametrize("condition", [{}, {"If_None_Match": "*"}])
async def test_what_is_asked_for_once_takes_no_memory(door: Door, condition: dict[str, str]) -> None:
    link = door.link(await door.town.add(data=PHOTO))
    assert (await door.ask(link, **condition)).status in {200, 304}
    lose_everything(door.town.data)
    assert (await door.ask(link)).status == 500


async def test_a_rendition_in_memory_counts_as_used_and_an_original_is_left_alone(door: Door) -> None:
    image = await door.town.add(data=PHOTO)
    original_file = door.town.original(image.sha256)
    for recipe, is_touched in ((None, False), (Recipe(width=60), True)):
        await door.ask_twice(door.link(image, recipe))
        files = [original_file, *(door.town.data / "renditions").glob("*/*/*.jpg")]
        os.utime(files[-1], (1000, 1000))
        # The long way, with the picture in memory.
        assert (await door.ask(door.link(image, recipe), Range="bytes=0-9")).status == 206
        assert (files[-1].stat().st_mtime > 1000) == is_touched


@pytest.mark.parametrize("recipe", [None, Recipe(width=60)])
@pytest.mark.parametrize("first", ["GET", "304"])
async def test_what_the_client_has_is_told_from_memory(door: Door, recipe: Recipe | None, first: str) -> None:
    image = await door.town.add(data=PHOTO)
    link = door.link(image, recipe)
    told = (await door.ask_twice(door.link(image, recipe, int(NOON.timestamp()) + 9))).headers
    tag, modified = told["etag"], told["last-modified"]
    whole = await door.ask(link) if first == "GET" else await door.ask(link, If_None_Match=tag)
    lose_everything(door.town.data)
    for method in ("GET", "HEAD"):
        answer = await door.ask(link, method, If_None_Match=tag, If_Modified_Since="nonsense")
        assert (answer.status, answer.body) == (304, b"")
        for name in ("etag", "cache-control", "access-control-allow-origin"):
            assert answer.headers[name] == whole.headers[name]
        assert not {"content-disposition", "last-modified"} & answer.headers.keys()
    for tags in (f"W/{tag}", f'"other", {tag}', "*"):
        assert (await door.ask(link, If_None_Match=tags)).status == 304
    assert (await door.ask(link, If_Modified_Since=modified)).status == 304
    assert (await door.ask(link, If_None_Match='"other"', If_Modified_Since=modified)).status == 200


async def test_a_link_that_expires_is_kept_ready_until_it_does(door: Door) -> None:
    link = door.link(await door.town.add(data=PHOTO), expires=int(NOON.timestamp()) + 600)
    ages = []
    for seconds in (0, 1, 0.5, 100, 498.4):
        door.clock.go(seconds=seconds)
        answer = await door.ask(link)
        ages.append((answer.status, answer.headers["cache-control"]))
    # Never longer than it lives: of a second begun nothing is promised.
    assert ages == [(200, f"private, max-age={left}") for left in (600, 599, 598, 498, 0)]
    door.clock.go(seconds=0.1)
    for method in ("GET", "HEAD"):
        for condition in ({}, {"If_None_Match": answer.headers["etag"]}):
            refused = await door.ask(link, method, **condition)
            assert (refused.status, refused.headers["cache-control"]) == (403, "no-store")
    assert json.loads((await door.ask(link)).body)["type"] == "urn:tintype:error:expired-link"


async def test_every_link_to_an_image_ends_with_it(door: Door) -> None:
    caller = {"authorization": f"Bearer {make_token(door.town.data, 'native', 'north')}"}
    image = await door.town.add(data=PHOTO, filename="photo.jpg")
    ready = [door.link(image), door.link(image, Recipe(width=60)), f"/flag/flag_{2 * image.number}.jpg"]
    for link in ready * 3:
        assert (await door.ask(link)).status == 200
    assert (await door.ask(f"/v1/images/{image.id}", "DELETE", **caller)).status == 204
    assert [(await door.ask(link)).status for link in ready] == [404] * 3


async def test_what_is_ready_ends_with_the_key_that_signed_its_link(door: Door) -> None:
    image = await door.town.add(data=PHOTO)
    old, keyring = door.link(image), door.app._services.keyring  # noqa: SLF001  the ring that the cache looks at
    assert (await door.ask_twice(old)).status == 200
    first = keyring.all()[0].id
    keyring.add(new_key())
    assert (await door.ask_twice(old)).status == 200
    assert keyring.remove(first)
    for _ in range(2):
        assert (await door.ask(old)).status == 403
    door.town.services.keyring.reload()
    assert (await door.ask_twice(door.link(image))).status == 200


async def test_a_large_picture_is_sent_from_its_file(tmp_path: Path) -> None:
    async with opened(tmp_path, TINTYPE_DELIVERY_PICTURE_BYTES="1000") as door:
        image = await door.town.add(data=PHOTO)
        for _ in range(2):
            answer = await door.ask(door.link(image))
            assert (answer.status, answer.body) == (200, b"")
            assert answer.file() == PHOTO
            part = await door.ask(door.link(image), Range="bytes=10-19")
            assert (part.status, part.body) == (206, PHOTO[10:20])
        tag = answer.headers["etag"]
        lose_everything(tmp_path)
        assert (await door.ask(door.link(image), If_None_Match=tag)).status == 304
        assert (await door.ask(door.link(image))).status == 500


@pytest.mark.parametrize("setting", ["PICTURE_BYTES", "MEMORY_BYTES"])
async def test_a_rendition_that_is_removed_is_made_again(tmp_path: Path, setting: str) -> None:
    async with opened(tmp_path, **{f"TINTYPE_DELIVERY_{setting}": "0"}) as door:
        link = door.link(await door.town.add(data=PHOTO), Recipe(width=60))
        sizes = set()
        for _ in range(3):
            answer = await door.ask(link)
            sizes.add(pictures.decode(answer.body or answer.file()).size)
            shutil.rmtree(tmp_path / "renditions", ignore_errors=True)
        assert sizes == {(60, 40)}


async def test_many_that_ask_at_once_for_the_first_time_are_all_answered(door: Door) -> None:
    image = await door.town.add(data=PHOTO)
    for link in (door.link(image), door.link(image, Recipe(width=60))):
        answers = await asyncio.gather(*(door.ask(link) for _ in range(30)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.picture() for answer in answers}) == 1


async def test_a_client_that_goes_away_does_not_wait_for_its_picture(tmp_path: Path) -> None:
    async with opened(tmp_path, TINTYPE_RENDERERS_COUNT="1") as door:
        image = await door.town.add(data=pictures.png(1500, 1500))
        long = Recipe(mode=Mode.SCALE, width=6000, height=6000)
        staying = asyncio.create_task(door.ask(door.link(image, long)))
        leaving = Door(door.app, door.town, door.clock)
        waiting = asyncio.create_task(leaving.ask(door.link(image, Recipe(width=61))))
        leaving.gone.set()
        assert not (await waiting).status
        assert not staying.done()
        assert (await staying).status == 200
        assert (await door.ask(door.link(image, Recipe(width=61)))).status == 200


@pytest.mark.parametrize("dialect", UPLOADS)
async def test_a_client_that_goes_away_does_not_wait_for_its_upload(tmp_path: Path, dialect: str) -> None:
    async with opened(tmp_path, TINTYPE_RENDERERS_COUNT="1") as door:
        path, content, headers = UPLOADS[dialect](make_token(door.town.data, dialect, "north"))
        image = await door.town.add(data=pictures.png(1500, 1500))
        long = Recipe(mode=Mode.SCALE, width=6000, height=6000)
        staying = asyncio.create_task(door.ask(door.link(image, long)))
        leaving = Door(door.app, door.town, door.clock)
        headers |= {"content_length": str(len(content))}
        waiting = asyncio.create_task(leaving.send(path, "POST", headers, content))
        workers = door.app._services.workers  # noqa: SLF001  there is no other way to see the queue
        await until(lambda: count(workers.counters.waiting) == 1)
        leaving.gone.set()
        assert not (await waiting).status
        assert count(workers.counters.waiting) == 0
        assert not staying.done()
        assert (await staying).status == 200
        assert not list((tmp_path / "incoming").iterdir())


async def test_an_upload_may_wait_longer_than_its_body_may_stand_still(tmp_path: Path) -> None:
    brief = {"TINTYPE_RENDERERS_COUNT": "1", "TINTYPE_WEB_BODY_IDLE_SECONDS": "0.001"}
    async with opened(tmp_path, **brief) as door:
        path, content, headers = native(make_token(door.town.data, "native", "north"))
        image = await door.town.add(data=pictures.png(1500, 1500))
        before = asyncio.create_task(door.ask(door.link(image, Recipe(width=900))))
        workers = door.app._services.workers  # noqa: SLF001  there is no other way to see the slots
        await until(lambda: bool(workers._running))  # noqa: SLF001
        upload = await door.send(path, "POST", headers | {"content_length": str(len(content))}, content)
        assert (upload.status, (await before).status) == (201, 200)


async def test_pictures_in_memory_have_room_for_so_many_bytes(town: Town) -> None:
    kept = BodyCache(DeliverySettings(memory_bytes=100 + 3 * BODY_OVERHEAD_BYTES, picture_bytes=60))
    image = await town.add()

    def picture(tag: str, size: int) -> Picture:
        return msgspec.structs.replace(original(town.services, image), tag=tag, size=size)

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


async def test_only_links_in_the_spelling_that_we_write_are_kept_ready(door: Door) -> None:
    image = await door.town.add(data=PHOTO, filename="photo.jpg")
    path, number = f"/Media/Image/{image.id}", 2 * image.number
    flags = [f"/flag/flag_{number}.jpg", f"/flag/flag_{number + 1}.jpg"]
    written = [f"{path}?Mode=Fit&Width=60&Height=40", *flags]
    others = [
        f"{path}?Width=60&Mode=Fit&Height=40",
        f"{path}?Mode=4&Width=60&Height=40",
        f"{path}?Mode=Fit&Width=060&Height=40",
        f"{path}?Width=60&Height=40",
        *(f"{written[0]}&utm={at}" for at in range(20)),
        *(f"{written[0]}{'&Mode=Fit' * at}" for at in range(1, 20)),
        f"{path.upper().replace('/MEDIA/IMAGE', '/Media/Image')}?Mode=Fit&Width=60&Height=40",
        f"{path.replace('-', '%2D')}?Mode=Fit&Width=60&Height=40",
        *(f"/flag/flag_{number}.{extension}" for extension in ("JPG", "Jpg", "jPG")),
        *(f"{written[1]}?{at}" for at in range(20)),
        f"/fl%61g/flag_{number}.jpg",
    ]
    for link in [*written, *others]:
        answers = [(await door.ask(link)).status for _ in range(3)]
        assert answers == [200] * 3, link
    ready = door.app._response_cache._responses  # noqa: SLF001  there is no other way to see it
    split = [link.encode().partition(b"?") for link in written]
    assert {key for key, _ in ready.oldest(len(ready))} == {(path, query) for path, _, query in split}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with founded(load(tmp_path, [], {}), Clock(NOON)) as found:
        yield found


async def test_only_so_many_links_are_kept_ready_and_no_endless_one(town: Town) -> None:
    settings = DeliverySettings(links=2)
    response_cache = ResponseCache(town.services, settings, BodyCache(settings), Hosts(()))
    town.services.record_cache.extend_freshness(float("inf"))
    known = CachedImage(await town.add(), {}, is_valid=True)

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
    town.services.record_cache.extend_freshness(float("-inf"))
    assert response_cache.find(scope("/a")) is None
    town.services.record_cache.extend_freshness(float("inf"))
    assert response_cache.find(scope("/a")) is not None
    known.is_valid = False
    assert response_cache.find(scope("/a")) is None


@pytest.mark.parametrize(
    ("left", "told"), [(10.0, b"10"), (9.999, b"9"), (0.5, b"0"), (61, b"60"), (0.0, None), (-5, None)]
)
def test_nobody_keeps_a_picture_for_longer_than_its_link_lives(left: float, told: bytes | None) -> None:
    cache_policy = CachePolicy(60, public=False, expires=(NOON + timedelta(seconds=left)).timestamp())
    expected = None if told is None else (b"cache-control", b"private, max-age=" + told)
    assert cache_policy.header(NOON) == expected
    forever = CachePolicy(60, public=True, expires=None)
    assert forever.header(NOON) == (b"cache-control", b"public, max-age=60")


@pytest.mark.parametrize("pictures_too", [True, False])
def test_every_delivery_is_in_the_log_unless_pictures_are_left_out(
    tmp_path: Path, *, pictures_too: bool
) -> None:
    data, written = tmp_path / "library", tmp_path / "log"
    token = make_token(data, "native")
    command = [TINTYPE, "serve", "--data", str(data), "--port", "0"]
    env = {"TINTYPE_LOGS_PICTURES": str(pictures_too).lower(), "PATH": "/usr/bin:/bin"}
    with written.open("a") as file, subprocess.Popen(command, stderr=file, env=env) as process:
        try:
            with httpx.Client(
                base_url=announced(written), headers={"Authorization": f"Bearer {token}"}
            ) as client:
                image = client.post("/v1/images", content=PHOTO).json()
                answers = [client.get(image["url"]) for _ in range(50)]
                tag = {"If-None-Match": answers[0].headers["etag"]}
                answers += [client.get(image["url"], headers=tag), client.head(image["url"])]
                refused = client.get(image["url"] + "x")
        finally:
            process.terminate()
    lines = {line["request_id"]: line for line in entries(written.read_text()) if "request_id" in line}
    path = httpx.URL(image["url"]).path
    assert lines[refused.headers["request-id"]]["status"] == 403
    for answer in answers:
        line = lines.get(answer.headers["request-id"])
        assert (line is not None) == pictures_too
        if line is not None:
            told = [line[name] for name in ("event", "level", "method", "path", "status", "account", "token")]
            request = answer.request.method
            assert told == ["request", "info", request, path, answer.status_code, None, None]
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
