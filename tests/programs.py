"""Programs that tests run and that this machine may lack."""

import os
import shutil

import pytest


def required(program: str) -> str:
    """Where a program is; without it CI fails, and a developer's machine skips."""
    found = shutil.which(program)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"{program} is not installed, and CI must run this test.")
    if found is None:
        pytest.skip(f"{program} is not installed; a real client needs it.")
    return found
