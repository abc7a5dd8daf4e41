"""The disk lost an original: clients are told that it is our fault, and the operator which one it is."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests import pictures
from tests.cli.calling import library, run
from tests.cli.killing import killable
from tests.extra_pictures import svg

EVENT = "original-missing"
COUNTER = re.compile(r"^tintype_originals_missing_total (\S+)$", re.MULTILINE)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("lose", [Path.unlink, cut])
def test_a_lost_original_is_an_error_and_never_looks_deleted(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    data = library(tmp_path / "library")
    token = run(data, "token", "create", "--dialect", "native").strip()
    with killable(data, "serve", "--port", "0", TINTYPE_WEB_METRICS="true") as service:
        with httpx.Client(base_url=service.ready(), headers={"Authorization": f"Bearer {token}"}) as client:
            image = client.post("/v1/images", content=pictures.png(64, 48)).json()
            lose(data / "originals" / image["sha256"][:2] / image["sha256"])
            wanted = {"links": [{"image": image["id"], "width": 32}]}
            link = client.post("/v1/links", json=wanted).json()["links"][0]["url"]
            for url in (image["url"], link):
                answer = client.get(url)
                assert answer.status_code == 500
                assert answer.json()["type"] == "urn:tintype:error:original-missing"
                assert answer.headers["cache-control"] == "no-store"
            (counted,) = COUNTER.findall(client.get("/metrics").text)
            assert float(counted) == 2
            # Bringing the same bytes once more mends it.
            client.post("/v1/images", content=pictures.png(64, 48))
            assert client.get(image["url"]).content == pictures.png(64, 48)
            assert client.get(link).status_code == 200
        service.process.terminate()
        service.join(30)
    lines = [json.loads(line) for line in service.lines if line.startswith("{")]
    logged = [line for line in lines if line["event"] == EVENT]
    assert [(line["level"], line["image"]) for line in logged] == [("error", image["id"])] * 2


def test_what_cannot_be_drawn_is_not_said_to_be_lost(tmp_path: Path) -> None:
    """Each group of this SVG takes a surface of the size that it is drawn at: small it can be, large not."""
    data = library(tmp_path / "library")
    token = run(data, "token", "create", "--dialect", "native").strip()
    groups = svg('<g opacity="0.9">' * 150 + '<rect width="80" height="60"/>' + "</g>" * 150)
    with killable(data, "serve", "--port", "0") as service:
        with httpx.Client(base_url=service.ready(), headers={"Authorization": f"Bearer {token}"}) as client:
            image = client.post("/v1/images", content=groups).json()
            wanted = {"links": [{"image": image["id"], "width": width} for width in (80, 2000)]}
            small, large = client.post("/v1/links", json=wanted).json()["links"]
            assert client.get(small["url"]).status_code == 200
            refused = client.get(large["url"], timeout=30)
            assert refused.status_code == 400
            assert refused.json()["detail"].startswith("The picture takes more memory than the limit of ")
        service.process.terminate()
        service.join(30)
    lines = [json.loads(line) for line in service.lines if line.startswith("{")]
    assert [line for line in lines if line["level"] == "error"] == []
