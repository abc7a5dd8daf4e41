"""The wire format without a server: dates, sizes, queries, tokens, XML."""

import json
import locale
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import msgspec
import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from tintype import model
from tintype.dialects.publisher import wire
from tintype.imaging import Format
from tintype.model import Error, InvalidField, Person, Status
from tintype.model.list_query import ListQuery, SortKey

LIMITS = {"default_limit": 30, "max_limit": 1000, "max_extensions": 100}

SAMPLE_JSON = """
{
    "total": 3,
    "totalcount": 3,
    "currentpage": 0,
    "image": [
        {
            "id": 1002,
            "name": "PD20308_1001",
            "createdby": {
                "id": 27,
                "name": "Rishit Patel"
            },
            "createddate": "27 Feb 2019 11:19",
            "modifiedby": {
                "id": 27,
                "name": "Rishit Patel"
            },
            "modifieddate": "27 Feb 2019 11:19",
            "status": "active",
            "attachmentid": 2014,
            "filesize": "118.57 KB",
            "thumbnailurl": "https://example.com/context/flag/flag_2015.gif",
            "url": "https://example.com/context/flag/flag_2014.gif",
            "extension": "jpg",
            "height": 427,
            "width": 650
        },
        {
            "id": 1001,
            "name": "XML & char in tag",
            "createdby": {
                "id": 12,
                "name": "Mitul Patel"
            },
            "createddate": "27 Feb 2019 11:18",
            "modifiedby": {
                "id": 12,
                "name": "Mitul Patel"
            },
            "modifieddate": "27 Feb 2019 11:18",
            "status": "active",
            "attachmentid": 2012,
            "filesize": "33.99 KB",
            "thumbnailurl": "https://example.com/context/flag/flag_2013.gif",
            "url": "https://example.com/context/flag/flag_2012.gif",
            "extension": "PNG",
            "height": 845,
            "width": 1022
        }
    ]
}
"""
"""The vendor's own."""

SAMPLE_XML = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<images>
    <total>3</total>
    <totalcount>3</totalcount>
    <currentpage>0</currentpage>
    <image>
        <id>1002</id>
        <name>PD20308_1001</name>
        <createdby>
            <id>27</id>
            <name>Rishit Patel</name>
        </createdby>
        <createddate>27 Feb 2019 11:19</createddate>
        <modifiedby>
            <id>27</id>
            <name>Rishit Patel</name>
        </modifiedby>
        <modifieddate>27 Feb 2019 11:19</modifieddate>
        <status>active</status>
        <attachmentid>2014</attachmentid>
        <filesize>118.57 KB</filesize>
        <thumbnailurl>https://example.com/context/flag/flag_2015.gif</thumbnailurl>
        <url>https://example.com/context/flag/flag_2014.gif</url>
        <extension>jpg</extension>
        <height>427</height>
        <width>650</width>
    </image>
    <image>
        <id>1001</id>
        <name>XML &amp; char in tag</name>
        <createdby>
            <id>12</id>
            <name>Mitul Patel</name>
        </createdby>
        <createddate>27 Feb 2019 11:18</createddate>
        <modifiedby>
            <id>12</id>
            <name>Mitul Patel</name>
        </modifiedby>
        <modifieddate>27 Feb 2019 11:18</modifieddate>
        <status>active</status>
        <attachmentid>2012</attachmentid>
        <filesize>33.99 KB</filesize>
        <thumbnailurl>https://example.com/context/flag/flag_2013.gif</thumbnailurl>
        <url>https://example.com/context/flag/flag_2012.gif</url>
        <extension>PNG</extension>
        <height>845</height>
        <width>1022</width>
    </image>
</images>"""
"""The same, in XML."""

REQUEST = wire.Request(ListQuery(), 0)


def described(number: int, name: str, person: Person, minute: int, **info: Any) -> wire.Image:  # noqa: ANN401  an image's fields
    moment = datetime(2019, 2, 27, 11, minute, 59, 999_999, tzinfo=UTC)
    image = model.Image(
        id=UUID(int=number),
        number=number,
        account_id=UUID(int=1),
        filename="",
        name=name,
        format=Format.JPEG,
        sha256="",
        frames=1,
        has_alpha=False,
        status=Status.ACTIVE,
        version=1,
        created_by=person,
        created_at=moment,
        modified_by=person,
        modified_at=moment,
        extension=info["extension"],
        bytes=info["bytes"],
        width=info["width"],
        height=info["height"],
    )
    attachment = info["attachment"]
    return wire.list_item(
        image,
        attachment,
        url=f"https://example.com/context/flag/flag_{attachment}.gif",
        thumbnail_url=f"https://example.com/context/flag/flag_{attachment + 1}.gif",
    )


@pytest.fixture
def sample() -> list[wire.Image]:
    """The two images of the vendor's sample; 121416 / 1024 = 118.570…, 34806 / 1024 = 33.990…."""
    rishit, mitul = Person(27, "Rishit Patel"), Person(12, "Mitul Patel")
    first = {"extension": "jpg", "bytes": 121_416, "width": 650, "height": 427, "attachment": 2014}
    second = {"extension": "PNG", "bytes": 34_806, "width": 1022, "height": 845, "attachment": 2012}
    return [
        described(1002, "PD20308_1001", rishit, 19, **first),
        described(1001, "XML & char in tag", mitul, 18, **second),
    ]


def test_json_is_the_vendors_sample_field_for_field(sample: list[wire.Image]) -> None:
    answer = wire.encode_response(REQUEST, 3, sample, wire.MediaType.JSON)
    assert answer.body.decode() == json.dumps(json.loads(SAMPLE_JSON), separators=(",", ":"))


def test_xml_is_the_vendors_sample_element_for_element(sample: list[wire.Image]) -> None:
    answer = wire.encode_response(REQUEST, 3, sample, wire.MediaType.XML)
    assert answer.body.decode() == re.sub(r"\n *", "", SAMPLE_XML)


def test_an_error_is_the_vendors_sample() -> None:
    assert wire.to_xml(wire.Failure(106, "Invalid parameter: offset")).decode() == (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        "<error><ref>106</ref><summary>Invalid parameter: offset</summary></error>"
    )


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2019, 2, 27, 11, 19, tzinfo=UTC), "27 Feb 2019 11:19"),
        (datetime(2024, 1, 1, 0, 0, 59, 999_999, tzinfo=UTC), "01 Jan 2024 00:00"),
        (datetime(2024, 12, 31, 23, 59, tzinfo=UTC), "31 Dec 2024 23:59"),
        # Half past one in the morning of a March in Yekaterinburg is still February in UTC.
        (datetime(2023, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=5))), "28 Feb 2023 20:30"),
        (datetime(987, 5, 3, 4, 5, tzinfo=UTC), "03 May 0987 04:05"),
    ],
)
def test_dates(moment: datetime, text: str) -> None:
    assert wire.format_date(moment) == text


@pytest.fixture
def another_locale() -> Iterator[None]:
    before = locale.setlocale(locale.LC_ALL)
    for name in ("ru_RU.UTF-8", "de_DE.UTF-8", "C.UTF-8"):
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            break
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.mark.usefixtures("another_locale")
def test_months_are_english_whatever_the_locale() -> None:
    months = [wire.format_date(datetime(2024, month, 1, tzinfo=UTC))[3:6] for month in range(1, 13)]
    assert months == ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.00 KB"),
        (5, "0.00 KB"),
        (6, "0.01 KB"),
        (512, "0.50 KB"),
        (1023, "1.00 KB"),
        (1024, "1.00 KB"),
        (1029, "1.00 KB"),  # 1.00488…
        (1030, "1.01 KB"),  # 1.00585…
        (1152, "1.13 KB"),  # 1.125 exactly: half up
        (1408, "1.38 KB"),  # 1.375 exactly: up as well
        (121_416, "118.57 KB"),
        (34_806, "33.99 KB"),
        (1_048_570, "1023.99 KB"),  # 1023.99414…
        (1_048_571, "1.00 MB"),  # 1023.99511… would round to 1024.00
        (1_048_575, "1.00 MB"),  # 1023.99902…
        (1_048_576, "1.00 MB"),
        (1_073_736_499, "1023.99 MB"),
        (1_073_741_823, "1.00 GB"),
        (1_073_741_824, "1.00 GB"),
        (1024**4, "1024.00 GB"),
        (5 * 1024**5, "5242880.00 GB"),
    ],
)
def test_file_sizes(size: int, text: str) -> None:
    assert wire.format_file_size(size) == text


@given(st.integers(0, 2**50))
def test_a_file_size_is_right_to_half_a_hundredth(size: int) -> None:
    number, unit = wire.format_file_size(size).split()
    factor = {"KB": 1024, "MB": 1024**2, "GB": 1024**3}[unit]
    assert re.fullmatch(r"\d+\.\d\d", number)
    assert -Fraction(1, 200) < Fraction(number) - Fraction(size, factor) <= Fraction(1, 200)
    assert unit == "GB" or Fraction(number) < 1024
    assert unit == "KB" or Fraction(number) >= 1


def test_a_bare_query_is_the_newest_thirty_of_all() -> None:
    selection = wire.parse_request("", **LIMITS).list_query
    assert selection == ListQuery(sort=SortKey.MODIFIED_AT, descending=True, limit=30, skip=0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("extension=PNG,jpg", {"extensions": ("png", "jpg")}),
        ("extension=png,,PNG,%20gif%20", {"extensions": ("png", "gif")}),
        ("extension=,", {"extensions": ()}),
        ("status=1,archived,active", {"statuses": (Status.ACTIVE, Status.ARCHIVED)}),
        ("status=archived,2", {"statuses": (Status.ARCHIVED,)}),
        ("status=ACTIVE,Archived", {"statuses": (Status.ACTIVE, Status.ARCHIVED)}),
        ("search=a+b%2Bc%25", {"search": "a b+c%"}),
        ("search=%D0%B1", {"search": "б"}),
        ("search=Ð±", {"search": "б"}),  # its two bytes, as they may stand in a query unescaped
        ("search=%ff", {"search": "\ufffd"}),
        ("limit=7&offset=3", {"limit": 7, "skip": 21}),
        ("limit=0007", {"limit": 7}),
        ("limit=1000", {"limit": 1000}),
        ("limit=5&limit=6", {"limit": 5}),
        ("limit=&limit=6", {"limit": 6}),
        ("LIMIT=x&Sort=x&unknown=%00&&=&", {}),
        ("sort=+name", {"sort": SortKey.NAME, "descending": False}),
        ("sort=-createdby", {"sort": SortKey.CREATED_BY, "descending": True}),
        ("extension=&limit=&offset=&search=&sort=&status=", {}),
    ],
)
def test_what_queries_mean(query: str, expected: dict[str, Any]) -> None:
    selection = wire.parse_request(query, **LIMITS).list_query
    assert selection == msgspec.structs.replace(ListQuery(), **expected)


@given(st.text(st.characters(max_codepoint=255)))
def test_no_query_does_more_than_be_refused(query: str) -> None:
    _parse(query)


@given(
    st.sampled_from(["sort", "limit", "offset", "status", "extension", "search"]),
    st.text(st.sampled_from("0123456789+-%., aAzZ٣é\x00&=")),
)
def test_no_value_does_more_than_be_refused(name: str, value: str) -> None:
    _parse(f"{name}={value}".encode().decode("latin-1"))


def _parse(query: str) -> None:
    request, refused = _parsed(query)
    if refused is not None:
        assert isinstance(refused, InvalidField)
        assert refused.message == f"Invalid parameter: {refused.field}"
    if request is not None:
        assert 1 <= request.list_query.limit <= 1000
        assert request.list_query.skip == request.page * request.list_query.limit


def _parsed(query: str) -> tuple[wire.Request | None, Error | None]:
    try:
        return wire.parse_request(query, **LIMITS), None
    except Error as error:
        return None, error


@given(st.text())
def test_any_text_leaves_well_formed_xml_and_comes_back(text: str) -> None:
    document = wire.to_xml(wire.Failure(1, text))
    read: Element = ElementTree.fromstring(document)
    assert (read.findtext("summary") or "") == "".join(char if _is_xml(char) else "\ufffd" for char in text)


@given(st.text(st.sampled_from("]>&<\"'\r\n\t\x00\x0b\x1f\x7f\x85\ufffe\uffff\ufffd🦊!-[CDATA")))
def test_markup_in_text_stays_text(text: str) -> None:
    read: Element = ElementTree.fromstring(wire.to_xml(wire.Failure(1, text)))
    assert [child.tag for child in read.iter()] == ["error", "ref", "summary"]
    assert (read.findtext("summary") or "") == "".join(char if _is_xml(char) else "\ufffd" for char in text)


def test_surrogates_leave_well_formed_xml() -> None:
    read: Element = ElementTree.fromstring(wire.to_xml(wire.Failure(1, "a\ud800b\udfff")))
    assert read.findtext("summary") == "a\ufffdb\ufffd"


def _is_xml(char: str) -> bool:
    """The production Char of XML 1.0, 2.2."""
    code = ord(char)
    return char in "\t\n\r" or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
