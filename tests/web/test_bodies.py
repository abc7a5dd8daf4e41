"""Request bodies as clients send them: whole, in chunks, too long, cut short; and the names with them."""

import hashlib
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import pictures
from tests.programs import required
from tests.running import Running, running
from tests.waiting import until
from tests.web.conftest import LONG, connect, converse, request, status
from tintype.web.bodies import filename

MAX_BYTES = 300_000
ROOM = 10_000
"""What a form may hold besides the file."""

PICTURE = pictures.jpeg(120, 90, seed=5)
FORM_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
FORM_TAIL = b"\r\n--b--\r\n"
FORM = FORM_HEAD + PICTURE + FORM_TAIL
FORM_TYPE = "Content-Type: multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that takes originals of at most MAX_BYTES."""
    limits = {"TINTYPE_IMAGES_MAX_BYTES": str(MAX_BYTES), "TINTYPE_NATIVE_MAX_BODY_BYTES": str(ROOM)}
    with running(tmp_path_factory.mktemp("small") / "library", "serve", limits) as service:
        yield service


@pytest.fixture(scope="module")
def pass_(small: Running) -> str:
    """A token for it."""
    return small.token("native")


@pytest.fixture(scope="module")
def sender(small: Running, pass_: str) -> Iterator[httpx.Client]:
    """A client with that token."""
    with httpx.Client(base_url=small.base_url, headers={"Authorization": f"Bearer {pass_}"}) as found:
        yield found


def incoming(service: Running) -> list[Path]:
    return list((service.data / "incoming").iterdir())


def wait_until_empty(service: Running) -> None:
    """Wait for the service to notice that a client is gone; fail if it never does."""
    until(lambda: not incoming(service), LONG, "an upload that broke off left its file behind")


def wait_until_begun(service: Running) -> None:
    until(lambda: bool(incoming(service)), LONG, "the upload never began")


def count(sender: httpx.Client) -> int:
    return len(sender.get("/v1/images", params={"limit": 1000}).json()["images"])


def chunked(body: bytes, size: int) -> bytes:
    """A body in the chunked coding (RFC 9112, 7.1), with an extension and a trailer, which are allowed."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        b"".join(b"%x;note=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nX-Trailer: 1\r\n\r\n"
    )


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_a_body_in_chunks_of_any_size_is_taken(small: Running, pass_: str, size: int) -> None:
    body = chunked(PICTURE, size)
    answer = converse(
        small, request("POST", "/v1/images", "Transfer-Encoding: chunked", token=pass_, body=body)
    )
    assert status(answer) == 201
    assert hashlib.sha256(PICTURE).hexdigest().encode() in answer


@pytest.mark.parametrize("size", [1, 3, 50, 10**6])
def test_a_form_in_chunks_of_any_size_is_taken(small: Running, pass_: str, size: int) -> None:
    headers = ("Transfer-Encoding: chunked", FORM_TYPE)
    answer = converse(small, request("POST", "/v1/images", *headers, token=pass_, body=chunked(FORM, size)))
    assert status(answer) == 201
    assert hashlib.sha256(PICTURE).hexdigest().encode() in answer


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; charset=utf-8"])
def test_a_missing_boundary_is_read_off_the_body(small: Running, pass_: str, boundary: str) -> None:
    headers = (f"Content-Type: multipart/form-data{boundary}", f"Content-Length: {len(FORM)}")
    assert status(converse(small, request("POST", "/v1/images", *headers, token=pass_, body=FORM))) == 201


def padded(size: int) -> bytes:
    """A JPEG of exactly so many bytes: what lies behind its end is passed over."""
    return PICTURE + bytes(size - len(PICTURE))


def test_the_largest_body_is_taken_and_one_byte_more_is_not(sender: httpx.Client) -> None:
    assert sender.post("/v1/images", content=padded(MAX_BYTES)).status_code == 201
    assert sender.post("/v1/images", content=padded(MAX_BYTES + 1)).status_code == 413


def test_the_largest_file_of_a_form_is_taken_and_one_byte_more_is_not(sender: httpx.Client) -> None:
    assert sender.post("/v1/images", files={"file": ("a.jpg", padded(MAX_BYTES))}).status_code == 201
    answer = sender.post("/v1/images", files={"file": ("a.jpg", padded(MAX_BYTES + 1))})
    assert (answer.status_code, answer.json()["field"]) == (413, "file")


def test_a_form_of_much_besides_the_file_is_too_large(sender: httpx.Client) -> None:
    note = {"note": "x" * (MAX_BYTES + ROOM)}
    answer = sender.post("/v1/images", data=note, files={"file": ("a.jpg", PICTURE)})
    assert (answer.status_code, answer.json()["field"]) == (413, "body")


def pieces(total: int) -> Iterator[bytes]:
    for _ in range(total // 50_000):
        yield bytes(50_000)


@pytest.mark.parametrize("size", [MAX_BYTES + 50_000, 5_000_000, 40_000_000])
def test_too_large_an_upload_is_told_so_while_it_still_sends(
    sender: httpx.Client, small: Running, size: int
) -> None:
    before = count(sender)
    responses = [
        sender.post("/v1/images", content=bytes(size)),
        sender.post("/v1/images", content=pieces(size)),
        sender.post("/v1/images", files={"file": ("a.jpg", bytes(size))}),
    ]
    assert [answer.status_code for answer in responses] == [413] * len(responses)
    assert {answer.json()["type"] for answer in responses} == {"urn:tintype:error:too-large"}
    assert count(sender) == before
    assert incoming(small) == []


@pytest.mark.parametrize(
    "how",
    [
        ["--data-binary"],
        ["-H", "Expect:", "--data-binary"],
        ["-H", "Transfer-Encoding: chunked", "--data-binary"],
        ["-T"],
        ["-F"],
    ],
)
def test_curl_reads_that_its_upload_is_too_large(
    small: Running, pass_: str, tmp_path: Path, how: list[str]
) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(20_000_000))
    what = {"-F": f"file=@{file}", "-T": str(file)}.get(how[-1], f"@{file}")
    done = subprocess.run(
        [
            required("curl"), "--silent", "--show-error", "--max-time", str(LONG), "--noproxy", "*",
            "-X", "POST",
            "-H", f"Authorization: Bearer {pass_}", "--write-out", "%{http_code}", *how, what,
            f"{small.base_url}/v1/images",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("413")
    assert "urn:tintype:error:too-large" in done.stdout


@pytest.mark.parametrize("how", [["--data-binary"], ["-H", "Transfer-Encoding: chunked", "-T"]])
def test_curl_as_a_stranger_reads_that_it_is_one(small: Running, tmp_path: Path, how: list[str]) -> None:
    """It looks at the answer while it sends; most of its body is never read."""
    file = tmp_path / "large"
    file.write_bytes(bytes(60_000_000))
    what = str(file) if how[-1] == "-T" else f"@{file}"
    done = subprocess.run(
        [
            required("curl"), "--silent", "--max-time", str(LONG), "--noproxy", "*", "-X", "POST",
            "-H", "Expect:", "--write-out", "%{http_code}", *how, what, f"{small.base_url}/v1/images",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("401")
    assert "urn:tintype:error:no-token" in done.stdout


def test_a_stranger_hears_it_at_once_and_a_sender_after_all_was_sent(small: Running) -> None:
    headers = ("Content-Length: 5000000", "Expect: 100-continue")
    # Not a byte of the body is sent: who waits for "100 Continue" gets the refusal instead.
    answer = converse(small, request("POST", "/v1/images", *headers))
    assert status(answer) == 401
    assert httpx.post(f"{small.base_url}/v1/images", content=bytes(20_000_000)).status_code == 401
    assert httpx.post(f"{small.base_url}/v1/nothing", content=bytes(20_000_000)).status_code == 404


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "size"), [("/v1/images", 20_000_000), ("/v1/nothing", 10**6), ("/v1/media/nothing", 10**6)]
)
def test_who_reads_only_after_all_was_sent_reads_the_refusal(
    small: Running, pass_: str, path: str, size: int, *, is_chunked: bool
) -> None:
    """Where nobody looks at the token, whoever sends is a stranger, and 1 MiB of his is read."""
    body = bytes(size)
    coding = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {size}"
    sent = request("POST", path, coding, token=pass_, body=chunked(body, 10**5) if is_chunked else body)
    assert status(converse(small, sent)) in {404, 405, 413}


def test_who_waits_to_be_asked_is_asked(small: Running, pass_: str) -> None:
    headers = (f"Content-Length: {len(PICTURE)}", "Expect: 100-continue")
    with connect(small) as connection:
        connection.sendall(request("POST", "/v1/images", *headers, token=pass_))
        assert status(connection.recv(1000)) == 100
        connection.sendall(PICTURE)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert status(answer) == 201


def test_a_connection_goes_on_after_a_refused_body(small: Running, pass_: str) -> None:
    wrong = (
        f"POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: {len(PICTURE)}\r\n\r\n".encode() + PICTURE
    )
    answers = converse(small, wrong + request("GET", "/v1/images?limit=1", token=pass_))
    assert status(answers) == 401
    assert b"HTTP/1.1 200 OK" in answers


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([f"Content-Length: {len(PICTURE) + 1}"], PICTURE),
        (["Content-Length: 200000"], b""),
        (["Transfer-Encoding: chunked"], b"%x\r\n%b\r\n" % (len(PICTURE), PICTURE)),
        (["Transfer-Encoding: chunked"], b"%x\r\n%b" % (len(PICTURE) + 9, PICTURE)),
        (["Transfer-Encoding: chunked"], b"zz\r\n"),
        ([FORM_TYPE, f"Content-Length: {len(FORM) + 1}"], FORM),
        ([FORM_TYPE, f"Content-Length: {len(FORM)}"], FORM[:-1]),
        ([FORM_TYPE, f"Content-Length: {len(FORM)}"], FORM_HEAD + PICTURE[:500]),
        ([FORM_TYPE, f"Content-Length: {len(FORM)}"], FORM_HEAD[:20]),
    ],
)
def test_a_body_that_breaks_off_leaves_nothing(
    small: Running, sender: httpx.Client, pass_: str, headers: list[str], body: bytes
) -> None:
    before = count(sender)
    half = request("POST", "/v1/images", *headers, token=pass_, body=body)
    assert status(converse(small, half, stop_sending=True)) == 400
    assert count(sender) == before
    wait_until_empty(small)


@pytest.mark.parametrize("coding", ["Content-Length: 250000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("abruptly", [False, True])
def test_a_client_that_goes_away_leaves_nothing(
    small: Running, sender: httpx.Client, pass_: str, coding: str, *, abruptly: bool
) -> None:
    before = count(sender)
    body = PICTURE if "Length" in coding else b"%x\r\n%b\r\n" % (len(PICTURE), PICTURE)
    with connect(small) as connection:
        connection.sendall(request("POST", "/v1/images", coding, token=pass_, body=body))
        wait_until_begun(small)
        if abruptly:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until_empty(small)
    assert count(sender) == before


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("", None),
        ("attachment", None),
        ("attachment; filename=", None),
        ('attachment; filename=""', None),
        ('attachment; filename="a.png"', "a.png"),
        ("attachment; filename=a.png", "a.png"),
        ("attachment;filename=a b.png", "a b.png"),
        ("ATTACHMENT; FILENAME = a.png", "a.png"),
        ("filename=a.png", "a.png"),
        ('attachment; filename="a;b.png"; size=9', "a;b.png"),
        ('attachment; filename="a\\"b.png"', 'a"b.png'),
        ('attachment; filename="a%22b.png"', 'a"b.png'),
        ('attachment; filename="unclosed.png', "unclosed.png"),
        ('form-data; name="filename"; filename="a.png"', "a.png"),
        ("attachment; filename*=UTF-8''%e2%82%ac%20rates", "€ rates"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates", "£ rates"),
        ("attachment; filename*=UTF-8''b.png; filename=a.png", "b.png"),
        ("attachment; filename=a.png; filename*=UTF-8''b.png", "b.png"),
        ("attachment; filename=a.png; filename*=UTF-8''%ff", "a.png"),
        ("attachment; filename=a.png; filename*=undefined''b", "a.png"),
        ("attachment; filename=a.png; filename*=nonsense", "a.png"),
        ("attachment; filename=\"x; filename*=UTF-8''b.png\"", "x; filename*=UTF-8''b.png"),
        ("attachment; xfilename=a.png", None),
        ('attachment; filename="Отель.png"', "Отель.png"),
        ('attachment; filename="Отель.png"'.encode().decode("latin-1"), "Отель.png"),
        ('attachment; filename="\xe9t\xe9.png"', "été.png"),
    ],
)
def test_a_file_name_is_read_as_it_was_meant(disposition: str, name: str | None) -> None:
    assert filename(disposition) == name


@given(st.text() | st.text("attachment; filename*='\"\\%=UTF-8ab\r\n\t\x00"))
def test_any_disposition_has_a_name_or_none(disposition: str) -> None:
    assert filename(disposition) is None or filename(disposition)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\%'), min_size=1))
def test_a_name_that_is_sent_is_the_name_that_is_read(name: str) -> None:
    sent = name.encode().decode("latin-1")
    assert filename(f'attachment; filename="{sent}"') == name
