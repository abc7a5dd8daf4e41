"""Images in cells: added, read as a row, replaced."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from tests import extra_pictures, pictures
from tests.dialects.smartsheet.client import ABSENT, Client, assert_refused, new_cell
from tests.running import Running

PNG = pictures.png(64, 48)
NOT_FOUND = (404, 1006, "Not Found")


def test_the_answer_to_an_upload(sheets: Client) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    response = sheets.put(
        PNG, "/2.0/sheets/583173393803140/rows/6572427401553796/columns/9007199254740993/cellimages"
    )
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    body = response.json()
    assert list(body) == ["message", "resultCode", "result", "version"]
    assert (body["message"], body["resultCode"], type(body["version"])) == ("SUCCESS", 0, int)
    row = body["result"]
    assert list(row) == ["id", "sheetId", "rowNumber", "expanded", "createdAt", "modifiedAt", "cells"]
    assert (row["id"], row["sheetId"], row["rowNumber"]) == (6572427401553796, 583173393803140, 1)
    assert row["expanded"] is True
    for moment in (row["createdAt"], row["modifiedAt"]):
        assert before <= datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S%z") <= datetime.now(UTC)
        assert moment.endswith("Z")
    (cell,) = row["cells"]
    image = cell["image"]
    assert len(image["id"]) == 22
    assert cell == {
        "columnId": 9007199254740993,
        "value": "puppy.jpg",
        "displayValue": "puppy.jpg",
        "formula": f'=SYS_CELLIMAGE("puppy.jpg","{image["id"]}",48,64,"puppy.jpg")',
        "image": {"id": image["id"], "height": 48, "width": 64, "altText": "puppy.jpg"},
    }


def test_the_row_reads_as_the_upload_said(sheets: Client) -> None:
    cell = new_cell()
    added = sheets.put(PNG, cell, query="?altText=A%20small%20dog&overrideValidation=False").json()
    assert added["result"]["cells"][0]["image"]["altText"] == "A small dog"
    response = sheets.row(cell)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.json() == added["result"]
    assert sheets.row(cell + "/", "/").json() == added["result"]


@pytest.mark.parametrize("query", ["?exclude=image", "?exclude=nonexistentCells,image", "?exclude=image%2Cx"])
def test_a_row_without_its_images(sheets: Client, query: str) -> None:
    cell = new_cell()
    sheets.add(PNG, cell)
    (shown,) = sheets.row(cell, query).json()["cells"]
    assert shown["value"] == "puppy.jpg"
    assert "image" not in shown


@pytest.mark.parametrize("query", ["?include=columnType&level=2", "?exclude=", "?exclude=Image", "?x=%FF%00"])
def test_a_query_that_leaves_a_row_whole(sheets: Client, query: str) -> None:
    cell = new_cell()
    sheets.add(PNG, cell)
    assert "image" in sheets.row(cell, query).json()["cells"][0]


def test_the_size_is_as_a_person_sees_it(sheets: Client) -> None:
    image = sheets.add(pictures.oriented(6, 80, 60))
    assert (image["width"], image["height"]) == (80, 60)


def test_a_second_image_takes_the_place_of_the_first_which_stays_in_the_library(sheets: Client) -> None:
    cell = new_cell()
    first = sheets.add(PNG, cell)
    second = sheets.add(pictures.png(30, 20), cell)
    assert [each["image"]["id"] for each in sheets.row(cell).json()["cells"]] == [second["id"]]
    assert first["id"] != second["id"]
    (answer,) = sheets.answers({"imageId": first["id"]})
    assert httpx.get(answer["url"]).content == PNG


def test_a_row_has_every_cell_and_an_upload_names_its_own_first(sheets: Client) -> None:
    sheet = 99_000_001
    for column in (7, 8, 9):
        response = sheets.put(PNG, new_cell(sheet, 1, column), f'attachment; filename="{column}.png"')
        assert response.json()["result"]["cells"][0]["columnId"] == column
    sheets.add(PNG, new_cell(sheet, 2, 7))
    row = sheets.row(new_cell(sheet, 1, 7)).json()
    assert {each["columnId"]: each["value"] for each in row["cells"]} == {7: "7.png", 8: "8.png", 9: "9.png"}
    response = sheets.put(PNG, new_cell(sheet, 1, 8), 'attachment; filename="again.png"')
    assert [each["columnId"] for each in response.json()["result"]["cells"]] == [8, 7, 9]


def test_the_version_grows_with_every_upload(sheets: Client) -> None:
    cell = new_cell()
    versions = [sheets.put(PNG, cell).json()["version"] for _ in range(3)]
    assert versions == sorted(set(versions))


def test_another_accounts_rows_are_not_there(sheets: Client, stranger: Client) -> None:
    cell = new_cell()
    image = sheets.add(PNG, cell)
    assert_refused(stranger.row(cell), *NOT_FOUND)
    theirs = stranger.add(PNG, cell)
    assert [each["image"]["id"] for each in sheets.row(cell).json()["cells"]] == [image["id"]]
    assert [each["image"]["id"] for each in stranger.row(cell).json()["cells"]] == [theirs["id"]]


def test_a_row_that_nobody_used(sheets: Client) -> None:
    cell = new_cell()
    sheets.add(PNG, cell)
    assert_refused(sheets.row(cell.replace("/rows/2/", "/rows/3/")), *NOT_FOUND)


@pytest.mark.parametrize(
    "number",
    ["x", "-1", "1.0", "1e3", "0x1", "%31%00", "%20", "٣", "9223372036854775808", "1" * 5000, "null", "1;2"],
)
def test_an_id_that_is_no_64_bit_integer(sheets: Client, number: str) -> None:
    number = quote(number, safe="%;")
    for cell in (
        f"/2.0/sheets/{number}/rows/2/columns/3/cellimages",
        f"/2.0/sheets/1/rows/{number}/columns/3/cellimages",
        f"/2.0/sheets/1/rows/2/columns/{number}/cellimages",
    ):
        assert_refused(sheets.put(b"x", cell), *NOT_FOUND)
    assert_refused(sheets.row(f"/2.0/sheets/1/rows/{number}"), *NOT_FOUND)


def test_the_largest_id_and_another_spelling_of_a_small_one(sheets: Client) -> None:
    cell = new_cell(2**63 - 1, 5, 0)
    sheets.add(PNG, cell)
    row = sheets.row(cell.replace("/rows/5/", "/rows/005/")).json()
    assert (row["id"], row["cells"][0]["columnId"]) == (5, 0)


@pytest.mark.parametrize(
    "content_type", [ABSENT, "", "png", "image/png", "text/html", "application/json", "x/y; z"]
)
def test_the_bytes_decide_and_not_the_content_type(sheets: Client, content_type: object) -> None:
    image = sheets.add(pictures.webp(20, 10), content_type=content_type)
    assert (image["width"], image["height"]) == (20, 10)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="/home/jane/pictures/puppy.png"', "puppy.png"),
        ('attachment; filename="C:\\pictures\\puppy.png"', "puppy.png"),
        ("attachment; filename=puppy.png", "puppy.png"),
        ("attachment;filename*=UTF-8''na%C3%AFve%20%E2%82%AC.png", "naïve €.png"),
        ("attachment; filename=\"x.png\"; filename*=UTF-8''y.png", "y.png"),
        ('attachment; filename="щенок 🐶.png"', "щенок 🐶.png"),
        ('attachment; filename="a \\"good\\" dog.png"', 'a "good" dog.png'),
        ('attachment; filename="../../../etc/passwd"', "passwd"),
        ('attachment; filename="/"', "image"),
        ('ATTACHMENT; FILENAME="puppy.png"', "puppy.png"),
        ('attachment; filename="no extension"', "no extension"),
        ('attachment; filename="{}{0}%s$x.png"', "{}{0}%s$x.png"),
        # java.net.URLEncoder, as the vendor's Java client uses it.
        ('attachment; filename="bl%C3%A4u+%22q%22.png"', 'bläu "q".png'),
        ('attachment; filename="%D1%89%D0%B5%D0%BD%D0%BE%D0%BA+%F0%9F%90%B6.png"', "щенок 🐶.png"),
        ('attachment; filename="a%2Bb.png"', "a+b.png"),
        ('attachment; filename="C%3A%5Cpictures%5Cpuppy.png"', "puppy.png"),
        ('attachment; filename="..%2F..%2Fetc%2Fpasswd"', "passwd"),
        # A plus is a space only where a form would have encoded the whole name.
        ('attachment; filename="a+b.png"', "a+b.png"),
        ('attachment; filename="/home/jane/a+b%20c.png"', "a+b c.png"),
        # No encoded names, as a whole: they stay.
        ('attachment; filename="100%_off%20now.png"', "100%_off%20now.png"),
        ('attachment; filename="bl%E4u.png"', "bl%E4u.png"),
        # Decoded once, and not twice.
        ("attachment; filename*=UTF-8''100%2525.png", "100%25.png"),
        ('attachment; filename="100%2525.png"', "100%25.png"),
        ("attachment; filename*=iso-8859-1''bl%E4u.png", "bläu.png"),
        ("attachment; filename=\"UTF-8''bl%C3%A4u.png\"", "bläu.png"),
        ('attachment; filename="=?UTF-8?B?YmzDpHUucG5n?="', "bläu.png"),
        ('attachment; filename="=?utf-8?q?bl=C3=A4u_q=2Epng?="', "bläu q.png"),
        ('attachment; filename="=?ISO-8859-1?Q?bl=E4u?= =?windows-1251?B?+e7q?=.png"', "bläuщок.png"),
        ('attachment; filename="=?unicode_escape?Q?=5Cx41?=.png"', "=?unicode_escape?Q?=5Cx41?=.png"),
        ('attachment; filename="=?UTF-8?B?!?=.png"', "=?UTF-8?B?!?=.png"),
        (b'attachment; filename="bl\xe4u.png"', "bläu.png"),
        (b'attachment; filename="\xff\xe4\xb8.png"', "ÿä¸.png"),
    ],
)
def test_the_name_is_the_last_part_of_the_file_name(
    sheets: Client, disposition: str | bytes, name: str
) -> None:
    cell = new_cell()
    (shown,) = sheets.put(PNG, cell, disposition).json()["result"]["cells"]
    assert (shown["value"], shown["displayValue"], shown["image"]["altText"]) == (name, name, name)
    quoted = name.replace('"', '""')
    assert shown["formula"] == f'=SYS_CELLIMAGE("{quoted}","{shown["image"]["id"]}",48,64,"{quoted}")'
    assert sheets.row(cell).json()["cells"] == [shown]


@pytest.mark.parametrize(
    "disposition",
    [ABSENT, "", "attachment", "attachment;", 'attachment; name="x"', 'attachment; filename=""', ";;;="],
)
def test_an_upload_without_a_file_name(sheets: Client, disposition: object) -> None:
    message = "A required header was missing or invalid: Content-Disposition"
    assert_refused(sheets.put(PNG, new_cell(), disposition), 400, 1011, message)


@pytest.mark.parametrize(
    "text", ["x" * 100, "щ" * 100, "🐶" * 100, "", '"><script>', "{} {0} %s", "a\0b", "+ &=?"]
)
def test_an_alternate_text(sheets: Client, text: str) -> None:
    image = sheets.add(PNG, query="?altText=" + quote(text, safe=""))
    assert image["altText"] == (text or "puppy.jpg")


def test_an_alternate_text_of_more_than_100_characters(sheets: Client) -> None:
    message = "Cannot add image to cell with alt text larger than 100 characters."
    cell = new_cell()
    assert_refused(sheets.put(PNG, cell, query="?altText=" + "x" * 101), 400, 1165, message)
    assert_refused(sheets.row(cell), *NOT_FOUND)


@pytest.mark.parametrize("word", ["True", "False", "true", "false"])
def test_a_validation_that_is_overridden_or_not(sheets: Client, word: str) -> None:
    assert sheets.put(PNG, new_cell(), query=f"?overrideValidation={word}").status_code == 200


@pytest.mark.parametrize("word", ["yes", "1", "", "{}"])
def test_a_validation_that_is_neither(sheets: Client, word: str) -> None:
    message = f"The value {word} was not valid for the attribute overrideValidation."
    assert_refused(sheets.put(PNG, new_cell(), query=f"?overrideValidation={word}"), 400, 1031, message)


def test_more_parameters_than_anyone_needs(sheets: Client) -> None:
    many = "?" + "&".join(f"p{number}=1" for number in range(51))
    assert_refused(sheets.put(PNG, new_cell(), query=many), 400, 1008)
    assert_refused(sheets.row(new_cell(), many), 400, 1008)


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        extra_pictures.heic(pictures.photo(8, 8)),
        extra_pictures.jxl(pictures.photo(8, 8)),
        b"%PDF-1.7",
        PNG[:200],
        pictures.png_header(50_000, 50_000),
        json.dumps({"image": "x"}).encode(),
    ],
)
def test_bytes_that_are_no_image(sheets: Client, body: bytes) -> None:
    cell = new_cell()
    response = sheets.put(body, cell)
    assert_refused(response, 400, 1074)
    assert "Traceback" not in response.text
    assert_refused(sheets.row(cell), *NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"nonsense", "The file isn't a picture of a known type."),
        (extra_pictures.heic(pictures.photo(8, 8)), "HEIC pictures aren't accepted."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG pictures aren't accepted."),
    ],
)
def test_the_refusal_names_what_is_accepted_here_whatever_is_installed(
    sheets: Client, body: bytes, sentence: str
) -> None:
    message = f"{sentence} Accepted are JPEG, PNG, WebP, GIF, AVIF and TIFF."
    assert_refused(sheets.put(body, new_cell()), 400, 1074, message)


def test_an_empty_upload(sheets: Client) -> None:
    message = "The HTTP request body is required for this Method."
    assert_refused(sheets.put(b"", new_cell()), 400, 1024, message)


def test_a_refused_upload_leaves_the_cell_as_it_was(sheets: Client) -> None:
    cell = new_cell()
    image = sheets.add(PNG, cell)
    assert_refused(sheets.put(b"nonsense", cell), 400, 1074)
    assert sheets.row(cell).json()["cells"][0]["image"]["id"] == image["id"]


def test_an_image_of_30_megabytes_and_one_of_a_byte_more(sheets: Client) -> None:
    # What follows the end of a PNG is no part of the picture.
    largest = PNG.ljust(30 * 1024 * 1024, b"\0")
    cell = new_cell()
    image = sheets.add(largest, cell)
    (answer,) = sheets.answers({"imageId": image["id"]})
    assert int(httpx.head(answer["url"]).headers["Content-Length"]) == 30 * 1024 * 1024
    assert_refused(sheets.put(largest + b"\0", cell), 400, 1074)
    assert sheets.row(cell).json()["cells"][0]["image"]["id"] == image["id"]


def test_the_limit_is_a_setting(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_SMARTSHEET_MAX_UPLOAD_BYTES=str(len(PNG)), TINTYPE_SMARTSHEET_MAX_ALT_TEXT="3")
    with httpx.Client(base_url=service.base_url) as http:
        client = Client(http, service.token("smartsheet"))
        assert client.put(PNG, new_cell(), query="?altText=dog").status_code == 200
        assert_refused(client.put(PNG + b"\0", new_cell()), 400, 1074)
        assert_refused(client.put(PNG, new_cell(), query="?altText=dogs"), 400, 1165)


def test_the_times_of_a_row_are_those_of_its_oldest_and_newest_image(serve: Callable[..., Running]) -> None:
    service = serve()
    with httpx.Client(base_url=service.base_url) as http:
        client = Client(http, service.token("smartsheet"))
        cell = new_cell(1, 2, 3)
        first = client.put(PNG, cell).json()["result"]
        second = client.put(PNG, new_cell(1, 2, 4)).json()["result"]
        assert second["createdAt"] == first["createdAt"]
        assert second["modifiedAt"] >= first["modifiedAt"]
        apart = [datetime.strptime(each["createdAt"], "%Y-%m-%dT%H:%M:%S%z") for each in (first, second)]
        assert apart[1] - apart[0] == timedelta(0)
