"""Commands called in this process: the same code as in a process of its own, without its second of start."""

from pathlib import Path

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
    said(folder, "init")
    return folder


def said(data: Path | None, *arguments: str) -> str:
    """What a command says on standard output; it must succeed."""
    result = call(data, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout
