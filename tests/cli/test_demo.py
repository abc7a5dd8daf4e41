"""`tintype demo`: complete, private, and the same when it is started again."""

import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import Running, running

KEYS = {"base_url", "mews", "smartsheet", "publisher", "evotor", "native", "foreign_image_id", "images"}
CREDENTIALS = {
    "mews": {"client_token", "access_token"},
    "smartsheet": {"token"},
    "publisher": {"token"},
    "evotor": {"token", "store_id", "product_id"},
    "native": {"token"},
}
IMAGE = {"id", "number", "name", "extension", "width", "height", "bytes", "status"}


def test_its_facts_have_exactly_the_documented_keys(demo: Running) -> None:
    assert demo.info.keys() == KEYS
    assert {name: demo.info[name].keys() for name in CREDENTIALS} == CREDENTIALS
    assert demo.info["images"]
    assert all(image.keys() == IMAGE for image in demo.info["images"])
    assert {image["status"] for image in demo.info["images"]} == {"active", "archived"}


def test_its_facts_lie_in_a_private_file_too(demo: Running) -> None:
    assert json.loads((demo.data / "demo.json").read_bytes()) == demo.info


@pytest.mark.parametrize("name", ["demo.json", "demo.env", "demo-credentials.json", "link-keys.json"])
def test_what_holds_secrets_is_readable_by_its_owner_only(demo: Running, name: str) -> None:
    assert (demo.data / name).stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo that nobody else adds images to."""
    with running(tmp_path_factory.mktemp("demo") / "library", "demo") as service:
        yield service


def test_its_images_are_there(demo: Running) -> None:
    headers = {"Authorization": f"Bearer {demo.info['native']['token']}"}
    for image in demo.info["images"]:
        answer = httpx.get(f"{demo.base_url}/v1/images/{image['id']}", headers=headers)
        assert {key: answer.json()[key] for key in IMAGE} == image
    foreign = httpx.get(f"{demo.base_url}/v1/images/{demo.info['foreign_image_id']}", headers=headers)
    assert foreign.status_code == 404


def test_started_again_it_is_the_same_library_with_the_same_credentials(
    demo: Running, tmp_path: Path
) -> None:
    shutil.copytree(demo.data, tmp_path / "library")
    with running(tmp_path / "library", "demo") as again:
        assert again.base_url != demo.base_url
        assert again.info | {"base_url": ""} == demo.info | {"base_url": ""}
        headers = {"Authorization": f"Bearer {demo.info['native']['token']}"}
        assert httpx.get(f"{again.base_url}/v1/images", headers=headers).is_success


@pytest.mark.parametrize("env", [{}, {"TINTYPE_MEWS_LINKS": "signed"}, {"TINTYPE_WEB_DIALECTS": "native"}])
def test_its_first_page_shows_its_pictures(demo: Running, tmp_path: Path, env: dict[str, str]) -> None:
    shutil.copytree(demo.data, tmp_path / "library")
    with running(tmp_path / "library", "demo", env) as again:
        page = html.unescape(httpx.get(again.base_url).text)
        shown = re.findall(r'<img src="([^"]+)"', page)
        assert len(shown) == len(demo.info["images"])
        active = sum(image["status"] == "active" for image in demo.info["images"])
        assert sum(httpx.get(url).status_code == 200 for url in shown) == active


def test_its_first_page_does_without_pictures_where_nothing_signs_links_to_them(
    demo: Running, tmp_path: Path
) -> None:
    shutil.copytree(demo.data, tmp_path / "library")
    with running(tmp_path / "library", "demo", {"TINTYPE_WEB_DIALECTS": "mews"}) as again:
        answer = httpx.get(again.base_url)
        assert (answer.status_code, "<img" in answer.text) == (200, False)
