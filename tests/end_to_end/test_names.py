"""File names, in every way in: Latin-1 bytes become letters, and a name stays one line of printable text."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests import pictures
from tests.end_to_end.asking import Asking, asking
from tests.running import Running

PICTURE = pictures.png(300, 300)

WayIn = Callable[[Asking, bytes], dict[str, str]]
"""Uploads the picture with a name, given as the bytes of the header; the answer is native's image."""


@pytest.fixture
def owner(demo: Running) -> Iterator[Asking]:
    with httpx.Client(base_url=demo.base_url, timeout=60) as http:
        yield asking(demo, http, "names")


def raw(owner: Asking, name: bytes) -> dict[str, str]:
    headers = {b"Content-Disposition": b'attachment; filename="' + name + b'"'}
    bearer = f"Bearer {owner.tokens['native']}".encode()
    answer = owner.http.post("/v1/images", content=PICTURE, headers={**headers, b"Authorization": bearer})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def multipart(owner: Asking, name: bytes) -> dict[str, str]:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = owner.native("POST", "/v1/images", content=form(b"file", name), headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def product(owner: Asking, name: bytes) -> dict[str, str]:
    path = f"/stores/store/products/{owner.product}/images"
    headers = {
        "X-Authorization": owner.tokens["evotor"],
        "Content-Type": "multipart/form-data; boundary=b",
    }
    answer = owner.http.post(path, content=form(b"datafile", name), headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(owner.native("GET", f"/v1/images/{answer.json()['id']}").json())


def cell(owner: Asking, name: bytes) -> dict[str, str]:
    headers = {
        b"Authorization": f"Bearer {owner.tokens['smartsheet']}".encode(),
        b"Content-Disposition": b'attachment; filename="' + name + b'"',
    }
    path = "/2.0/sheets/7/rows/7/columns/7/cellimages"
    answer = owner.http.post(path, content=PICTURE, headers=headers)
    assert answer.status_code == 200, answer.text
    newest: dict[str, str] = owner.native("GET", "/v1/images", params={"limit": "1"}).json()["images"][0]
    assert answer.json()["result"]["cells"][0]["value"] == newest["filename"]
    return newest


def form(field: bytes, name: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="' + field + b'"; filename="' + name + b'"\r\n\r\n'
    return head + PICTURE + b"\r\n--b--\r\n"


WAYS_IN = [raw, multipart, product, cell]


@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_the_bytes_of_a_name_are_latin_1_or_utf_8(owner: Asking, way_in: WayIn, encoding: str) -> None:
    image = way_in(owner, "änderung.png".encode(encoding))
    assert (image["name"], image["filename"]) == ("änderung", "änderung.png")


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_any_byte_of_a_name_is_taken(owner: Asking, way_in: WayIn) -> None:
    image = way_in(owner, b"\xe4\xff\xfe\xc3.png")
    assert image["name"] in {"äÿþÃ", "\ufffd" * 4}


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_a_name_keeps_no_controls_and_no_overrides(owner: Asking, way_in: WayIn) -> None:
    image = way_in(owner, "a\tb\u202egnp\u2069\u2028c\x85d.png".encode())
    assert image["filename"] == "a bgnp c d.png"


def test_an_encoded_name_keeps_no_line_breaks(owner: Asking) -> None:
    name = "two\r\nlines\u202e\a.png"
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    answer = owner.native("POST", "/v1/images", content=PICTURE, headers=headers)
    assert answer.json()["filename"] == "two  lines\ufffd.png"
    replaced = owner.native(
        "PUT",
        f"/v1/images/{answer.json()['id']}/original",
        content=pictures.png(9, 9),
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote('new' + name)}"},
    )
    assert replaced.json()["filename"] == "newtwo  lines\ufffd.png"


def test_an_imported_name_keeps_no_line_breaks(demo: Running, owner: Asking, tmp_path: Path) -> None:
    (tmp_path / "two\nlines\u202e\a.png").write_bytes(pictures.png(31, 13))
    demo.cli("import", str(tmp_path), "--account", "names")
    [newest] = owner.native("GET", "/v1/images", params={"limit": "1"}).json()["images"]
    assert newest["filename"] == "two lines\ufffd.png"
