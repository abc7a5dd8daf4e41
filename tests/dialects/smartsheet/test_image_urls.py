"""`POST /2.0/imageurls`: temporary URLs for a batch of ids and sizes."""

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from PIL import Image as Pillow

from tests import pictures
from tests.dialects.smartsheet.client import ABSENT, UNKNOWN, Client, Item, assert_refused
from tests.running import Running
from tintype.model.ids import parse_short, short

WIDE = pictures.jpeg(800, 400)
MAY_NOT_VIEW = "You do not have permission to view this image."


@pytest.fixture(scope="module")
def wide(sheets: Client) -> str:
    """The id of an image of 800 by 400 pixels."""
    return str(sheets.add(WIDE)["id"])


def without_reference(item: Item) -> Item:
    return {**item, "error": {**item["error"], "refId": "*"}}


def failure(answer: Item) -> tuple[int, str]:
    """The code and message of an item that failed, once its shape was looked at."""
    assert answer.keys() <= {"imageId", "error"}
    assert list(answer["error"]) == ["errorCode", "message", "refId"]
    assert answer["error"]["refId"]
    return answer["error"]["errorCode"], answer["error"]["message"]


def test_the_original_is_answered_byte_for_byte(sheets: Client, wide: str) -> None:
    response = sheets.request({"imageId": wide})
    assert response.headers["Content-Type"] == "application/json"
    assert list(response.json()) == ["urlExpiresInMillis", "imageUrls"]
    assert response.json()["urlExpiresInMillis"] == 1_800_000
    (answer,) = response.json()["imageUrls"]
    assert {**answer, "url": ""} == {"imageId": wide, "url": "", "width": 800, "height": 400}
    assert httpx.get(answer["url"]).content == WIDE


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"width": 400}, (400, 200)),
        ({"height": 100}, (200, 100)),
        ({"width": 333}, (333, 167)),
        ({"width": 300, "height": 300}, (300, 300)),
        ({"width": 20, "height": 400}, (20, 400)),
        ({"width": 40.0, "height": 1e1}, (40, 10)),
        ({"width": None, "height": 100}, (200, 100)),
        ({"width": None, "height": None}, (800, 400)),
        ({"width": 801}, (800, 400)),
        ({"height": 401}, (800, 400)),
        ({"width": 801, "height": 10}, (800, 400)),
        ({"width": 10, "height": 401}, (800, 400)),
        ({"width": 9000, "height": 9000}, (800, 400)),
        ({"width": 10**30}, (800, 400)),
        ({"width": 1, "height": 1}, (1, 1)),
    ],
)
def test_the_size_that_is_said_is_the_size_behind_the_url(
    sheets: Client, wide: str, asked: Item, size: tuple[int, int]
) -> None:
    (answer,) = sheets.answers({"imageId": wide, **asked})
    picture = Pillow.open(io.BytesIO(httpx.get(answer["url"]).content))
    assert (answer["width"], answer["height"]) == picture.size == size


def test_a_size_is_meant_as_a_person_sees_the_image(sheets: Client) -> None:
    lying = sheets.add(pictures.oriented(6, 60, 80))
    assert (lying["width"], lying["height"]) == (60, 80)
    whole, half = sheets.answers({"imageId": lying["id"]}, {"imageId": lying["id"], "width": 30})
    assert (whole["width"], whole["height"]) == (60, 80)
    assert (half["width"], half["height"]) == (30, 40)
    assert Pillow.open(io.BytesIO(httpx.get(half["url"]).content)).size == (30, 40)


def test_order_and_repetition_are_kept(sheets: Client, wide: str) -> None:
    items: list[Item] = [
        {"imageId": wide, "width": 8},
        {"imageId": UNKNOWN},
        {"imageId": wide},
        {"imageId": wide, "width": 8},
    ]
    answers = sheets.answers(*items)
    assert [each["imageId"] for each in answers] == [item["imageId"] for item in items]
    assert [each.get("width") for each in answers] == [8, None, 800, 8]


def test_a_single_object_is_an_array_of_one(sheets: Client, wide: str) -> None:
    response = sheets.send(b'{"imageId": "%s", "width": 80}' % wide.encode())
    assert [each["height"] for each in response.json()["imageUrls"]] == [40]


@pytest.mark.parametrize("path", ["/2.0/imageurls", "/2.0/imageurls/", "/imageurls", "/imageurls/"])
def test_the_paths(sheets: Client, wide: str, path: str) -> None:
    response = sheets.send(b'[{"imageId": "%s"}]' % wide.encode(), path)
    assert response.json()["imageUrls"][0]["width"] == 800


def test_fields_that_mean_nothing_in_a_request_are_overlooked(sheets: Client, wide: str) -> None:
    (answer,) = sheets.answers({"imageId": wide, "url": "http://example.com", "error": 5, "more": [None]})
    assert urlsplit(answer["url"]).path == f"/storageProxy/image/images/{wide}"


def test_an_image_of_the_demo_by_the_other_spelling_of_its_id(demo: Running) -> None:
    image = demo.info["images"][0]
    with httpx.Client(base_url=demo.base_url) as http:
        client = Client(http, demo.info["smartsheet"]["token"])
        (answer,) = client.answers({"imageId": short(UUID(image["id"]))})
    assert (answer["width"], answer["height"]) == (image["width"], image["height"])
    assert len(httpx.get(answer["url"]).content) == image["bytes"]


def test_a_foreign_image_and_none_at_all_are_refused_alike(
    sheets: Client, stranger: Client, wide: str
) -> None:
    (foreign,) = stranger.answers({"imageId": wide})
    assert failure(foreign) == (5001, MAY_NOT_VIEW)
    (absent,) = stranger.answers({"imageId": UNKNOWN})
    assert without_reference(foreign) | {"imageId": ""} == without_reference(absent) | {"imageId": ""}
    assert foreign["error"]["refId"] != absent["error"]["refId"]
    assert "url" in sheets.answers({"imageId": wide})[0]


def test_an_image_that_is_deleted_has_no_url_from_then_on(service: Running, sheets: Client) -> None:
    id = str(sheets.add(pictures.jpeg(80, 40, seed=7))["id"])
    for _ in range(2):
        assert "url" in sheets.answers({"imageId": id, "width": 40})[0]
    owner = {"Authorization": f"Bearer {service.token('native', 'sheets')}"}
    assert sheets.http.delete(f"/v1/images/{parse_short(id)}", headers=owner).status_code == 204
    (answer,) = sheets.answers({"imageId": id, "width": 40})
    assert failure(answer) == (5001, MAY_NOT_VIEW)


def test_a_true_side_is_not_taken_for_the_one_that_was_answered_before(sheets: Client, wide: str) -> None:
    assert sheets.answers({"imageId": wide, "width": 1})[0]["width"] == 1
    assert failure(sheets.answers({"imageId": wide, "width": True})[0])[0] == 1031


def test_the_foreign_image_of_the_demo(demo: Running) -> None:
    with httpx.Client(base_url=demo.base_url) as http:
        client = Client(http, demo.info["smartsheet"]["token"])
        (answer,) = client.answers({"imageId": short(UUID(demo.info["foreign_image_id"]))})
    assert failure(answer) == (5001, MAY_NOT_VIEW)


@pytest.mark.parametrize(
    "image_id",
    [
        "x",
        UNKNOWN[:-1],
        UNKNOWN + "A",
        UNKNOWN[:-1] + "R",
        UNKNOWN + "==",
        UNKNOWN + "\n",
        " " + UNKNOWN,
        "a3536d42-b52c-55bb-2449-b9ce195195f1",
        "../../../etc/passwd",
        "' OR 1=1 --",
        "\0",
        "Ünïcödé🦊",
        "x" * 5000,
    ],
)
def test_an_id_of_the_wrong_form_is_refused_as_an_unknown_one(sheets: Client, image_id: str) -> None:
    (answer,) = sheets.answers({"imageId": image_id})
    assert failure(answer) == (5001, MAY_NOT_VIEW)
    assert answer["imageId"] == image_id


@pytest.mark.parametrize("item", [{}, {"imageId": None}, {"imageId": ""}, {"imageid": UNKNOWN}, {"width": 0}])
def test_an_item_without_an_id(sheets: Client, item: Item) -> None:
    (answer,) = sheets.answers(item)
    message = "A required object attribute is missing from your request: imageId."
    assert failure(answer) == (1012, message)


@pytest.mark.parametrize("image_id", [5, 1.5, True, False, 0, [], {}, [UNKNOWN], {"imageId": UNKNOWN}])
def test_an_id_that_is_no_text(sheets: Client, image_id: Any) -> None:  # noqa: ANN401  wrong types are what is sent
    (answer,) = sheets.answers({"imageId": image_id})
    code, message = failure(answer)
    assert code == 1031
    assert message.endswith("was not valid for the attribute imageId.")
    assert "imageId" not in answer


@pytest.mark.parametrize("side", ["width", "height"])
@pytest.mark.parametrize("value", [0, -1, 0.5, 20.5, -3.0, True, False, "20", "", [], {}, -(10**30), 1e-300])
def test_a_side_is_a_whole_number_above_zero(sheets: Client, wide: str, side: str, value: Any) -> None:  # noqa: ANN401  the same
    bad, good = sheets.answers({"imageId": wide, side: value}, {"imageId": wide})
    code, message = failure(bad)
    assert code == 1031
    assert message.endswith(f"was not valid for the attribute {side}.")
    assert bad["imageId"] == wide
    assert good["width"] == 800


def test_a_bad_side_tells_nothing_of_the_image(stranger: Client, wide: str) -> None:
    foreign, absent, malformed = stranger.answers(
        *({"imageId": each, "width": 0} for each in (wide, UNKNOWN, "malformed"))
    )
    assert failure(foreign) == failure(absent) == failure(malformed)


def test_a_long_value_is_not_thrown_back_whole(sheets: Client) -> None:
    (answer,) = sheets.answers({"imageId": UNKNOWN, "width": "9" * 5000})
    assert len(answer["error"]["message"]) < 200


def test_every_failed_item_has_a_reference_of_its_own(sheets: Client) -> None:
    answers = sheets.answers(*({"imageId": UNKNOWN} for _ in range(50)))
    assert len({each["error"]["refId"] for each in answers}) == 50


def test_a_thousand_items_are_the_most(sheets: Client, wide: str) -> None:
    answers = sheets.answers(*({"imageId": wide, "width": 1 + number % 800} for number in range(1000)))
    assert [each["width"] for each in answers] == [1 + number % 800 for number in range(1000)]
    response = sheets.request(*({"imageId": wide} for _ in range(1001)))
    assert_refused(response, 400, 1061, "Max count exceeded for field imageUrls.")


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
@pytest.mark.parametrize("content_type", ["application/json", ABSENT])
def test_an_empty_body(sheets: Client, body: bytes, content_type: object) -> None:
    response = sheets.send(body, Content_Type=content_type)
    assert_refused(response, 400, 1024, "The HTTP request body is required for this Method.")


def test_no_items(sheets: Client) -> None:
    message = "A required object attribute is missing from your request: imageId."
    assert_refused(sheets.send(b"[]"), 400, 1012, message)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[{]",
        b"nonsense",
        b"null",
        b"5",
        b'"text"',
        b"true",
        b"[null]",
        b"[5]",
        b'["o1NtQrUsVbskSbnOGVGV8Q"]',
        b"[[]]",
        b'[{"imageId": "x"}, []]',
        b'{"imageId": "\xff"}',
        b'{"imageId": "\\ud800"}',
        b'{"imageId": "x", "width": NaN}',
        b'{"imageId": "x", "width": 1e999}',
        b'{"imageId": "x"} {}',
        "[5]".encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\0",
    ],
)
def test_a_body_that_is_no_items(sheets: Client, body: bytes) -> None:
    response = sheets.send(body)
    assert_refused(response, 400, 1008)
    assert response.json()["message"].startswith("Unable to parse request. The following error occurred: ")


def test_a_body_beyond_the_limit(sheets: Client) -> None:
    assert_refused(sheets.send(b'[{"imageId": "%s"}]' % (b"x" * 1024 * 1024)), 400, 1008)


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        (ABSENT, 400, 1011),
        ("", 400, 1011),
        ("json", 400, 1091),
        ("application/", 400, 1091),
        ("/json", 400, 1091),
        ("application json", 400, 1091),
        ("application/json/x", 400, 1091),
        ("text/plain", 415, 1124),
        ("application/x-www-form-urlencoded", 415, 1124),
        ("multipart/form-data; boundary=x", 415, 1124),
        ("application/jsonp", 415, 1124),
    ],
)
def test_a_content_type_that_is_not_json(
    sheets: Client, content_type: object, status: int, code: int
) -> None:
    assert_refused(sheets.send(b'[{"imageId": "x"}]', Content_Type=content_type), status, code)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json ;"]
)
def test_a_content_type_that_is_json(sheets: Client, content_type: str) -> None:
    assert sheets.send(b'[{"imageId": "x"}]', Content_Type=content_type).status_code == 200


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_body_may_begin_with_a_byte_order_mark(sheets: Client, encoding: str) -> None:
    image = sheets.add(pictures.png(40, 30))
    body = json.dumps([{"imageId": image["id"], "width": 20.0}]).encode(encoding)
    [found] = sheets.send(body).json()["imageUrls"]
    assert (found["width"], found["height"]) == (20, 15)


@pytest.mark.parametrize("spelling", [str, lambda id: id.hex, lambda id: str(id).upper(), short])
def test_an_image_is_named_by_its_uuid_or_by_22_characters(
    sheets: Client, spelling: Callable[[UUID], str]
) -> None:
    image = parse_short(sheets.add(pictures.png(40, 30))["id"])
    assert image is not None
    [found] = sheets.answers({"imageId": spelling(image), "width": 20})
    assert (found["imageId"], found["width"], found["height"]) == (spelling(image), 20, 15)
    assert httpx.get(found["url"]).status_code == 200
