"""`tintype audit`: changes by commands and clients, in order."""

import getpass
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import pictures
from tests.cli.calling import call, library, run
from tests.running import TINTYPE, Running


def entries(data: Path, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(data, "audit", "--json", *options).splitlines()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return library(tmp_path / "library")


def test_commands_are_told_with_the_user_who_gave_them(data: Path) -> None:
    run(data, "token", "create", "--dialect", "native", "--account", "north")
    run(data, "account", "sizes", "north", "320x240")
    run(data, "keys", "rotate")
    made, published, bounded, rotated = entries(data)
    assert (made["event"], made["account"], made["details"]["dialect"]) == (
        "token-created",
        "north",
        "native",
    )
    assert (published["event"], published["details"]) == (
        "publication-changed",
        {"before": [], "after": ["native"]},
    )
    assert bounded["details"] == {"before": None, "after": "320x240"}
    assert [each["actor"] for each in (made, bounded, rotated)] == [
        "tintype token create",
        "tintype account sizes",
        "tintype keys rotate",
    ]
    assert {each["origin"] for each in (made, bounded, rotated)} == {getpass.getuser()}
    run(data, "token", "revoke", made["details"]["token"])
    assert entries(data, "--event", "token-revoked")[0]["details"] == made["details"]
    assert [each["event"] for each in entries(data, "--account", "north")] == [
        "token-created",
        "publication-changed",
        "sizes-changed",
        "token-revoked",
    ]


def test_new_keys_are_told(data: Path) -> None:
    (data / "link-keys.json").unlink()
    made = run(data, "keys", "new").split()[1].rstrip(".")
    (entry,) = entries(data)
    assert (entry["event"], entry["actor"]) == ("key-added", "tintype keys new")
    assert entry["details"] == {"key": made, "replaces": "all"}


@pytest.mark.parametrize(
    ("since", "found"),
    [("1h", 1), ("2000-01-01", 1), ("2000-01-01T00:00:00+02:00", 1), ("2999-01-01", 0)],
)
def test_it_begins_where_it_is_told_to(data: Path, since: str, found: int) -> None:
    run(data, "keys", "rotate")
    assert len(entries(data, "--since", since)) == found


@pytest.mark.parametrize("since", ["yesterday", "999999d", "0001-01-01T00:00+23:59"])
def test_a_time_that_is_none_is_refused(data: Path, since: str) -> None:
    assert call(data, "audit", "--since", since).exit_code == 2


def test_who_reads_the_beginning_only_hears_no_complaint(data: Path) -> None:
    run(data, "token", "create", "--dialect", "native")
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection, connection:
        columns = "at, event, account, actor, origin, details"
        for _ in range(12):
            connection.execute(f"INSERT INTO audit ({columns}) SELECT {columns} FROM audit")  # noqa: S608  our own
    command = [TINTYPE, "audit", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "token-created" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


def test_names_do_not_steer_the_terminal(data: Path) -> None:
    run(data, "token", "create", "--dialect", "native", "--account", "north")
    # Such names are refused by now; an older library may have them.
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as catalogue, catalogue:
        catalogue.execute(
            "INSERT INTO audit (at, event, account, actor, origin, details) "
            "VALUES (1, 'token-created', '\x1b[2Jnorth', 'a\nb', 'c\rd', '{}')"
        )
    lines = run(data, "audit").splitlines()
    assert all(line.isprintable() for line in lines)
    assert "token-created" in lines[0]


def test_what_a_client_changed_is_told_with_its_token_and_address(serve: Callable[..., Running]) -> None:
    running = serve(TINTYPE_LIMITS_PROXIES="1")
    headers = {"Authorization": f"Bearer {running.token('native')}", "X-Forwarded-For": "2001:db8::7"}
    url = f"{running.base_url}/v1/images"
    image = httpx.post(url, content=pictures.png(), headers=headers).raise_for_status().json()
    httpx.delete(f"{url}/{image['id']}", headers=headers).raise_for_status()
    made, _, deleted = entries(running.data)
    assert (deleted["event"], deleted["actor"]) == ("image-deleted", made["details"]["token"])
    assert (deleted["origin"], deleted["details"]["image"]) == ("2001:db8::7", image["id"])
