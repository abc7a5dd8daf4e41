"""The vendor's own Python client, unmodified, with nothing but its base address changed."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import smartsheet
from smartsheet.exceptions import ApiError, RateLimitExceededError

from tests import pictures
from tests.dialects.smartsheet.oauth_flow import REDIRECT, new_app
from tests.running import Running

# The client opens the files it uploads and leaves them open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

SHEET, ROW, COLUMN = 4583173393803140, 5709153020799876, 7036894123976580
JPEG = pictures.jpeg(320, 240)
UNKNOWN = "o1NtQrUsVbskSbnOGVGV8Q"
Sdk = Any
"""smartsheet.Smartsheet: the package ships no types."""


def client(service: Running, token: str) -> Sdk:
    with warnings.catch_warnings():
        # The client sets TLS options that Python calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        made = smartsheet.Smartsheet(token, api_base=f"{service.base_url}/2.0", max_retry_time=0)
    made.errors_as_exceptions()
    return made


@pytest.fixture(scope="module")
def sdk(demo: Running) -> Sdk:
    return client(demo, demo.token("smartsheet", "sdk"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "puppy.jpg"
    path.write_bytes(JPEG)
    return str(path)


@pytest.fixture(scope="module")
def image_id(sdk: Sdk, file: str) -> str:
    added = sdk.Cells.add_image_to_cell(SHEET, ROW + 1, COLUMN, file, "image/jpeg")
    return str(added.data.cells[0].image.id)


def test_from_a_file_to_a_cell_to_a_url_to_the_same_bytes(sdk: Sdk, file: str) -> None:
    added = sdk.Cells.add_image_to_cell(SHEET, ROW, COLUMN, file, "image/jpeg", True, "A small dog")  # noqa: FBT003  the client's own signature
    assert (added.message, added.result_code) == ("SUCCESS", 0)
    assert added.version > 0
    assert (added.data.id, added.data.cells[0].column_id) == (ROW, COLUMN)

    row = sdk.Sheets.get_row(SHEET, ROW)
    cell = row.get_column(COLUMN)
    assert (row.id, cell.value, cell.display_value) == (ROW, "puppy.jpg", "puppy.jpg")
    image = cell.image
    assert (image.width, image.height, image.alt_text) == (320, 240, "A small dog")
    assert image.id == added.data.cells[0].image.id
    assert cell.formula == f'=SYS_CELLIMAGE("puppy.jpg","{image.id}",240,320,"puppy.jpg")'
    assert row.created_at == added.data.created_at

    answered = sdk.Images.get_image_urls([sdk.models.ImageUrl({"image_id": image.id})])
    assert answered.url_expires_in_millis == 1_800_000
    (found,) = answered.image_urls
    assert (found.image_id, found.width, found.height, found.error) == (image.id, 320, 240, None)
    assert httpx.get(found.url).content == JPEG


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"width": 160}, (160, 120)),
        ({"height": 60}, (80, 60)),
        ({"width": 100, "height": 100}, (100, 100)),
        ({"width": 5000}, (320, 240)),
    ],
)
def test_a_resized_picture_has_exactly_the_size_that_is_said(
    sdk: Sdk, image_id: str, asked: dict[str, int], size: tuple[int, int]
) -> None:
    (found,) = sdk.Images.get_image_urls([sdk.models.ImageUrl({"image_id": image_id, **asked})]).image_urls
    assert (found.width, found.height) == pictures.decode(httpx.get(found.url).content).size == size


def test_a_single_item(sdk: Sdk, image_id: str) -> None:
    (found,) = sdk.Images.get_image_urls(sdk.models.ImageUrl({"image_id": image_id})).image_urls
    assert found.width == 320


@pytest.mark.parametrize("file_type", ["png", "image/jpeg", "text/plain"])
def test_whatever_the_content_type_says(sdk: Sdk, file: str, file_type: str) -> None:
    added = sdk.Cells.add_image_to_cell(SHEET, ROW + 2, COLUMN, file, file_type)
    assert added.data.cells[0].image.width == 320


def test_a_row_without_its_images(sdk: Sdk, image_id: str) -> None:
    (cell,) = sdk.Sheets.get_row(SHEET, ROW + 1, exclude="image").cells
    assert (cell.value, cell.image) == ("puppy.jpg", None)
    assert image_id in cell.formula


def test_a_whole_flow_from_the_list_of_sheets_to_the_bytes(sdk: Sdk, image_id: str) -> None:
    assert sdk.Users.get_current_user().account.name == "sdk"
    assert sdk.Server.server_info().supported_locales
    listed = sdk.Sheets.list_sheets(include_all=True)
    assert [sheet.id for sheet in listed.data] == [SHEET]
    assert [column.id for column in sdk.Sheets.get_columns(SHEET).data] == [COLUMN]
    sheet = sdk.Sheets.get_sheet(SHEET, row_ids=[ROW + 1], column_ids=[COLUMN])
    [row] = sheet.rows
    assert row.get_column(COLUMN).image.id == image_id
    (found,) = sdk.Images.get_image_urls([sdk.models.ImageUrl({"image_id": image_id})]).image_urls
    assert httpx.get(found.url).content == JPEG


def test_an_item_that_fails_among_others(sdk: Sdk, image_id: str) -> None:
    item = sdk.models.ImageUrl
    asked = [
        item({"image_id": UNKNOWN}),
        item({"image_id": image_id}),
        item({"image_id": image_id, "width": 0.5}),
    ]
    unknown, good, bad = sdk.Images.get_image_urls([*asked]).image_urls
    assert unknown.error.code == unknown.error.error_code == 5001
    assert unknown.error.message == "You do not have permission to view this image."
    assert (unknown.image_id, unknown.url) == (UNKNOWN, None)
    assert good.error is None
    assert bad.error.code == 1031
    assert unknown.error.ref_id
    assert unknown.error.ref_id != bad.error.ref_id


def test_the_image_of_another_account(demo: Running, image_id: str) -> None:
    other = client(demo, demo.info["smartsheet"]["token"])
    (found,) = other.Images.get_image_urls([other.models.ImageUrl({"image_id": image_id})]).image_urls
    assert (found.error.code, found.url) == (5001, None)


def refusal(call: Callable[[], object]) -> tuple[int, int, str]:
    """Status, code and message of the error that a call raises."""
    with pytest.raises(ApiError) as raised:
        call()
    result = raised.value.error.result
    assert result.ref_id
    assert not result.should_retry
    return result.status_code, result.error_code, result.message


def test_errors_arrive_as_the_clients_own(demo: Running, sdk: Sdk, file: str, tmp_path: Path) -> None:
    assert refusal(lambda: sdk.Sheets.get_row(SHEET, 1)) == (404, 1006, "Not Found")
    assert refusal(lambda: sdk.Images.get_image_urls([]))[:2] == (400, 1012)
    text = tmp_path / "not.jpg"
    text.write_text("nonsense")
    assert refusal(lambda: sdk.Cells.add_image_to_cell(SHEET, 1, COLUMN, str(text), "image/jpeg"))[:2] == (
        400,
        1074,
    )
    long = "x" * 101
    add = sdk.Cells.add_image_to_cell
    assert refusal(lambda: add(SHEET, 1, COLUMN, file, "image/jpeg", alt_text=long))[:2] == (400, 1165)
    wrong = client(demo, "nonsense")
    assert refusal(lambda: wrong.Sheets.get_row(SHEET, ROW)) == (401, 1002, "Your Access Token is invalid.")
    reader = client(demo, demo.token("smartsheet", "sdk", scope=["READ_SHEETS"]))
    answer = refusal(lambda: reader.Cells.add_image_to_cell(SHEET, ROW, COLUMN, file, "image/jpeg"))
    assert answer == (403, 1004, "You are not authorized to perform this action.")


def test_the_clients_own_token_calls(demo: Running) -> None:
    with httpx.Client(base_url=demo.base_url) as http:
        app = new_app(demo, http)
        code = app.code(demo.token("smartsheet", "sdk"))
    anyone = client(demo, "none")
    issued = anyone.Token.get_access_token(app.client_id, code, app.hashed(code))
    assert (issued.token_type, issued.expires_in) == ("bearer", 604_800)
    old = issued.refresh_token
    refreshed = anyone.Token.refresh_access_token(app.client_id, old, app.hashed(old), REDIRECT)
    own = client(demo, refreshed.access_token)
    item = own.models.ImageUrl({"image_id": UNKNOWN})
    assert own.Images.get_image_urls([item]).image_urls[0].error.code == 5001
    revoked = own.Token.revoke_access_token()
    assert (revoked.message, revoked.result_code) == ("SUCCESS", 0)
    assert refusal(lambda: own.Images.get_image_urls([item]))[:2] == (401, 1002)
    call = anyone.Token.get_access_token
    assert refusal(lambda: call(app.client_id, code, app.hashed(code)))[:2] == (400, 1031)


def test_a_large_file_that_may_not_be_uploaded_is_told_so(demo: Running, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(JPEG.ljust(29 * 1024 * 1024, b"\0"))
    wrong = client(demo, "nonsense")
    assert refusal(lambda: wrong.Cells.add_image_to_cell(SHEET, 1, COLUMN, str(large), "image/jpeg"))[:2] == (
        401,
        1002,
    )


def test_the_clients_other_headers(demo: Running, image_id: str) -> None:
    dressed = client(demo, demo.token("smartsheet", "sdk"))
    dressed.assume_user("jane.doe@example.com")
    dressed.with_change_agent("nightly-sync")
    (found,) = dressed.Images.get_image_urls([dressed.models.ImageUrl({"image_id": image_id})]).image_urls
    assert found.error is None


def test_too_many_requests_are_what_the_client_tries_again(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_SMARTSHEET_REQUESTS="1")
    sdk = client(service, service.token("smartsheet"))
    item = sdk.models.ImageUrl({"image_id": UNKNOWN})
    sdk.Images.get_image_urls([item])
    with pytest.raises(RateLimitExceededError) as raised:
        sdk.Images.get_image_urls([item])
    assert raised.value.error.result.error_code == 4003
