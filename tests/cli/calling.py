"""Calls commands in this process, which saves the second that a new process takes to start."""

from pathlib import Path

import click
from click.testing import CliRunner, Result

from tintype.cli import main


def call(data: Path | None, *arguments: str, env: dict[str, str | None] | None = None) -> Result:
    """A command on a data folder, run to its end, whatever that is; nothing unforeseen may be raised."""
    folder = {} if data is None else {"TINTYPE_DATA": str(data)}
    wide = {"COLUMNS": "500"}  # errors stand in a box, which would break paths at its edge
    result = CliRunner().invoke(main, arguments, env={**wide, **folder, **(env or {})}, prog_name="tintype")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def library(folder: Path) -> Path:
    """The folder, with a new library in it."""
    run(folder, "init")
    return folder


def run(data: Path | None, *arguments: str) -> str:
    """What a command says on standard output; it must succeed."""
    result = call(data, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def file_tree(folder: Path) -> dict[str, bytes]:
    """All that is below a folder; folders end in a slash."""
    found = {f"{path.relative_to(folder)}/": b"" for path in folder.rglob("*") if path.is_dir()}
    return found | {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def error_message(data: Path, *arguments: str) -> str:
    """What a refused command says: one sentence on standard error, nothing else."""
    result = call(data, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    inside = [line.strip("│ ") for line in result.stderr.splitlines() if line.startswith("│")]
    assert "Traceback" not in result.stderr
    return " ".join(inside)


def commands(group: click.Group, *above: str) -> list[tuple[str, ...]]:
    """The paths of all commands below a group."""
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*above, name))
        if isinstance(command, click.Group):
            found += commands(command, *above, name)
    return found


def command(path: tuple[str, ...]) -> click.Command:
    """The command at a path."""
    found: click.Command = main
    for name in path:
        assert isinstance(found, click.Group)
        step = found.get_command(click.Context(found), name)
        assert step is not None
        found = step
    return found
