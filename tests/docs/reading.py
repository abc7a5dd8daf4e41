"""What the code says of itself, read from its source and its command line."""

import ast
import inspect
import textwrap
from collections.abc import Iterator

import msgspec
import rich_click as click
from msgspec import Struct

from tintype.cli import main
from tintype.dialects import discover
from tintype.settings import PREFIX, sections


def setting_rows() -> Iterator[str]:
    """A row of the settings' tables for every setting: name, variable, default, meaning."""
    for section, kind in sections(discover()).items():
        meanings = _meanings(kind)
        for field in msgspec.structs.fields(kind):
            variable = f"{PREFIX}{section}_{field.name}".upper()
            default = msgspec.json.encode(field.default).decode()
            yield f"| `{field.name}` | `{variable}` | `{default}` | {meanings[field.name]} |"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command, by the words that call it."""
    yield from _below("tintype", main)


def _below(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _below(f"{words} {name}", found)


def _meanings(kind: type[Struct]) -> dict[str, str]:
    """The text under each field of a settings class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            assert isinstance(field.target, ast.Name)
            assert isinstance(below.value, ast.Constant)
            found[field.target.id] = " ".join(str(below.value.value).split())
    return found
