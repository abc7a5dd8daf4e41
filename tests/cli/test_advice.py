"""Warnings at the start, and the modes of created files."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.killing import killable, log
from tests.running import TINTYPE
from tintype.cli.advice import unsafe_settings
from tintype.dialects import discover
from tintype.settings import load


def warned(data: Path, env: Mapping[str, str]) -> set[str]:
    return {event for event, _ in unsafe_settings(load(data, discover(), env))} - {"runs-as-root"}


@pytest.mark.parametrize(("mode", "warns"), [(0o700, False), (0o750, True), (0o755, True), (0o710, True)])
def test_it_warns_of_a_folder_that_others_can_enter(tmp_path: Path, mode: int, *, warns: bool) -> None:
    tmp_path.chmod(mode)
    assert warned(tmp_path, {}) == ({"data-folder-is-open"} if warns else set())
    assert tmp_path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("host", "warns"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),  # noqa: S104  told of, not bound
        ("::", True),
        ("a.b", True),
    ],
)
def test_it_warns_of_a_public_address_without_a_public_url(tmp_path: Path, host: str, *, warns: bool) -> None:
    tmp_path.chmod(0o700)
    assert warned(tmp_path, {"TINTYPE_WEB_HOST": host}) == ({"no-public-url"} if warns else set())
    named = {"TINTYPE_WEB_HOST": host, "TINTYPE_WEB_PUBLIC_URL": "https://images.example.com"}
    assert warned(tmp_path, named) == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is warned of")
def test_a_start_says_in_words_what_is_unsafe(tmp_path: Path) -> None:
    data = tmp_path / "library"
    with killable(data, "serve", "--port", "0") as service:
        service.ready()
    assert any(line.startswith("Warning: tintype runs as root") for line in service.lines)
    assert [line["event"] for line in log(service) if line["level"] == "warning"] == ["runs-as-root"]


def test_nothing_of_a_new_library_can_be_read_by_others(tmp_path: Path) -> None:
    data = tmp_path / "library"
    command = [TINTYPE, "demo", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, umask=0o022) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"{")
        modes = {path: path.stat().st_mode & 0o077 for path in (data, *data.rglob("*"))}
        process.terminate()
    assert len(modes) > 30
    assert {path for path, mode in modes.items() if mode} == set()
