"""`tintype token`: the secret is shown once and never listed; expiry and revocation."""

import re
from pathlib import Path

import pytest

from tests.cli.calling import call, library, run

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return library(tmp_path / "library")


def rows(data: Path, *options: str) -> list[list[str]]:
    """The cells of the list."""
    lines = run(data, "token", "list", *options).splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]


def test_the_secret_is_alone_on_standard_output(data: Path) -> None:
    result = call(data, "token", "create", "--dialect", "smartsheet")
    (secret,) = result.stdout.splitlines()
    assert SECRET.fullmatch(secret)
    assert secret not in result.stderr
    assert "can't be shown again" in result.stderr


def test_a_pair_is_two_lines(data: Path) -> None:
    client, access = run(data, "token", "create", "--dialect", "mews").splitlines()
    assert SECRET.fullmatch(client)
    assert SECRET.fullmatch(access)
    first, second = rows(data)
    assert (first[4], first[7]) == ("client", client[-4:])
    assert (second[4], second[7]) == ("access", access[-4:])


def test_the_list_tells_everything_but_the_secret(data: Path) -> None:
    options = {
        "--account": "north",
        "--person": "Борис Петров",
        "--dialect": "publisher",
        "--role": "channel-admin",
        "--label": "till [bold]3[/bold] [/x]",
        "--expires": "90m",
    }
    secret = run(data, "token", "create", *(part for pair in options.items() for part in pair)).strip()
    (row,) = rows(data)
    assert row[1:9] == [
        "north",
        "Борис Петров",
        "publisher",
        "access",
        "channel-admin",
        "",
        secret[-4:],
        "till [bold]3[/bold] [/x]",
    ]
    assert re.fullmatch(r"until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", row[9])
    assert secret not in run(data, "token", "list")
    assert secret[:-4] not in run(data, "token", "list")


def test_the_list_can_be_one_accounts(data: Path) -> None:
    for account in ("north", "south"):
        run(data, "token", "create", "--dialect", "native", "--account", account)
    assert [row[1] for row in rows(data)] == ["north", "south"]
    assert [row[1] for row in rows(data, "--account", "south")] == ["south"]
    assert "no account 'west'" in call(data, "token", "list", "--account", "west").stderr


def test_a_revoked_token_says_so(data: Path) -> None:
    run(data, "token", "create", "--dialect", "mews")
    client, access = rows(data)
    assert run(data, "token", "revoke", client[0]) == f"Revoked {client[0]} (mews, default).\n"
    assert [row[9].split()[0] for row in rows(data)] == ["revoked", "revoked"]
    assert access[9] == "valid"


@pytest.mark.parametrize(
    ("token_id", "status"), [("00000000-0000-0000-0000-000000000001", 1), ("not-an-id", 2)]
)
def test_revoking_what_does_not_exist_is_an_error_that_names_it(
    data: Path, token_id: str, status: int
) -> None:
    result = call(data, "token", "revoke", token_id)
    assert result.exit_code == status
    assert token_id in result.stderr


def test_without_scopes_a_token_has_all_of_its_dialect(data: Path) -> None:
    run(data, "token", "create", "--dialect", "native")
    run(data, "token", "create", "--dialect", "native", "--scope", "images:read")
    assert [row[6] for row in rows(data)] == ["images:read images:write", "images:read"]


def test_no_label_is_more_than_text(data: Path) -> None:
    run(data, "token", "create", "--dialect", "native", "--label", "\x1b[31m\u202ered")
    listed = run(data, "token", "list")
    assert "\\x1b[31m\\x202ered" in listed
    assert all(each.isprintable() for each in listed.replace("\n", ""))


@pytest.mark.parametrize("command", [("purge",), ("keys", "retire"), ("account", "show")])
def test_no_argument_in_a_sentence_is_more_than_text(data: Path, command: tuple[str, ...]) -> None:
    result = call(data, *command, "\x1b[31mred")
    assert result.exit_code == 1
    assert "\\x1b[31mred" in result.stderr
    assert "\x1b[31m" not in result.stderr


@pytest.mark.parametrize("option", ["--account", "--person"])
@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31m", "x" * 256])
def test_what_names_nobody_is_refused(data: Path, option: str, name: str) -> None:
    result = call(data, "token", "create", "--dialect", "native", option, name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is no name" in result.stderr
    assert rows(data) == []
    assert run(data, "account", "list") == ""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--dialect", "esperanto"], "mews"),
        (["--dialect", "native", "--scope", "images:burn"], "images:burn"),
        (["--dialect", "native", "--expires", "soon"], "--expires"),
        (["--dialect", "native", "--expires", "-1s"], "90s"),
        (["--dialect", "native", "--role", "king"], "king"),
        ([], "--dialect"),
    ],
)
def test_what_does_not_exist_is_named_and_no_token_made(data: Path, options: list[str], named: str) -> None:
    result = call(data, "token", "create", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr
    assert rows(data) == []
