"""Docs that can't lie: what the code has, they have."""

import re
from pathlib import Path

import pytest

from tests.docs.reading import commands, setting_rows
from tintype.dialects import discover
from tintype.model import Kind

DOCS = Path(__file__).parents[2] / "docs"
ROOT = DOCS.parent
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "benchmarks" / "README.md"])


def test_every_setting_is_in_the_docs_with_its_default_and_meaning() -> None:
    page = (DOCS / "settings.md").read_text()
    assert [row for row in setting_rows() if row not in page] == []


def test_the_docs_have_no_setting_that_there_is_not() -> None:
    page = (DOCS / "settings.md").read_text()
    variables = {row.split("`")[3] for row in setting_rows()}
    assert set(re.findall(r"\| `(TINTYPE_\w+)` \|", page)) == variables


def test_every_command_and_option_is_in_the_docs() -> None:
    page = (DOCS / "commands.md").read_text()
    for words, command in commands():
        assert f"`{words}" in page, words
        for parameter in command.params:
            name = parameter.opts[0] if parameter.opts[0].startswith("-") else str(parameter.metavar or "")
            assert name in page, (words, parameter.name)


@pytest.mark.parametrize("kind", Kind)
def test_every_error_is_in_the_docs(kind: Kind) -> None:
    assert f"| `{kind.value}` |" in (DOCS / "errors.md").read_text()


@pytest.mark.parametrize("dialect", [dialect.name for dialect in discover()])
def test_every_dialect_has_a_page_with_its_paths_and_scopes(dialect: str) -> None:
    record = next(found for found in discover() if found.name == dialect)
    page = (DOCS / "dialects" / f"{dialect}.md").read_text()
    for expected in (*record.prefixes, *(record.api.scopes if record.api else ())):
        assert expected in page, expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_nothing_advises_the_package_of_another_project() -> None:
    """On PyPI `tintype` is somebody else's; ours is `tintype-server`."""
    files = [*(ROOT / "src").rglob("*.py"), *PAGES, ROOT / "Makefile"]
    advice = re.compile(r"(?:pip3?|pipx|uv|uvx)\b[^\n`]*?\s['\"]?tintype(?![\w-])")
    assert advice.search("pip install 'tintype[svg]'")
    found = [
        (file.name, line) for file in files for line in file.read_text().splitlines() if advice.search(line)
    ]
    assert found == []
