"""A dialect that only delivers is one small folder: found, served and conforming without another change."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests import pictures
from tests.dialects.conformance import copy_sources
from tests.running import Running, call_cli, run_cli, running
from tintype.model.ids import short

EXAMPLE = Path(__file__).with_name("example") / "thumbs"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which a copy of the sources runs that has the folder too."""
    copy = tmp_path_factory.mktemp("sources")
    shutil.copytree(EXAMPLE, copy_sources(copy) / EXAMPLE.name)
    return {"PYTHONPATH": str(copy)}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("library") / "library"
    run_cli(data, "init", env=environment)
    with running(data, "serve", environment) as started:
        yield started


@pytest.fixture(scope="module")
def image(service: Running) -> UUID:
    """An image of 120 by 90 pixels, of the account `demo`."""
    headers = {"Authorization": f"Bearer {service.token('native')}"}
    uploaded = httpx.post(f"{service.base_url}/v1/images", content=pictures.png(120, 90), headers=headers)
    return UUID(uploaded.json()["id"])


def test_the_folder_is_short() -> None:
    assert sum(len(path.read_text().splitlines()) for path in EXAMPLE.glob("*.py")) <= 250


def test_its_links_open_once_the_account_publishes_through_it(
    service: Running, image: UUID, environment: dict[str, str]
) -> None:
    link = f"{service.base_url}/thumbs/60x60/{short(image)}"
    missing = httpx.get(link)
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:tintype:error:not-found")
    assert "thumbs default" in run_cli(
        service.data, "account", "publish", "demo", "thumbs", "--add", env=environment
    )
    served = httpx.get(link)
    assert (served.status_code, served.headers["Content-Type"]) == (200, "image/png")
    assert pictures.decode(served.content).size == (60, 45)
    assert served.headers["Cache-Control"] == "public, max-age=3600"


def test_it_has_no_tokens(service: Running, environment: dict[str, str]) -> None:
    refused = call_cli(service.data, "token", "create", "--dialect", "thumbs", env=environment)
    assert (refused.returncode, "there are evotor, mews" in refused.stderr) == (2, True)


def test_it_conforms(environment: dict[str, str]) -> None:
    selected = [f"{ROOT}/tests/dialects/test_conformance.py", "-k", "thumbs"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *selected],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 100
