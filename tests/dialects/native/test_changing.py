"""Images are archived, restored, and their originals replaced."""

import hashlib
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests import pictures
from tests.running import Running

FIRST, SECOND = pictures.png(30, 20, seed=71), pictures.jpeg(60, 40, seed=72)


@pytest.fixture
def image(client: httpx.Client) -> dict[str, str]:
    headers = {"Content-Disposition": 'attachment; filename="harbour.png"'}
    answer = client.post("/v1/images", content=FIRST, headers=headers)
    assert answer.status_code == 201
    found: dict[str, str] = answer.json()
    return found


def test_an_archived_image_is_listed_but_its_links_are_dead_until_it_is_brought_back(
    client: httpx.Client, anyone: httpx.Client, image: dict[str, str]
) -> None:
    path = f"/v1/images/{image['id']}"
    for _ in range(2):
        assert anyone.get(image["url"]).content == FIRST
        archived = client.patch(path, json={"status": "archived"})
        assert (archived.status_code, archived.json()["status"]) == (200, "archived")
        assert archived.headers["cache-control"] == "no-store"
        assert client.get(path).json() == archived.json()
        for condition in ({}, {"If-None-Match": "*"}, {"Range": "bytes=0-1"}):
            assert anyone.get(image["url"], headers=condition).status_code == 404
        assert client.patch(path, json={"status": "active"}).json()["status"] == "active"


def test_a_status_that_it_has_already_is_no_change(client: httpx.Client, image: dict[str, str]) -> None:
    assert client.patch(f"/v1/images/{image['id']}", json={"status": "active"}).json() == image


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "status"),
        (b"[]", "status"),
        (b"null", "status"),
        (b'"archived"', "status"),
        (b'{"status": null}', "status"),
        (b'{"status": 2}', "status"),
        (b'{"status": "ARCHIVED"}', "status"),
        (b'{"status": ["archived"]}', "status"),
        (b'{"status": "archived", "name": "x"}', "name"),
    ],
)
def test_anything_but_a_status_is_invalid(
    client: httpx.Client, image: dict[str, str], body: bytes, field: str
) -> None:
    answer = client.patch(f"/v1/images/{image['id']}", content=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:invalid")
    assert answer.json()["field"] == field
    assert client.get(f"/v1/images/{image['id']}").json() == image


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"status": "archived"', b"[" * 100_000])
def test_a_change_that_is_no_json_is_malformed(
    client: httpx.Client, image: dict[str, str], body: bytes
) -> None:
    answer = client.patch(f"/v1/images/{image['id']}", content=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:malformed")


@pytest.mark.parametrize("multipart", [False, True])
def test_an_image_is_given_other_bytes(
    client: httpx.Client, anyone: httpx.Client, image: dict[str, str], *, multipart: bool
) -> None:
    assert anyone.get(image["url"]).content == FIRST
    path = f"/v1/images/{image['id']}/original"
    if multipart:
        answer = client.put(path, files={"file": ("after.JPG", SECOND)})
    else:
        headers = {"Content-Disposition": 'attachment; filename="after.JPG"'}
        answer = client.put(path, content=SECOND, headers=headers)
    changed = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    kept = ("id", "number", "status", "created_by", "created_at")
    assert [changed[name] for name in kept] == [image[name] for name in kept]
    assert {
        name: changed[name] for name in ("version", "filename", "format", "width", "bytes", "sha256")
    } == {
        "version": 2,
        "filename": "after.JPG",
        "format": "jpeg",
        "width": 60,
        "bytes": len(SECOND),
        "sha256": hashlib.sha256(SECOND).hexdigest(),
    }
    assert client.get(f"/v1/images/{image['id']}").json() == changed
    assert parse_qs(urlsplit(changed["url"]).query)["v"] == ["2"]
    assert anyone.get(changed["url"]).content == SECOND
    assert anyone.get(image["url"]).status_code == 404


def test_without_a_name_an_image_keeps_its_own(client: httpx.Client, image: dict[str, str]) -> None:
    path = f"/v1/images/{image['id']}/original"
    assert client.put(path, content=SECOND).json()["filename"] == "harbour.png"
    unnamed = {"file": (None, SECOND)}
    assert client.put(path, files=unnamed).json()["filename"] == "harbour.png"


def test_bytes_that_are_no_image_change_nothing(
    client: httpx.Client, anyone: httpx.Client, image: dict[str, str]
) -> None:
    answer = client.put(f"/v1/images/{image['id']}/original", content=b"no image at all")
    assert answer.status_code == 415
    assert client.get(f"/v1/images/{image['id']}").json() == image
    assert anyone.get(image["url"]).content == FIRST


@pytest.mark.parametrize(("method", "end"), [("PATCH", ""), ("PUT", "/original")])
def test_only_who_may_write_changes_what_is_theirs(
    client: httpx.Client, reader: httpx.Client, demo: Running, image: dict[str, str], method: str, end: str
) -> None:
    body = b'{"status": "archived"}' if method == "PATCH" else SECOND
    refused = reader.request(method, f"/v1/images/{image['id']}{end}", content=body)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tintype:error:forbidden")
    for id in (str(uuid4()), demo.info["foreign_image_id"], "x"):
        missing = client.request(method, f"/v1/images/{id}{end}", content=body)
        assert (missing.status_code, missing.json()["type"]) == (404, "urn:tintype:error:not-found")
    assert client.get(f"/v1/images/{image['id']}").json() == image
