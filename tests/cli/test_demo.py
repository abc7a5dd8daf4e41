"""`tintype demo`: complete, private, the same when it is started again; its first page."""

import html
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.calling import error_message, file_tree, library
from tests.cli.killing import killable
from tests.running import Running, running

KEYS = {"base_url", "mews", "smartsheet", "publisher", "evotor", "native", "foreign_image_id", "images"}
CREDENTIALS = {
    "mews": {"client_token", "access_token"},
    "smartsheet": {"token"},
    "publisher": {"token"},
    "evotor": {"token", "store_id", "product_id"},
    "native": {"token"},
}
ROOT = Path(__file__).parents[2]
IMAGE = {"id", "short_id", "number", "name", "extension", "width", "height", "bytes", "status"}


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


def test_each_image_has_the_id_that_smartsheet_clients_send(demo: Running) -> None:
    headers = {"Authorization": f"Bearer {demo.info['smartsheet']['token']}"}
    items = [{"imageId": image["short_id"]} for image in demo.info["images"] if image["status"] == "active"]
    response = httpx.post(f"{demo.base_url}/2.0/imageurls", json=items, headers=headers)
    urls = [item["url"] for item in response.json()["imageUrls"]]
    assert {httpx.get(url).status_code for url in urls} == {200}


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
        statuses = [image["status"] for image in demo.info["images"]]
        assert len(shown) == statuses.count("active")
        assert {httpx.get(url).status_code for url in shown} == {200}
        assert page.count("<p>archived</p>") == statuses.count("archived")


@pytest.mark.parametrize(
    ("name", "media_type", "beginning"),
    [
        ("favicon.svg", "image/svg+xml", b"<svg "),
        # An icon directory (type 1) of three images.
        ("favicon.ico", "image/vnd.microsoft.icon", struct.pack("<3H", 0, 1, 3)),
    ],
)
def test_it_has_an_icon_that_browsers_may_cache(
    demo: Running, name: str, media_type: str, beginning: bytes
) -> None:
    answer = httpx.get(f"{demo.base_url}/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content.startswith(beginning)
    assert answer.headers["cache-control"] == "public, max-age=86400"


def test_its_first_page_names_the_icon(demo: Running) -> None:
    found = re.search(r'<link rel="icon" href="([^"]+)"', httpx.get(demo.base_url).text)
    assert found
    assert httpx.get(found[1]).status_code == 200


def test_its_first_page_does_without_pictures_where_nothing_signs_links_to_them(
    demo: Running, tmp_path: Path
) -> None:
    shutil.copytree(demo.data, tmp_path / "library")
    with running(tmp_path / "library", "demo", {"TINTYPE_WEB_DIALECTS": "mews"}) as again:
        answer = httpx.get(again.base_url)
        assert (answer.status_code, "<img" in answer.text) == (200, False)


def test_ctrl_c_while_it_fills_ends_in_one_line_and_the_next_start_completes_it(tmp_path: Path) -> None:
    data = tmp_path / "library"
    with killable(data, "demo", "--port", "0") as filling:
        # The first file that the filling process writes; it marks the folder before, and is empty then.
        sample = data / "000.png"
        while not sample.exists() or not sample.stat().st_size:
            assert filling.process.poll() is None
        # To the whole group, as a terminal does.
        os.killpg(filling.process.pid, signal.SIGINT)
        assert filling.join(30) == 130
    assert filling.lines == [
        "Making the demo library…\n",
        "Stopped. What was done so far stays; the same command goes on from there.\n",
    ]
    with running(data, "demo") as completed:
        assert len(completed.info["images"]) == 12


def test_it_adds_nothing_to_a_library_of_somebody(tmp_path: Path) -> None:
    data = library(tmp_path / "library")
    before = file_tree(data)
    assert "has a library that is no demo" in error_message(data, "demo", "--port", "0")
    assert file_tree(data) == before


def test_make_serve_takes_a_folder_with_a_space() -> None:
    command = [
        "make",
        "--no-print-directory",
        "--dry-run",
        "--assume-old=.venv/installed",
        "serve",
        "DATA=my library",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert shlex.split(done.stdout.splitlines()[-1])[2:4] == ["--data", "my library"]
