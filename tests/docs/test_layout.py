"""What every module of the tests keeps to."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def imported(file: Path) -> set[str]:
    """The modules that a module imports from, and the names that may be modules too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module or ''}"} | {each.name for each in node.names}
    return found


def test_no_module_takes_anything_from_a_test_module() -> None:
    modules = {file.stem for file in TESTS.rglob("test_*.py")}
    assert len(modules) > 100
    takes = {
        (file.name, name)
        for file in TESTS.rglob("*.py")
        for name in imported(file)
        if name.rpartition(".")[2] in modules
    }
    assert takes == set()
