"""`POST /v1/images`: accepted uploads, and the response."""

import hashlib
import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from PIL import Image

from tests import pictures
from tests.running import Running
from tests.tiffs import GREY, OLD_JPEG, Tiff, gradient

FIELDS = [
    "id",
    "short_id",
    "number",
    "name",
    "filename",
    "extension",
    "format",
    "media_type",
    "bytes",
    "sha256",
    "width",
    "height",
    "frames",
    "status",
    "version",
    "created_by",
    "created_at",
    "modified_at",
    "thumbhash",
    "colour",
    "url",
]


def test_an_uploaded_image_is_told_of_in_full(client: httpx.Client) -> None:
    data = pictures.jpeg(300, 200, seed=11)
    before = datetime.now(UTC)
    answer = client.post(
        "/v1/images", content=data, headers={"Content-Disposition": 'attachment; filename="harbour.JPG"'}
    )
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    image = answer.json()
    assert list(image) == FIELDS
    assert b64decode(image["short_id"] + "==", "-_") == UUID(image["id"]).bytes
    assert answer.headers["location"] == str(client.base_url.join(f"/v1/images/{image['id']}"))
    properties = {name: image[name] for name in FIELDS[3:16]}
    assert properties == {
        "name": "harbour",
        "filename": "harbour.JPG",
        "extension": "JPG",
        "format": "jpeg",
        "media_type": "image/jpeg",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "width": 300,
        "height": 200,
        "frames": 1,
        "status": "active",
        "version": 1,
        "created_by": "Zoë Ørsted",
    }
    assert image["created_at"] == image["modified_at"]
    assert image["created_at"].endswith("Z")
    created = datetime.fromisoformat(image["created_at"])
    assert before - timedelta(seconds=1) <= created <= datetime.now(UTC) + timedelta(seconds=1)
    assert re.fullmatch(r"#[0-9a-f]{6}", image["colour"])
    assert 20 <= len(b64decode(image["thumbhash"], validate=True)) <= 25


def test_the_colour_is_that_of_the_picture(client: httpx.Client) -> None:
    red = pictures.encode(Image.new("RGB", (30, 20), (230, 20, 20)), "png")
    assert client.post("/v1/images", content=red).json()["colour"] == "#e61414"


def test_the_location_shows_the_same_image_and_its_url_the_same_bytes(
    client: httpx.Client, anyone: httpx.Client
) -> None:
    data = pictures.png(64, 48, seed=12)
    answer = client.post("/v1/images", content=data)
    assert client.get(answer.headers["location"]).json() == answer.json()
    assert anyone.get(answer.json()["url"]).content == data


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
@pytest.mark.parametrize(
    "claimed", [None, "text/plain", "png", "", 'image/x-unknown; q="', "application/json"]
)
def test_the_bytes_decide_the_type_whatever_is_claimed(
    client: httpx.Client, anyone: httpx.Client, kind: str, claimed: str | None
) -> None:
    headers = {} if claimed is None else {"Content-Type": claimed}
    answer = client.post("/v1/images", content=pictures.picture(kind, 40, 30), headers=headers)
    assert answer.status_code == 201
    image = answer.json()
    assert (image["format"], image["media_type"]) == (kind, f"image/{kind}")
    assert (image["width"], image["height"]) == (40, 30)
    assert anyone.get(image["url"]).headers["content-type"] == f"image/{kind}"


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        (None, "image"),
        ("attachment", "image"),
        ('attachment; filename=""', "image"),
        ('attachment; filename="a b.png"', "a b.png"),
        ("attachment; filename=plain.png", "plain.png"),
        ("attachment; filename=\"x.png\"; filename*=UTF-8''%C3%A9t%C3%A9.png", "été.png"),
        ("attachment; filename*=utf-8'fr'%E2%82%AC.png; filename=x.png", "€.png"),
        ("attachment; filename*=UTF-8''%FF.png; filename=fallback.png", "fallback.png"),
        ("attachment; filename*=idna''x.png; filename=fallback.png", "fallback.png"),
        ('attachment; filename="/etc/passwd.png"', "passwd.png"),
        ('attachment; filename="C:\\\\Users\\\\me\\\\pic.png"', "pic.png"),
        ('attachment; filename="../../up.png"', "up.png"),
        ('attachment; filename=".."', "image"),
        ('attachment; filename="semi;colon.png"', "semi;colon.png"),
        ('attachment; filename="say \\"hi\\".png"', 'say "hi".png'),
        ('attachment; filename="Отель.png"', "Отель.png"),
        (f'attachment; filename="{"x" * 300}.png"', "x" * 251 + ".png"),
    ],
)
def test_the_name_is_taken_from_content_disposition(
    client: httpx.Client, disposition: str | None, filename: str
) -> None:
    headers = {} if disposition is None else {"Content-Disposition": disposition.encode()}
    answer = client.post("/v1/images", content=pictures.png(8, 8), headers=headers)  # type: ignore[arg-type]  # httpx sends bytes as they are
    assert answer.status_code == 201
    assert answer.json()["filename"] == filename


def test_a_form_is_taken_too(client: httpx.Client) -> None:
    data = pictures.webp(50, 40)
    answer = client.post("/v1/images", files={"file": ("crème.webp", data)}, data={"note": "overlooked"})
    assert answer.status_code == 201
    assert (answer.json()["filename"], answer.json()["sha256"]) == (
        "crème.webp",
        hashlib.sha256(data).hexdigest(),
    )


@pytest.mark.parametrize(
    "files",
    [
        [("picture", ("a.png", pictures.png(8, 8)))],
        [("file", ("a.png", pictures.png(8, 8))), ("file", ("b.png", pictures.png(9, 9)))],
    ],
)
def test_a_form_has_exactly_one_file(
    client: httpx.Client, files: list[tuple[str, tuple[str, bytes]]]
) -> None:
    answer = client.post("/v1/images", files=files)
    assert answer.status_code == 400
    assert (answer.json()["type"], answer.json()["field"]) == ("urn:tintype:error:invalid", "file")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"hello"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nxx'),
        ("multipart/form-data; boundary=b", b"--b\r\nno colon\r\n\r\nxx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nA: " + b"x" * 9000 + b"\r\n\r\nxx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' * 200),
        ("multipart/form-data", b"no boundary anywhere"),
        ("multipart/form-data; boundary=", b""),
    ],
)
def test_a_damaged_form_is_malformed(client: httpx.Client, content_type: str, body: bytes) -> None:
    answer = client.post("/v1/images", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:malformed")


@pytest.mark.parametrize("status", ["active", "archived"])
def test_an_image_starts_as_what_is_asked_for(client: httpx.Client, status: str) -> None:
    answer = client.post("/v1/images", params={"status": status}, content=pictures.png(8, 8))
    assert (answer.status_code, answer.json()["status"]) == (201, status)


@pytest.mark.parametrize("status", ["", "deleted", "Active", "1"])
def test_any_other_status_is_invalid(client: httpx.Client, status: str) -> None:
    answer = client.post("/v1/images", params={"status": status}, content=pictures.png(8, 8))
    assert (answer.status_code, answer.json()["field"]) == (400, "status")


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", 415, "unsupported"),
        (b"hello", 415, "unsupported"),
        (b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>", 415, "unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", 422, "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='30000' height='1'/>", 422, "too-large-side"),
        (b"\xff\x0a\x00\x00", 422, "damaged"),
        (b"%PDF-1.7", 415, "unsupported"),
        (Tiff(8, 8, gradient(3), compression=OLD_JPEG).encode(), 415, "unsupported"),
        (
            Tiff(8, 8, lambda *_: [0.5], samples=1, photometric=GREY, bits=64, format=3).encode(),
            415,
            "unsupported",
        ),
        (Tiff(8, 8, gradient(3), tile=(16, 16)).encode()[:100], 422, "damaged"),
        (pictures.jpeg(200, 100)[:-400], 422, "damaged"),
        (pictures.png(200, 100)[:-40], 422, "damaged"),
        (pictures.png_header(20_001, 10), 422, "too-large-side"),
        (pictures.png_header(19_000, 19_000), 422, "too-many-pixels"),
        (pictures.tiny_gif(1001), 422, "too-many-frames"),
    ],
)
def test_a_refused_picture_is_told_why(client: httpx.Client, data: bytes, status: int, reason: str) -> None:
    answer = client.post("/v1/images", content=data)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"], problem["reason"]) == (
        "urn:tintype:error:invalid-image",
        status,
        reason,
    )
    assert problem["detail"]


def test_refused_uploads_leave_nothing_behind(client: httpx.Client, demo: Running) -> None:
    count = len(client.get("/v1/images", params={"limit": 1000}).json()["images"])
    client.post("/v1/images", content=b"hello")
    client.post("/v1/images", content=pictures.png(200, 100)[:-40])
    client.post("/v1/images", files={"picture": ("a.png", pictures.png(8, 8))})
    assert len(client.get("/v1/images", params={"limit": 1000}).json()["images"]) == count
    assert list((demo.data / "incoming").iterdir()) == []


def test_the_same_bytes_make_two_images(client: httpx.Client, anyone: httpx.Client) -> None:
    data = pictures.png(33, 22, seed=77)
    first, second = (client.post("/v1/images", content=data).json() for _ in range(2))
    assert first["id"] != second["id"]
    assert first["sha256"] == second["sha256"]
    assert client.delete(f"/v1/images/{first['id']}").status_code == 204
    assert anyone.get(second["url"]).content == data


def test_the_size_is_as_a_person_sees_it(client: httpx.Client) -> None:
    image = client.post("/v1/images", content=pictures.oriented(6, 80, 60)).json()
    assert (image["width"], image["height"]) == (80, 60)
