"""Dialects whose folders were removed, as any can be: the tests that name one are left out."""

import re
from pathlib import Path

from tintype.dialects import discover

TESTS = Path(__file__).parent
REMOVED = {path.parent.name for path in TESTS.glob("dialects/*/conftest.py")} - {
    dialect.name for dialect in discover()
}


def names_removed(path: Path) -> bool:
    """Whether a module of tests names such a dialect, or is one of its own."""
    if not REMOVED or path.suffix != ".py":
        return False
    text = f"{path.relative_to(TESTS)}\n{path.read_text()}"
    return any(re.search(rf"\b{name}\b", text) for name in REMOVED)
