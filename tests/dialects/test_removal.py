"""Without the folder of any one dialect, the service starts and serves all others."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.dialects import conformance
from tests.dialects.conformance import DIALECTS, copy_sources
from tests.running import call_cli, run_cli, running
from tintype.dialects import AnyDialect
from tintype.model import Kind


@pytest.mark.parametrize("removed", DIALECTS, ids=lambda dialect: dialect.name)
def test_without_its_folder_all_others_are_served(removed: AnyDialect, tmp_path: Path) -> None:
    others = [dialect for dialect in DIALECTS if dialect is not removed]
    with running(tmp_path / "library", "demo", without(removed, tmp_path / "src")) as demo:
        assert httpx.get(f"{demo.base_url}/healthz").status_code == 200
        assert removed.name not in demo.info
        for prefix in removed.prefixes:
            answer = httpx.get(f"{demo.base_url}{prefix}/x")
            assert (answer.status_code, answer.json()["type"]) == (404, "urn:tintype:error:not-found")
        for dialect in others:
            answer = httpx.get(f"{demo.base_url}{dialect.prefixes[0]}/no-such-thing")
            conformance.assert_says(dialect, Kind.NOT_FOUND, answer)
        page = html.unescape(httpx.get(demo.base_url).text)
        examples = re.findall(r"<pre[^>]*>(?:<code>)?(curl.*?)(?:</code>)?</pre>", page, re.DOTALL)
        assert len(examples) == len([dialect for dialect in others if dialect.example])
        for example in examples:
            assert succeeds(example), example
        thumbnails = re.findall(r'<img src="([^"]+)"', page)
        assert bool(thumbnails) == any(dialect.write_image_link for dialect in others)
        assert {httpx.get(url).status_code for url in thumbnails} <= {200}


def test_a_command_that_makes_links_says_when_no_dialect_has_any(tmp_path: Path) -> None:
    writers = [dialect for dialect in DIALECTS if dialect.write_image_link is not None]
    env = without(writers[0], tmp_path / "src")
    assert len(writers) == 1
    run_cli(tmp_path / "library", "init", env=env)
    done = call_cli(tmp_path / "library", "link", "00000000-0000-0000-0000-000000000001", env=env)
    assert (done.returncode, "No dialect that is installed" in done.stderr) == (1, True)


def without(removed: AnyDialect, folder: Path) -> dict[str, str]:
    """The environment in which a copy of the sources runs that lacks a dialect."""
    shutil.rmtree(copy_sources(folder) / removed.name)
    return {"PYTHONPATH": str(folder)}


def succeeds(command: str) -> bool:
    """Whether a request that was pasted into a shell is answered with a success."""
    shell = f'curl() {{ command curl --fail --silent --show-error "$@"; }}\n{command}'
    return subprocess.run(["sh", "-c", shell], capture_output=True, check=False, timeout=60).returncode == 0
