"""`GET /api/2/images` over HTTP: filters, order and pages."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.dialects.publisher.library import FOREIGN, LOGOS, PIECES, START, Library, fold

Listed = dict[str, Any]

FIELDS = [
    "id",
    "name",
    "createdby",
    "createddate",
    "modifiedby",
    "modifieddate",
    "status",
    "attachmentid",
    "filesize",
    "thumbnailurl",
    "url",
    "extension",
    "height",
    "width",
]
"""In the order of the reference."""

MONTHS = {"Feb": 2, "Mar": 3}


def moment(text: str) -> tuple[int, ...]:
    """A listed date as numbers that sort."""
    found = re.fullmatch(r"(\d\d) (Feb|Mar) (\d{4}) (\d\d):(\d\d)", text)
    assert found, text
    return int(found[3]), MONTHS[found[2]], int(found[1]), int(found[4]), int(found[5])


KEYS: dict[str, Callable[[Listed], Any]] = {
    "name": lambda image: fold(image["name"]),
    "createdby": lambda image: fold(image["createdby"]["name"]),
    "createddate": lambda image: moment(image["createddate"]),
    "modifieddate": lambda image: moment(image["modifieddate"]),
    "status": lambda image: ["active", "archived"].index(image["status"]),
    "extension": lambda image: image["extension"].lower(),
}
"""What each sort key looks at, in the facts that the list itself shows."""

ASCENDING = ["+{}", "%2B{}", "%20{}", "{}"]
DESCENDING = ["-{}", "%2D{}"]


def ids(listed: Listed) -> list[int]:
    return [image["id"] for image in listed["image"]]


def ordered(library: Library, key: str, *, descending: bool) -> list[int]:
    """The order there has to be: by the key, equal keys by id, both in the same direction."""
    pairs = sorted((KEYS[key](image), image["id"]) for image in library.all())
    return [number for _, number in (reversed(pairs) if descending else pairs)]


def test_the_list_shows_the_facts_of_every_image(library: Library) -> None:
    shown = {image["id"]: image for image in library.all()}
    assert shown.keys() == library.pieces.keys()
    for number, piece in library.pieces.items():
        image = shown[number]
        assert list(image) == FIELDS
        name, _, extension = piece.filename.rpartition(".")
        assert (image["name"], image["extension"]) == (name, extension)
        assert (image["width"], image["height"]) == piece.size
        assert image["createdby"]["name"] == piece.person
        assert image["modifiedby"]["name"] == (piece.editor or piece.person)
        assert image["status"] == piece.status
        assert isinstance(image["attachmentid"], int)
        assert image["url"] == f"{library.base_url}/flag/flag_{image['attachmentid']}.{extension}"
        assert (
            image["thumbnailurl"] == f"{library.base_url}/flag/flag_{image['attachmentid'] + 1}.{extension}"
        )


def test_dates_are_those_of_the_clock(library: Library) -> None:
    oldest = library.listed("sort=createddate&limit=1")["image"][0]
    assert oldest["createddate"] == "27 Feb 2019 11:19"
    assert START.isoformat() == "2019-02-27T11:19:30+00:00"
    edited = library.listed("search=XML+%26+char")["image"][0]
    assert edited["createddate"] == "27 Feb 2019 14:19"  # three hours later
    assert edited["modifieddate"] == "01 Mar 2019 03:19"  # forty hours later; 2019 had no 29 February


def test_file_sizes_are_those_of_the_files(library: Library) -> None:
    for image in library.all():
        size = len(library.originals[image["id"]])
        number, unit = image["filesize"].split()
        assert unit == "KB"
        assert abs(float(number) - size / 1024) <= 0.00501


def test_without_parameters_it_is_the_last_modified_thirty(library: Library) -> None:
    listed = library.listed()
    assert ids(listed) == ordered(library, "modifieddate", descending=True)[:30]
    assert len(PIECES) < 30 or len(ids(listed)) == 30


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("spelling", [*ASCENDING, *DESCENDING])
def test_sorting(library: Library, key: str, spelling: str) -> None:
    query = "limit=1000&sort=" + spelling.format(key)
    assert library.get(query).request.url.query == query.encode()  # it went out as written
    assert ids(library.listed(query)) == ordered(library, key, descending=spelling in DESCENDING)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("sign", ["+", "-"])
@pytest.mark.parametrize("limit", [1, 5, 7])
def test_pages_never_overlap_and_leave_nothing_out(library: Library, key: str, sign: str, limit: int) -> None:
    pages = [
        library.listed(f"sort={sign}{key}&limit={limit}&offset={page}")
        for page in range(-(-len(PIECES) // limit))
    ]
    assert [number for page in pages for number in ids(page)] == ordered(library, key, descending=sign == "-")
    assert [page["currentpage"] for page in pages] == list(range(len(pages)))
    assert {(page["total"], page["totalcount"]) for page in pages} == {(len(PIECES), len(PIECES))}


def test_images_with_equal_names_are_paged_without_overlap(library: Library) -> None:
    pages = [ids(library.listed(f"search=logo&sort=name&limit=5&offset={page}")) for page in range(3)]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert len({number for page in pages for number in page}) == len(LOGOS) == 12


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("offset=1000", 1000),
        ("limit=30&offset=2", 2),
        ("limit=1&offset=9223372036854775807", 2**63 - 1),
        ("limit=1000&offset=9223372036854775807", 2**63 - 1),
        ("offset=9223372036854775808", 2**63 - 1),
        ("offset=" + "9" * 30, 2**63 - 1),
        ("offset=" + "9" * 5000, 2**63 - 1),
    ],
)
def test_a_page_past_the_end_is_empty(library: Library, query: str, page: int) -> None:
    answer = library.get(query)
    assert answer.status_code == 200
    assert answer.json() == {
        "total": len(PIECES),
        "totalcount": len(PIECES),
        "currentpage": page,
        "image": [],
    }


def test_totals_count_what_matches_on_all_pages(library: Library) -> None:
    listed = library.listed("search=logo&limit=1&offset=4")
    assert (listed["total"], listed["totalcount"], len(listed["image"])) == (12, 12, 1)


@pytest.mark.parametrize(
    ("value", "extensions"),
    [
        ("png", {"png"}),
        ("PNG", {"png"}),
        ("PnG,JPG", {"png", "jpg"}),
        ("png,jpg,jpeg,gif", {"png", "jpg", "jpeg", "gif"}),
        ("jpeg", {"jpeg"}),
        (",gif,,", {"gif"}),
        ("webp%2C%20tif", {"webp", "tif"}),
        ("bmp", set()),
        ("bmp,gif", {"gif"}),
        ("p", set()),
        ("%25", set()),
        ("png'--", set()),
    ],
)
def test_extension_filters(library: Library, value: str, extensions: set[str]) -> None:
    expected = {image["id"] for image in library.all() if image["extension"].lower() in extensions}
    listed = library.listed(f"limit=1000&extension={value}")
    assert set(ids(listed)) == expected
    assert listed["total"] == len(expected)


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        ("active", {"active"}),
        ("archived", {"archived"}),
        ("1", {"active"}),
        ("2", {"archived"}),
        ("active,archived", {"active", "archived"}),
        ("1,2", {"active", "archived"}),
        ("active,2", {"active", "archived"}),
        ("2,archived", {"archived"}),
        ("", {"active", "archived"}),
    ],
)
def test_status_filters(library: Library, value: str, statuses: set[str]) -> None:
    expected = {image["id"] for image in library.all() if image["status"] in statuses}
    assert expected
    listed = library.listed(f"limit=1000&status={value}")
    assert set(ids(listed)) == expected
    assert listed["totalcount"] == len(expected)


def test_filters_work_together(library: Library) -> None:
    listed = library.listed("extension=jpg,jpeg&status=2&search=%D0%BE%D1%82%D0%B5%D0%BB%D1%8C")
    assert [image["name"] for image in listed["image"]] == ["Отель Ёлка"]
    assert listed["total"] == 1


@pytest.mark.parametrize(
    ("term", "count"),
    [
        ("logo", 12),
        ("LOGO", 12),
        ("%", 1),
        ("_", 2),
        ("%_", 1),
        ("l%o", 0),
        ("lo_o", 0),
        ("a_b", 1),
        ("axb", 1),
        ("*", 1),
        ("[x]", 1),
        ("?", 1),
        ("'", 2),
        ("' OR '1'='1", 0),
        ("'; drop table", 0),
        ('"', 1),
        ("\\", 0),
        ("\\_", 0),
        ("&", 1),
        ("<b>", 1),
        ("]]>", 1),
        ("q", 2),
        ("lk", 0),
        ("of", 2),
        ("zz", 0),
        ("отель", 2),
        ("ОТЕЛЬ", 2),
        ("елка", 1),
        ("ёлка", 1),
        ("ЁЛ", 2),
        ("л", 2),
        ("unicode creme", 1),
        ("ÜNÏCÖDÉ", 1),
        ("u\u0308ni\u0308", 1),
        ("é c", 1),
        ("🦊", 1),
        ("\x1b", 1),
        ("\t", 1),
        (" ", 9),
        ("png", 0),
        (".png", 0),
        ("x" * 5000, 0),
    ],
)
def test_search(library: Library, term: str, count: int) -> None:
    expected = {image["id"] for image in library.all() if fold(term) in fold(image["name"])}
    assert len(expected) == count  # the claim itself, made by hand
    escaped = "".join(f"%{byte:02X}" for byte in term.encode())
    listed = library.listed(f"limit=1000&search={escaped}")
    assert set(ids(listed)) == expected
    assert listed["total"] == count


@pytest.mark.parametrize("term", ["%00", "%ff%fe", "%ED%A0%80", "%zz", "a%00b"])
def test_a_search_for_what_is_no_text_finds_nothing(library: Library, term: str) -> None:
    assert library.listed(f"search={term}")["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "&&&",
        "=",
        "=name",
        "extension=&limit=&offset=&search=&sort=&status=",
        "limit",
        "unknown=1&page=x&Limit=0",
        "search=&search=",
    ],
)
def test_empty_and_unknown_parameters_are_overlooked(library: Library, query: str) -> None:
    assert library.listed(query) == library.listed()


def test_of_a_repeated_parameter_the_first_counts(library: Library) -> None:
    assert len(library.listed("limit=2&limit=nonsense")["image"]) == 2
    assert len(library.listed("limit=&limit=3")["image"]) == 3


INVALID = [
    *[
        (f"sort={value}", 79, "sort")
        for value in [
            "size",
            "Name",
            "++name",
            "+-name",
            "%2B%2Bname",
            "--name",
            "+",
            "-",
            "name,status",
            "name+",
        ]
    ],
    *[(f"sort={value}", 79, "sort") for value in ["%00name", "n%C3%A0me", "name%0A", "id", "*name"]],
    ("extension=" + ",".join(str(number) for number in range(101)), 104, "extension"),
    ("extension=" + ",".join(str(number) for number in range(5000)), 104, "extension"),
    *[
        (f"status={value}", 105, "status")
        for value in ["3", "0", "active,3", "activ%C3%A9", "all", "1;2", "-1", "01"]
    ],
    *[
        (f"offset={value}", 106, "offset")
        for value in [
            "-1",
            "-0",
            "+1",
            "%2B1",
            "abc",
            "1.0",
            "1e3",
            "0x1",
            "1_0",
            "%D9%A3",
            "%C2%B2",
            "1%00",
            "-",
        ]
    ],
    *[
        (f"limit={value}", 107, "limit")
        for value in [
            "0",
            "00",
            "-1",
            "1001",
            "abc",
            "1.5",
            "+5",
            "%205",
            "5%0A",
            "%D9%A3",
            "1_0",
            "NaN",
            "-",
        ]
    ],
    ("limit=" + "9" * 30, 107, "limit"),
    ("limit=" + "9" * 5000, 107, "limit"),
]


@pytest.mark.parametrize(("query", "ref", "name"), INVALID)
def test_invalid_parameters_are_named(library: Library, query: str, ref: int, name: str) -> None:
    answer = library.get(query)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"ref": ref, "summary": f"Invalid parameter: {name}"}
    xml = library.get(query, Accept="application/xml")
    assert xml.status_code == 400
    assert xml.text == (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<error><ref>{ref}</ref><summary>Invalid parameter: {name}</summary></error>"
    )


def test_another_accounts_images_are_neither_listed_nor_counted(library: Library) -> None:
    assert library.listed("limit=1000")["total"] == len(PIECES)
    assert library.listed("search=secret")["total"] == 0
    theirs = library.listed("limit=1000", token=library.foreign_token)
    assert theirs["total"] == len(FOREIGN)
    assert {image["name"] for image in theirs["image"]} == {"logo", "secret of others"}
    assert set(ids(theirs)).isdisjoint(library.pieces)
    assert library.listed("search=logo", token=library.foreign_token)["total"] == 1
