"""The command line: help, settings, errors in one sentence."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import click
import pytest

from tests.cli.calling import call, command, commands, library, run
from tintype import __version__
from tintype.cli import main
from tintype.cli.main import COMMANDS


@pytest.mark.parametrize("path", [(), *commands(main)], ids=" ".join)
def test_help_names_what_a_command_takes(path: tuple[str, ...]) -> None:
    shown, asked = run(None, *path, "--help"), command(path)
    for parameter in asked.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in shown
            assert parameter.help
        else:
            assert str(parameter.human_readable_name).upper() in shown
    if isinstance(asked, click.Group):
        assert all(name in shown for name in asked.list_commands(click.Context(asked)))


def test_the_help_lists_every_command() -> None:
    assert all(name in run(None, "--help") for name in COMMANDS)


def test_the_version_is_told() -> None:
    assert __version__ in run(None, "--version")


def test_a_command_that_does_not_exist_is_named() -> None:
    result = call(None, "improt")
    assert result.exit_code == 2
    assert "improt" in result.stderr


@pytest.mark.parametrize("arguments", [["check"], ["gc"], ["migrate"], ["keys", "list"], ["token", "list"]])
def test_a_misspelt_variable_is_named_in_one_sentence(tmp_path: Path, arguments: list[str]) -> None:
    result = call(tmp_path, *arguments, env={"TINTYPE_WEB_PROT": "1"})
    assert result.exit_code == 1
    assert "TINTYPE_WEB_PROT is not a setting" in result.stderr
    assert result.stdout == ""


def test_an_unknown_section_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tintype.toml").write_text("[wbe]\nport = 1\n")
    result = call(tmp_path, "check")
    assert result.exit_code == 1
    assert "[wbe]" in result.stderr
    assert "web" in result.stderr


def test_a_catalogue_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    library(tmp_path)
    with closing(sqlite3.connect(tmp_path / "catalogue.sqlite3")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    result = call(tmp_path, "check")
    assert result.exit_code == 1
    assert "9999" in result.stderr


def test_a_file_that_is_no_catalogue_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite3").write_bytes(b"not a database, but long enough to look like one" * 100)
    result = call(tmp_path, "check")
    assert result.exit_code == 1
    assert "catalogue" in result.stderr


def test_a_file_that_holds_no_keys_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    (library(tmp_path) / "link-keys.json").write_bytes(b"{")
    result = call(tmp_path, "keys", "list")
    assert result.exit_code == 1
    assert "link-keys.json" in result.stderr


def test_a_data_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    result = call(tmp_path / "file", "check")
    assert result.exit_code == 2
    assert "file" in result.stderr


def test_a_name_that_is_no_text_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    result = call(library(tmp_path), "token", "create", "--dialect", "native", "--account", "\udcff")
    assert result.exit_code == 1
    assert "UTF-8" in result.stderr


def test_a_taken_port_is_named_and_a_way_out_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = call(tmp_path, "serve", "--port", str(port))
    assert result.exit_code == 1
    assert f"127.0.0.1 port {port}" in " ".join(result.stderr.split())
    assert "--port" in result.stderr


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_an_address_that_is_not_ours_is_an_error(tmp_path: Path, host: str) -> None:
    result = call(tmp_path, "serve", "--port", "0", "--host", host)
    assert result.exit_code == 1
    assert host in " ".join(result.stderr.split())


def test_new_keys_are_made_only_where_there_are_none(tmp_path: Path) -> None:
    keys = library(tmp_path) / "link-keys.json"
    result = call(tmp_path, "keys", "new")
    assert (result.exit_code, "is valid" in result.stderr.replace("\n", " ")) == (1, True)
    before = keys.read_bytes()
    keys.unlink()
    assert call(tmp_path, "keys", "rotate").exit_code == 1
    assert not keys.exists()
    made = run(tmp_path, "keys", "new")
    assert made.startswith("Made ")
    assert run(tmp_path, "keys", "list").split()[0] in made
    assert keys.read_bytes() != before


def test_keys_are_listed_added_and_retired(tmp_path: Path) -> None:
    (first,) = run(library(tmp_path), "keys", "list").splitlines()
    assert run(tmp_path, "keys", "rotate").startswith("Added ")
    old, new = run(tmp_path, "keys", "list").splitlines()
    assert old == first
    assert run(tmp_path, "keys", "retire", old.split()[0]) == f"Removed {old.split()[0]}.\n"
    assert run(tmp_path, "keys", "list").splitlines() == [new]
    for key in (new.split()[0], "unknown"):
        result = call(tmp_path, "keys", "retire", key)
        assert result.exit_code == 1
        assert key in result.stderr
    secret = (tmp_path / "link-keys.json").read_text()
    assert new.split()[0] in secret
    assert len(run(tmp_path, "keys", "list")) < 60
