"""The vendor's JavaScript client, installed once."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.programs import required

HERE = Path(__file__).parent

Run = Callable[..., dict[str, Any]]
"""Runs a script of this folder with arguments, and returns what it prints, read as JSON."""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client: this one if it is installed here."""
    if (HERE / "node_modules" / "smartsheet").is_dir():
        return HERE
    npm = required("npm")
    folder = tmp_path_factory.mktemp("smartsheet-node")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def run(package: Path) -> Run:
    def run_script(name: str, *arguments: str) -> dict[str, Any]:
        # Beside its node_modules, where `require` looks.
        script = package / name
        if package != HERE:
            shutil.copy(HERE / name, script)
        command = [required("node"), str(script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        made: dict[str, Any] = json.loads(done.stdout)
        return made

    return run_script
