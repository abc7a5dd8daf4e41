"""The README, tried: every request that it shows is pasted into a shell, and answers what it says."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.programs import required
from tests.running import Running, running

README = (Path(__file__).parents[2] / "README.md").read_text()
SHOWN = re.findall(r"```sh\n([^`]*curl[^`]*)```\s+```json\n(.*?)```", README, re.DOTALL)
VARIES = {"number", "bytes", "file_size", "filesize", "sha256", "thumbhash", "colour"}
"""Fields whose values depend on what was uploaded before, or on the versions of the encoders."""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo as `make serve` starts it: in the folder `demo-library`."""
    with running(tmp_path_factory.mktemp("clone") / "demo-library", "demo") as service:
        yield service


def test_the_readme_shows_a_request_for_every_dialect() -> None:
    assert len(SHOWN) == 5


@pytest.mark.parametrize(("command", "answer"), SHOWN, ids=range(len(SHOWN)))
def test_a_pasted_request_answers_what_the_readme_says(fresh: Running, command: str, answer: str) -> None:
    required("curl")
    completed = subprocess.run(
        ["sh", "-c", command], cwd=fresh.data.parent, capture_output=True, text=True, check=True
    )
    assert _outline(json.loads(completed.stdout)) == _outline(json.loads(answer))


def _outline(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """What of an answer is the same each time: its fields and their order, and every
    value that is no id, number, date or URL."""
    if isinstance(value, dict):
        return [(name, "…" if name in VARIES else _outline(inner)) for name, inner in value.items()]
    if isinstance(value, list):
        return [_outline(inner) for inner in value]
    varies = isinstance(value, str) and re.search(r"[0-9a-f]{8}-|://|\d:\d|^[\w-]{22}$", value)
    return "…" if varies else value
