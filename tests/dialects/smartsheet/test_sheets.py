"""Sheets, columns, the caller and the service: what clients ask before and after images."""

import httpx
import pytest

from tests import pictures
from tests.dialects.smartsheet.client import Client, assert_refused, new_cell
from tests.running import Running

SHEET, ROWS, COLUMNS = 77_000_001, (30, 4, 500), (9, 10)
PNG = pictures.png(20, 10)


@pytest.fixture(scope="module")
def own(service: Running, http: httpx.Client) -> Client:
    """A client of an account whose sheet has three rows of two cells each, and another sheet of one cell."""
    client = Client(http, service.token("smartsheet", "accountant", person="Ada King Lovelace"))
    for row in ROWS:
        for column in COLUMNS:
            client.add(PNG, new_cell(SHEET, row, column), disposition=f'x; filename="{row}-{column}.png"')
    client.add(PNG, new_cell(SHEET + 1, 1, 1))
    return client


def get(client: Client, path: str) -> httpx.Response:
    return client.http.get(path, headers=client.headers())


def values(response: httpx.Response) -> list[list[str]]:
    """The values of the cells of each row."""
    assert response.status_code == 200, response.text
    return [[cell["value"] for cell in row["cells"]] for row in response.json()["rows"]]


ALL = [[f"{row}-{column}.png" for column in COLUMNS] for row in ROWS]


def test_a_sheet_has_its_columns_and_rows(own: Client) -> None:
    sheet = get(own, f"/2.0/sheets/{SHEET}").json()
    assert (sheet["id"], sheet["name"], sheet["totalRowCount"]) == (SHEET, str(SHEET), 3)
    assert [(each["id"], each["index"], each["title"]) for each in sheet["columns"]] == [
        (9, 0, "9"),
        (10, 1, "10"),
    ]
    assert [row["id"] for row in sheet["rows"]] == list(ROWS)
    # Each row is the one that its own path has.
    for row in sheet["rows"]:
        assert own.row(new_cell(SHEET, row["id"], 9)).json() == row


def test_each_image_of_a_sheet_opens(own: Client) -> None:
    rows = get(own, f"/2.0/sheets/{SHEET}").json()["rows"]
    ids = [cell["image"]["id"] for row in rows for cell in row["cells"]]
    assert len(set(ids)) == 6
    assert {httpx.get(each["url"]).content for each in own.answers(*({"imageId": id} for id in ids))} == {PNG}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("include=attachments,objectValue&level=2&exclude=nonexistentCells", ALL),
        ("rowIds=500,30", [ALL[2], ALL[0]]),
        ("rowIds=4,999", [ALL[1]]),
        ("rowIds=999", []),
        ("columnIds=10", [[row[1]] for row in ALL]),
        ("columnIds=10,9&rowIds=4", [ALL[1]]),
        ("columnIds=11", [[], [], []]),
        ("pageSize=2", ALL[:2]),
        ("pageSize=2&page=2", ALL[2:]),
        ("pageSize=2&page=3", []),
    ],
)
def test_parts_of_a_sheet(own: Client, query: str, expected: list[list[str]]) -> None:
    assert values(get(own, f"/2.0/sheets/{SHEET}?{query}")) == expected


def test_a_sheet_without_its_images(own: Client) -> None:
    rows = get(own, f"/2.0/sheets/{SHEET}?exclude=image").json()["rows"]
    assert all("image" not in cell for row in rows for cell in row["cells"])


@pytest.mark.parametrize("name", ["page", "pageSize", "rowIds", "columnIds"])
@pytest.mark.parametrize("value", ["0x1", "-1", "x", "1e3", "9" * 30, "1,,2", "%D9%A3", "0.5"])
def test_a_parameter_that_is_no_number(own: Client, name: str, value: str) -> None:
    assert_refused(get(own, f"/2.0/sheets/{SHEET}?{name}={value}"), 400, 1031)


def test_the_version_grows_with_an_upload(own: Client) -> None:
    before = get(own, f"/2.0/sheets/{SHEET + 1}").json()["version"]
    own.add(PNG, new_cell(SHEET + 1, 1, 1))
    assert get(own, f"/2.0/sheets/{SHEET + 1}").json()["version"] > before


def test_the_list_of_sheets(own: Client, stranger: Client) -> None:
    found = get(own, "/2.0/sheets").json()
    assert [each["id"] for each in found["data"]] == [SHEET, SHEET + 1]
    assert {name: found[name] for name in ("pageNumber", "pageSize", "totalPages", "totalCount")} == {
        "pageNumber": 1,
        "pageSize": 100,
        "totalPages": 1,
        "totalCount": 2,
    }
    second = get(own, "/2.0/sheets?pageSize=1&page=2").json()
    assert ([each["id"] for each in second["data"]], second["totalPages"]) == ([SHEET + 1], 2)
    assert SHEET not in [each["id"] for each in get(stranger, "/2.0/sheets?includeAll=true").json()["data"]]


def test_the_columns_of_a_sheet(own: Client) -> None:
    found = get(own, f"/2.0/sheets/{SHEET}/columns").json()
    assert ([each["id"] for each in found["data"]], found["totalCount"]) == ([9, 10], 2)
    assert get(own, f"/2.0/sheets/{SHEET}/columns/10").json() == found["data"][1]
    assert_refused(get(own, f"/2.0/sheets/{SHEET}/columns/11"), 404, 1006)


@pytest.mark.parametrize("path", ["", "/columns", "/columns/9"])
def test_another_accounts_sheet_is_not_there(stranger: Client, own: Client, path: str) -> None:
    assert get(own, f"/2.0/sheets/{SHEET}{path}").status_code == 200
    assert_refused(get(stranger, f"/2.0/sheets/{SHEET}{path}"), 404, 1006, "Not Found")
    assert_refused(get(own, f"/2.0/sheets/x{path}"), 404, 1006, "Not Found")


def test_the_caller_and_the_service(own: Client) -> None:
    me = get(own, "/2.0/users/me").json()
    assert (me["firstName"], me["lastName"], me["account"]["name"]) == ("Ada", "King Lovelace", "accountant")
    assert type(me["id"]) is int
    assert get(own, "/2.0/serverinfo").json() == {"supportedLocales": ["en_US"], "formats": {}}
