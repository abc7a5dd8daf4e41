"""Pictures delivered by temporary URLs, and their log lines."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from tests import pictures
from tests.dialects.smartsheet.client import UNKNOWN, Client, assert_refused, new_cell
from tests.running import TINTYPE, Running, make_token
from tests.waiting import until
from tintype.app import build_services, close_services
from tintype.cli.library import prepare_library
from tintype.core.access.auth import get_or_create_person
from tintype.core.library.deletion import delete
from tintype.model import Caller
from tintype.model.ids import parse_short

JPEG = pictures.jpeg(200, 100)
UNAUTHORIZED = (403, 1004, "You are not authorized to perform this action.")
EXPIRED = (403, 1004, "You are not authorized to perform this action: the link has expired.")


@pytest.fixture(scope="module")
def original(sheets: Client) -> str:
    (answer,) = sheets.answers({"imageId": sheets.add(JPEG)["id"]})
    return str(answer["url"])


def max_age(response: httpx.Response) -> int:
    private, age = response.headers["Cache-Control"].split(", ")
    assert private == "private"
    return int(age.removeprefix("max-age="))


def test_the_original(original: str) -> None:
    response = httpx.get(original)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    assert response.content == JPEG
    assert 1700 < max_age(response) <= 1860


def test_a_resized_picture(sheets: Client, original: str) -> None:
    (answer,) = sheets.answers({"imageId": urlsplit(original).path[-22:], "width": 50, "height": 50})
    response = httpx.get(answer["url"])
    picture = pictures.decode(response.content)
    assert (response.headers["Content-Type"], picture.size) == ("image/jpeg", (50, 50))
    assert 1700 < max_age(response) <= 1860


def test_head_and_ranges_and_conditions(original: str) -> None:
    whole = httpx.head(original)
    assert (whole.status_code, whole.content) == (200, b"")
    assert int(whole.headers["Content-Length"]) == len(JPEG)
    part = httpx.get(original, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, JPEG[10:20])
    assert httpx.get(original, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_a_range_beyond_the_end(original: str) -> None:
    response = httpx.get(original, headers={"Range": "bytes=999999-"})
    assert response.headers["Content-Range"] == f"bytes */{len(JPEG)}"
    assert_refused(response, 416, 1031)


@pytest.mark.parametrize(
    "change", [("v=1", "v=2"), ("exp=", "exp=9"), ("sig=", "sig=x"), ("&kid", "&w=1&h=1&kid")]
)
def test_a_changed_link(original: str, change: tuple[str, str]) -> None:
    response = httpx.get(original.replace(*change))
    assert_refused(response, *UNAUTHORIZED)
    assert response.headers["Cache-Control"] == "no-store"


def test_a_link_without_its_signature_says_nothing_of_the_image(original: str) -> None:
    there = httpx.get(original.partition("?")[0])
    absent = httpx.get(original.partition("?")[0][:-22] + UNKNOWN)
    assert_refused(there, *UNAUTHORIZED)
    assert_refused(absent, *UNAUTHORIZED)
    moved = httpx.get(original[: original.index("?") - 22] + UNKNOWN + original[original.index("?") :])
    assert_refused(moved, *UNAUTHORIZED)


def test_a_link_that_has_expired(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_SMARTSHEET_LINK_SECONDS="0")
    with httpx.Client(base_url=service.base_url) as http:
        client = Client(http, service.token("smartsheet"))
        response = client.request({"imageId": client.add(JPEG)["id"]})
        assert response.json()["urlExpiresInMillis"] == 0
        (answer,) = response.json()["imageUrls"]
        assert_refused(http.get(answer["url"]), *EXPIRED)


def test_links_survive_a_new_key_and_a_restart(serve: Callable[..., Running], tmp_path: Path) -> None:
    data = tmp_path / "library"
    service = serve(data)
    with httpx.Client() as http:
        http.base_url = service.base_url
        client = Client(http, service.token("smartsheet"))
        image = client.add(JPEG)["id"]
        before = client.answers({"imageId": image})[0]["url"]
        key = service.cli("keys", "rotate").split()[1].rstrip(".")
        assert http.get(before).content == JPEG
        again = serve(data)
        http.base_url = again.base_url
        after = client.answers({"imageId": image})[0]["url"]
        assert f"&kid={key}&" in after
        assert f"&kid={key}&" not in before
        # The first process still runs, and has never heard of the new key.
        for link in (before, after):
            for base_url in (service.base_url, again.base_url):
                path = link.removeprefix(service.base_url).removeprefix(again.base_url)
                assert http.get(base_url + path).content == JPEG


def test_every_reference_is_in_the_log_beside_the_request(tmp_path: Path) -> None:
    token = make_token(tmp_path, "smartsheet")
    body = [{"imageId": UNKNOWN}, {"imageId": UNKNOWN, "width": 0}, {}, {"imageId": "x" * 5000}]
    command = [TINTYPE, "serve", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        base_url = next(line.split()[-1] for line in process.stderr if line.startswith("tintype serves "))
        with httpx.Client(base_url=base_url) as http:
            client = Client(http, token)
            response = client.request(*body, smartsheet_integration_source="AI,Org,Source")
            thousand = client.request(*[{"imageId": UNKNOWN}] * 1000)
            refused = Client(http, "a-secret").request(*body)
        process.terminate()
        lines = [json.loads(line) for line in process.stderr if line.startswith("{")]
    errors = [each["error"] for each in response.json()["imageUrls"]]
    answered = {line["request_id"]: line for line in lines if line["event"] == "request"}
    line = answered[response.headers["Request-Id"]]
    assert line["items_refused"] == 4
    assert [each["ref_id"] for each in line["refused"]] == [error["refId"] for error in errors]
    assert [each["error_code"] for each in line["refused"]] == [5001, 1031, 1012, 5001]
    assert max(len(each["image_id"]) for each in line["refused"]) == 40
    assert line["integration_source"] == "AI,Org,Source"
    assert answered[refused.json()["refId"]]["status"] == 401
    # Of a thousand, one line tells: how many there were, and of the first what was wrong.
    many = answered[thousand.headers["Request-Id"]]
    assert (many["items_refused"], len(many["refused"])) == (1000, 25)
    assert {each["error"]["refId"].partition("-")[0] for each in thousand.json()["imageUrls"]} == {
        thousand.headers["Request-Id"]
    }
    assert token not in str(lines)
    assert "a-secret" not in str(lines)


def test_an_image_that_was_deleted(service: Running, sheets: Client) -> None:
    cell = new_cell()
    image = sheets.add(JPEG, cell)
    (answer,) = sheets.answers({"imageId": image["id"]})
    assert httpx.get(answer["url"]).content == JPEG
    asyncio.run(erase(service.data, image["id"]))
    wait_until_gone(answer["url"])
    assert_refused(httpx.get(answer["url"]), 404, 1006, "Not Found")
    assert_refused(httpx.get(answer["url"].replace("v=1", "v=2")), *UNAUTHORIZED)
    assert_refused(sheets.row(cell), 404, 1006, "Not Found")
    (gone,) = sheets.answers({"imageId": image["id"]})
    assert gone["error"]["errorCode"] == 5001


def wait_until_gone(url: str) -> None:
    """Another process deleted it: the service stops delivering it within a second."""
    until(lambda: httpx.get(url).status_code != 200)


async def erase(data: Path, image_id: str) -> None:
    """Delete an image beside the running service."""
    image = parse_short(image_id)
    assert image is not None
    services = build_services(prepare_library(data))
    account, person = await get_or_create_person(services, "sheets", "Administrator")
    await delete(services, Caller(account, person, UUID(int=0), "test", "", frozenset()), image)
    await close_services(services)
