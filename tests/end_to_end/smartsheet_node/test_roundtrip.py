"""The vendor's own JavaScript client, unmodified, with nothing but its base address changed."""

from typing import Any

import httpx
import pytest

from tests import pictures
from tests.end_to_end.smartsheet_node.conftest import Run
from tests.running import Running

PNG = pictures.png(60, 40)


@pytest.fixture(scope="module")
def answers(demo: Running, run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    picture = tmp_path_factory.mktemp("pictures") / "caution.png"
    picture.write_bytes(PNG)
    token = demo.token("smartsheet", "javascript")
    return run("roundtrip.cjs", f"{demo.base_url}/2.0/", token, str(picture))


def test_an_image_put_into_a_cell_is_in_its_row(answers: dict[str, Any]) -> None:
    added, row = answers["added"], answers["row"]
    assert (added["message"], added["resultCode"]) == ("SUCCESS", 0)
    assert added["result"] == row
    assert (row["id"], row["cells"][0]["columnId"]) == (1049441315358596, 7476190317566554)
    assert row["cells"][0]["value"] == "caution.png"
    image = row["cells"][0]["image"]
    assert (image["width"], image["height"], image["altText"]) == (60, 40, "Caution sign")


def test_its_urls_answer_what_they_say(answers: dict[str, Any]) -> None:
    assert answers["urls"]["urlExpiresInMillis"] == 1_800_000
    original, resized, unknown = answers["urls"]["imageUrls"]
    assert (original["width"], original["height"]) == (60, 40)
    assert httpx.get(original["url"]).content == PNG
    assert (resized["width"], resized["height"]) == (20, 40)
    assert pictures.decode(httpx.get(resized["url"]).content).size == (20, 40)
    assert (unknown["error"]["errorCode"], "url" in unknown) == (5001, False)


def test_refusals_arrive_as_the_clients_own(answers: dict[str, Any]) -> None:
    missing, stranger = answers["missing"], answers["stranger"]
    assert (missing["statusCode"], missing["errorCode"], missing["message"]) == (404, 1006, "Not Found")
    assert (stranger["statusCode"], stranger["errorCode"]) == (401, 1002)
    assert missing["refId"]
    assert missing["refId"] != stranger["refId"]
