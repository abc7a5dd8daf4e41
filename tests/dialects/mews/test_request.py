"""The body of getUrls: which values are used, ignored and refused, and with which messages."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import pictures
from tests.dialects.mews.client import ABSENT, UNKNOWN, Body, Client, assert_refused, client, item
from tests.running import Running, call_cli, run_cli

GOOD = item()

BAD_FIELDS: list[tuple[str, Body]] = [
    ("Client", {"Client": ABSENT}),
    ("Client", {"Client": ""}),
    ("Client", {"Client": None}),
    ("Client", {"Client": 1}),
    ("Client", {"Client": ["Sample Client 1.0.0"]}),
    ("LanguageCode", {"LanguageCode": 7}),
    ("CultureCode", {"CultureCode": {}}),
    ("MaskedAccessToken", {"MaskedAccessToken": []}),
    ("MaskedClientToken", {"MaskedClientToken": False}),
    ("ClientToken", {"ClientToken": 1}),
    ("AccessToken", {"AccessToken": {}}),
    ("Images", {"Images": ABSENT}),
    ("Images", {"Images": None}),
    ("Images", {"Images": []}),
    ("Images", {"Images": [GOOD] * 1001}),
    ("Images", {"Images": {}}),
    ("Images", {"Images": GOOD}),
    ("Images", {"Images": "all"}),
    ("Images", {"Images": [GOOD, 5]}),
    ("Images", {"Images": [None]}),
    ("Images", {"Images": [[GOOD]]}),
]

WRONG_SIDES: list[object] = [
    0,
    0.0,
    -1,
    -2.0,
    "200",
    "200.0",
    1.5,
    1e300,
    True,
    10**30,
    -(10**30),
    8193,
    [200],
    {},
]
BAD_ITEMS: list[tuple[str, Body]] = [
    ("ImageId", item(ABSENT)),
    ("ImageId", item(None)),
    ("ImageId", item(5)),
    ("ImageId", item("")),
    ("ImageId", item("not an id")),
    ("ImageId", item(UNKNOWN + "0")),
    ("ImageId", item(UNKNOWN[:-1])),
    ("ImageId", item(UNKNOWN + "\n")),
    ("ImageId", item("{" + UNKNOWN + "}")),
    ("ImageId", item("../" + UNKNOWN)),
    ("ResizeMode", item(mode=ABSENT)),
    ("ResizeMode", item(mode=None)),
    ("ResizeMode", item(mode="")),
    ("ResizeMode", item(mode="fit")),
    ("ResizeMode", item(mode="Scale")),
    ("ResizeMode", item(mode="Stretch")),
    ("ResizeMode", item(mode="Fit ")),
    ("ResizeMode", item(mode=4)),
    ("ResizeMode", item(mode=["Fit"])),
    # Text from outside must not be taken for our own sentence about it.
    ("ResizeMode", item(mode="Object missing required field `Client`")),
    ("ResizeMode", item(mode="' - at `$.Client`")),
    *((side, item(**{side: wrong})) for side in ("Width", "Height") for wrong in WRONG_SIDES),
]


def test_the_request_of_the_reference_is_answered_in_the_shape_of_the_reference(
    demo: Running, mews: Client
) -> None:
    image = demo.info["images"][0]["id"]
    response = mews.request({"ImageId": image, "Width": 200, "Height": 150, "ResizeMode": "Fit"})
    url = f"{demo.base_url}/Media/Image/{image}?Mode=Fit&Width=200&Height=150"
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.json() == {"ImageUrls": [{"ImageId": image, "Url": url}]}


def test_order_count_and_duplicates_are_kept(demo: Running, mews: Client) -> None:
    first, second, third = (image["id"] for image in demo.info["images"][:3])
    ids = [third, first, UNKNOWN, first, second, third, first]
    answers = mews.request(*(item(image) for image in ids)).json()["ImageUrls"]
    assert [answer["ImageId"] for answer in answers] == ids
    assert [answer["Url"] for answer in answers] == [
        None if image == UNKNOWN else f"{demo.base_url}/Media/Image/{image}?Mode=Fit" for image in ids
    ]


def test_the_same_image_may_be_asked_in_several_sizes(demo: Running, mews: Client) -> None:
    image = demo.info["images"][0]["id"]
    base = f"{demo.base_url}/Media/Image/{image}?Mode="
    asked = [
        (item(image, "Cover", Width=1), "Cover&Width=1"),
        (item(image, "CoverExact", Height=1600), "CoverExact&Height=1600"),
        (item(image, "FitExact", Height=20, Width=10), "FitExact&Width=10&Height=20"),
        (item(image, "Fit"), "Fit"),
        (item(image, "Fit", Width=None, Height=None), "Fit"),
        (item(image, "Fit", Width=None, Height=30), "Fit&Height=30"),
    ]
    assert mews.urls(*(each for each, _ in asked)) == [base + query for _, query in asked]


@pytest.mark.parametrize("side", ["200.0", "2e2", "2E+2", "200.000", "20000e-2"])
def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(
    demo: Running, mews: Client, side: str
) -> None:
    """JSON Schema 2020-12, 4.2.3: some languages write all numbers so."""
    image = demo.info["images"][0]["id"]
    raw = json.dumps(mews.body(item(image, Width="?", Height=150))).replace('"?"', side)
    [answer] = mews.send(raw.encode()).json()["ImageUrls"]
    assert answer["Url"] == f"{demo.base_url}/Media/Image/{image}?Mode=Fit&Width=200&Height=150"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_body_may_begin_with_a_byte_order_mark(mews: Client, encoding: str) -> None:
    assert mews.send(json.dumps(mews.body(GOOD)).encode(encoding)).status_code == 200
    assert_refused(mews.send('{"Client": "x"'.encode(encoding)), 400, "Invalid JSON.")


@pytest.mark.parametrize("mode", ["Cover", "CoverExact", "Fit", "FitExact"])
def test_a_setting_names_the_mode_of_items_without_one(serve: Callable[..., Running], mode: str) -> None:
    service = serve(TINTYPE_MEWS_DEFAULT_RESIZE_MODE=mode)
    with httpx.Client(base_url=service.base_url) as http:
        mews = client(service, http)
        native = {"Authorization": f"Bearer {service.token('native')}"}
        image = http.post("/v1/images", content=pictures.png(60, 40), headers=native).json()["id"]
        link = f"{service.base_url}/Media/Image/{image}?Mode="
        items = (item(image, ABSENT, Width=20), item(image, None), item(image, "Cover", Width=20.0))
        assert mews.urls(*items) == [f"{link}{mode}&Width=20", f"{link}{mode}", f"{link}Cover&Width=20"]
        for wrong in ("", "fit", 4, False):
            assert_refused(mews.request(item(image, wrong)), 400, "Invalid ResizeMode.")
        assert_refused(mews.request(item(image, ABSENT, Width=1.5)), 400, "Invalid Width.")
        assert_refused(mews.request(Images=[5]), 400, "Invalid Images.")


def test_a_setting_that_is_no_mode_stops_the_start(tmp_path: Path) -> None:
    run_cli(tmp_path, "init")
    done = call_cli(tmp_path, "serve", "--port", "0", env={"TINTYPE_MEWS_DEFAULT_RESIZE_MODE": "Scale"})
    assert done.returncode != 0
    assert "TINTYPE_MEWS_DEFAULT_RESIZE_MODE" in done.stderr


def test_an_unknown_image_and_a_foreign_one_cannot_be_told_apart(demo: Running, mews: Client) -> None:
    foreign = demo.info["foreign_image_id"]
    response = mews.request(item(foreign), item())
    assert response.status_code == 200
    assert response.json() == {
        "ImageUrls": [{"ImageId": foreign, "Url": None}, {"ImageId": UNKNOWN, "Url": None}]
    }


def test_one_unknown_image_does_not_fail_the_batch(demo: Running, mews: Client) -> None:
    image = demo.info["images"][0]["id"]
    assert [url is None for url in mews.urls(item(), item(image), item())] == [True, False, True]


def test_an_id_comes_back_as_it_was_spelled(demo: Running, mews: Client) -> None:
    image = demo.info["images"][0]["id"]
    spellings = [image.upper(), UUID(image).hex]
    answers = mews.request(*(item(spelling) for spelling in spellings)).json()["ImageUrls"]
    assert [answer["ImageId"] for answer in answers] == spellings
    assert {answer["Url"] for answer in answers} == {f"{demo.base_url}/Media/Image/{image}?Mode=Fit"}


def test_a_batch_has_up_to_a_thousand_images(demo: Running, mews: Client) -> None:
    ids = [image["id"] for image in demo.info["images"] if image["status"] == "active"]
    asked = [item(ids[at % len(ids)], Width=at + 1) for at in range(1000)]
    urls = mews.urls(*asked)
    assert urls == [
        f"{demo.base_url}/Media/Image/{each['ImageId']}?Mode=Fit&Width={each['Width']}" for each in asked
    ]


@pytest.mark.parametrize("given", [None, "en-US"])
@pytest.mark.parametrize("field", ["LanguageCode", "CultureCode", "MaskedAccessToken", "MaskedClientToken"])
def test_the_optional_fields_are_accepted_and_null_is_legal(
    mews: Client, field: str, given: str | None
) -> None:
    assert mews.request(GOOD, **{field: given}).status_code == 200


def test_unknown_fields_are_overlooked(mews: Client) -> None:
    odd: Any = {"Limitation": {"Count": 1, "Cursor": None}, "images": 5, "Extra": [[1.5e3, "ж"]]}
    assert mews.request(item(Quality=80, width="wide", Crop={"X": 1}), **odd).status_code == 200


@pytest.mark.parametrize(("field", "changes"), BAD_FIELDS)
def test_a_wrong_field_is_named(mews: Client, field: str, changes: Body) -> None:
    assert_refused(mews.request(**{"Images": [GOOD], **changes}), 400, f"Invalid {field}.")


@pytest.mark.parametrize(("field", "wrong"), BAD_ITEMS)
def test_a_wrong_field_of_an_item_is_named_wherever_the_item_stands(
    mews: Client, field: str, wrong: Body
) -> None:
    assert_refused(mews.request(GOOD, wrong, GOOD), 400, f"Invalid {field}.")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"1",
        b'"text"',
        b"[]",
        b"[{}]",
        b"{",
        b"{}}",
        b"{} {}",
        b"{'Client': 'x'}",
        b'{"Client": NaN}',
        b"Client=x",
        b"\xff\xfe{}",
        b"\x00",
        b'{"Client": "\xff"}',
        b'{"Client": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"Images":' * 50_000,
        b'{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_a_body_that_is_no_json_object_is_invalid_json(mews: Client, raw: bytes) -> None:
    assert_refused(mews.send(raw), 400, "Invalid JSON.")


@pytest.mark.parametrize("field", ["Client", "ClientToken", "AccessToken", "LanguageCode"])
def test_half_a_surrogate_pair_is_no_text(mews: Client, field: str) -> None:
    raw = json.dumps(mews.body(GOOD, **{field: "?"})).replace('"?"', r'"\ud83d"')
    assert_refused(mews.send(raw.encode()), 400, "Invalid JSON.")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "multipart/form-data; boundary=x",
        "",
        "json",
    ],
)
def test_another_content_type_is_invalid_json(mews: Client, content_type: str) -> None:
    assert_refused(mews.send(json.dumps(mews.body(GOOD)).encode(), content_type), 400, "Invalid JSON.")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON ; x=y",
        None,
    ],
)
def test_json_may_name_its_charset(mews: Client, content_type: str | None) -> None:
    assert mews.send(json.dumps(mews.body(GOOD)).encode(), content_type).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELD_NAMES = ("Client", "Images", "LanguageCode", "CultureCode", "MaskedAccessToken", "MaskedClientToken")


@settings(max_examples=50)
@given(field=st.sampled_from(FIELD_NAMES), value=JSON)
def test_any_value_in_any_field_is_answered_or_named(mews: Client, field: str, value: object) -> None:
    response = mews.send(json.dumps({**mews.body(GOOD), field: value}).encode("utf-8", "surrogatepass"))
    if response.status_code != 200:
        assert response.status_code == 400
        named = {f"Invalid {name}." for name in (field, "ImageId", "ResizeMode", "Width", "Height")}
        assert response.json()["Message"] in {"Invalid JSON.", *named}
