"""Refused uploads: every broken rule is reported, and nothing is stored."""

from collections.abc import Callable

import pytest

from tests import extra_pictures, pictures
from tests.dialects.evotor.client import (
    MAX_BYTES,
    SIDE,
    Client,
    assert_failure,
    begin_upload,
    multipart,
    of_size,
    originals,
    reasons,
    sound,
)
from tests.running import Running
from tests.waiting import until

NOT_PNG = "The picture has to be a PNG."
DAMAGED = "The picture is damaged or cut short: it can't be decoded to its end."


def sides(width: int, height: int) -> str:
    return f"The picture is {width} by {height} pixels; it has to be 300 by 300."


def frames(count: int) -> str:
    return f"The picture is animated, with {count} frames; it has to have one."


def weight(size: int) -> str:
    return f"The picture has {size} bytes; at most 5242800 are accepted."


def one_bit_off(data: bytes) -> bytes:
    """The picture with a bit of its pixels turned, so that the checksum of the chunk tells."""
    at = data.index(b"IDAT") + 200
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("data", "broken"),
    [
        (b"", [NOT_PNG]),
        (b"not a picture", [NOT_PNG]),
        (extra_pictures.svg(width=300, height=300), [NOT_PNG]),
        (extra_pictures.heic(pictures.photo(300, 300)), [NOT_PNG]),
        (extra_pictures.jxl(pictures.photo(300, 300)), [NOT_PNG]),
        (pictures.jpeg(SIDE, SIDE), [NOT_PNG]),
        (pictures.jpeg(400, 400), [NOT_PNG, sides(400, 400)]),
        (pictures.jpeg(400, 400)[:-500], [NOT_PNG, sides(400, 400), DAMAGED]),
        (pictures.gif(SIDE, SIDE, frames=3), [NOT_PNG, frames(3)]),
        (pictures.webp(200, 100, frames=2), [NOT_PNG, sides(200, 100), frames(2)]),
        (pictures.png(299, 300), [sides(299, 300)]),
        (pictures.png(300, 301), [sides(300, 301)]),
        (pictures.png(1, 1), [sides(1, 1)]),
        (pictures.png_header(30_000, 30_000), [sides(30_000, 30_000)]),
        (pictures.apng(2, SIDE, SIDE), [frames(2)]),
        (pictures.apng(2, 10, 20), [sides(10, 20), frames(2)]),
        (sound()[:-1000], [DAMAGED]),
        (sound()[:-13], [DAMAGED]),  # the end chunk has 12 bytes, and may be missing
        (sound()[:20], [DAMAGED]),
        (one_bit_off(sound()), [DAMAGED]),
        (pictures.png(400, 400)[:-1000], [sides(400, 400), DAMAGED]),
        (of_size(MAX_BYTES + 1), [weight(MAX_BYTES + 1)]),
        (of_size(6_000_000), [weight(6_000_000)]),
        (bytes(6_000_000), [NOT_PNG, weight(6_000_000)]),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(len(value)),
)
def test_every_broken_rule_is_told(evotor: Client, demo: Running, data: bytes, broken: list[str]) -> None:
    before = originals(demo)
    assert reasons(evotor.upload(data)) == broken
    assert evotor.items() == []
    assert originals(demo) <= before


def test_the_largest_picture_is_taken(evotor: Client) -> None:
    data = of_size(MAX_BYTES)
    answer = evotor.upload(data)
    assert answer.status_code == 200, answer.text
    assert answer.json()["meta"]["file_size"] == MAX_BYTES


def test_an_animation_of_one_frame_stands_still(evotor: Client) -> None:
    plain = sound()
    one_frame = pictures.png_chunk(b"acTL", b"\0\0\0\1\0\0\0\0")
    assert evotor.upload(plain[:33] + one_frame + plain[33:]).status_code == 200


def test_a_request_without_the_field_breaks_a_rule(evotor: Client) -> None:
    answer = evotor.http.post(evotor.path, headers=evotor.headers, files={"file": ("a.png", sound())})
    assert reasons(answer) == ["A picture is required in the field datafile."]


def test_two_pictures_at_once_break_a_rule(evotor: Client) -> None:
    two = [("datafile", ("a.png", sound())), ("datafile", ("b.png", sound(2)))]
    answer = evotor.http.post(evotor.path, headers=evotor.headers, files=two)
    assert reasons(answer) == ["Only one datafile may be sent; this request has 2."]
    assert evotor.items() == []


def test_other_fields_are_overlooked(evotor: Client) -> None:
    files = [("note", ("a.txt", b"hello")), ("datafile", ("a.png", sound())), ("more", ("b.txt", b"x" * 99))]
    assert evotor.http.post(evotor.path, headers=evotor.headers, files=files).status_code == 200


@pytest.mark.parametrize("boundary", ["xyz", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "'()+_,-./:=? x"])
def test_a_boundary_that_the_header_lacks_is_read_off_the_body(evotor: Client, boundary: str) -> None:
    answer = evotor.post(multipart(sound(), boundary), "multipart/form-data")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=xyz", 'Multipart/Form-Data ;charset=UTF-8; boundary="xyz"',
     "multipart/form-data; boundary="],
)  # fmt: skip
def test_the_header_may_be_written_in_many_ways(evotor: Client, content_type: str) -> None:
    assert evotor.post(multipart(sound()), content_type).status_code == 200


def test_a_part_without_a_file_name_is_a_picture_too(evotor: Client) -> None:
    body = multipart(sound(), disposition='form-data; name="datafile"')
    assert evotor.post(body, "multipart/form-data; boundary=xyz").status_code == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _body: b"",
        lambda _body: b"--xyz",
        lambda body: body[: len(body) // 2],
        lambda body: body.removesuffix(b"--xyz--\r\n"),
        lambda body: body.removesuffix(b"--\r\n"),
        lambda body: body.replace(b"Content-Disposition", b"Content-Disposition" * 500),
        lambda body: body.replace(b"Content-Disposition", b"X-Nothing"),
        lambda body: body.replace(b"Content-Disposition: form-data", b"\xff\xfe"),
        lambda body: body.replace(b"\r\n", b"\n", 3),
        lambda body: body.replace(b"--xyz", b"--abc"),
        lambda _body: b"\x89PNG" + bytes(100_000),
        lambda body: body.replace(b"--xyz--", b"--xyz\r\nbroken\r\n\r\n--xyz--"),
    ],
)
@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=xyz", "multipart/form-data"])
def test_a_broken_body_is_a_bad_request(
    evotor: Client, spoil: Callable[[bytes], bytes], content_type: str, demo: Running
) -> None:
    body = spoil(multipart(sound()))
    if b"--abc" in body and "boundary" not in content_type:
        assert evotor.post(body, content_type).status_code == 200
        return
    assert assert_failure(evotor.post(body, content_type), 400, "bad_request")["violations"] == []
    assert evotor.items() == []
    assert list((demo.data / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    "content_type", [None, "", "image/png", "application/json", "multipart/mixed; boundary=xyz"]
)
def test_a_body_of_another_type_is_a_bad_request(evotor: Client, content_type: str | None) -> None:
    assert_failure(evotor.post(multipart(sound()), content_type), 400, "bad_request")


@pytest.mark.parametrize("size", [10 * 1024 * 1024 + 1, 30_000_000])
def test_a_request_over_ten_megabytes_is_too_large(evotor: Client, size: int) -> None:
    assert_failure(evotor.post(bytes(size), "multipart/form-data; boundary=xyz"), 413, "payload_too_large")
    assert_failure(evotor.upload(bytes(size)), 413, "payload_too_large")


def test_a_body_of_unknown_length_is_held_to_the_same_limit(evotor: Client) -> None:
    def chunks() -> list[bytes]:
        return [multipart(b"")[:-11], *[bytes(1024 * 1024)] * 11]

    headers = evotor.headers | {"Content-Type": "multipart/form-data; boundary=xyz"}
    answer = evotor.http.post(evotor.path, headers=headers, content=iter(chunks()))
    assert_failure(answer, 413, "payload_too_large")


def test_a_client_that_breaks_off_leaves_nothing(evotor: Client, serve: Callable[..., Running]) -> None:
    service = serve()
    here = evotor.elsewhere(token=service.token("evotor"))
    incoming = service.data / "incoming"
    connection = begin_upload(service, here, 5_000_000, multipart(bytes(1_000_000))[:-20])
    until(lambda: any(incoming.iterdir()))
    connection.close()
    until(lambda: not any(incoming.iterdir()))
    assert originals(service) == set()
