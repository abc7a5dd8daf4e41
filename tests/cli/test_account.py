"""`tintype account`: the sizes that links without a signature may ask for."""

from pathlib import Path

from tests.cli.calling import call, library, said


def with_account(data: Path) -> Path:
    said(library(data), "token", "create", "--dialect", "native", "--account", "hotel")
    return data


def test_every_size_is_allowed_until_some_are(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    assert said(data, "account", "sizes", "hotel") == "any\n"
    assert said(data, "account", "sizes", "hotel", "320x240, 640x") == "320x240,640x\n"
    assert said(data, "account", "sizes", "hotel") == "320x240,640x\n"
    assert said(data, "account", "sizes", "hotel", "--any") == "any\n"
    assert said(data, "account", "sizes", "hotel") == "any\n"


def test_what_is_no_size_changes_nothing(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    said(data, "account", "sizes", "hotel", "320x240")
    result = call(data, "account", "sizes", "hotel", "huge")
    assert (result.exit_code, "'huge' is no size" in result.stderr) == (1, True)
    assert call(data, "account", "sizes", "hotel", "1x1", "--any").exit_code == 2
    assert said(data, "account", "sizes", "hotel") == "320x240\n"


def test_an_account_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = call(with_account(tmp_path), "account", "sizes", "motel", "1x1")
    assert (result.exit_code, "There is no account 'motel'." in result.stderr) == (1, True)
