"""`tintype account`: the sizes that plain links may ask for, and what is published."""

from pathlib import Path

import pytest

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


def test_what_is_published_is_shown_and_set(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    assert said(data, "account", "publish", "hotel") == "native signed\n"
    both = "mews default\nsmartsheet signed\n"
    assert said(data, "account", "publish", "hotel", "smartsheet", "mews") == both
    assert said(data, "account", "publish", "hotel") == both
    assert (
        said(data, "account", "publish", "hotel", "--add", "native")
        == "mews default\nnative signed\nsmartsheet signed\n"
    )
    assert said(data, "account", "publish", "hotel", "--remove", "native", "evotor") == both
    assert said(data, "account", "publish", "hotel", "--none") == "nothing\n"
    assert said(data, "account", "publish", "hotel") == "nothing\n"
    said(data, "token", "create", "--dialect", "evotor", "--account", "hotel")
    assert said(data, "account", "publish", "hotel") == "evotor signed\n"


def test_whether_links_are_signed_is_shown_and_set(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    said(data, "account", "publish", "hotel", "--add", "mews")
    assert said(data, "account", "links", "hotel", "mews") == "mews default\n"
    for links in ("signed", "plain", "default"):
        assert said(data, "account", "links", "hotel", "mews", links) == f"mews {links}\n"
    said(data, "account", "links", "hotel", "mews", "signed")
    assert said(data, "account", "publish", "hotel") == "mews signed\nnative signed\n"
    assert said(data, "account", "links", "hotel", "native") == "native signed\n"
    assert said(data, "account", "links", "hotel", "publisher") == "nothing\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["publish", "motel", "mews"], 1, "There is no account 'motel'."),
        (["publish", "motel"], 1, "There is no account 'motel'."),
        (["publish", "hotel", "telegraph"], 2, "'telegraph' is no dialect; there are evotor, mews, native,"),
        (["publish", "hotel", "--add", "--remove", "mews"], 2, "or --none alone"),
        (["publish", "hotel", "--none", "mews"], 2, "or --none alone"),
        (["publish", "hotel", "--add"], 2, "or --none alone"),
        (["links", "hotel", "telegraph", "plain"], 2, "'telegraph' is no dialect"),
        (["links", "hotel", "native", "plain"], 2, "The links of native are always signed."),
        (["links", "hotel", "mews", "plain"], 1, "The account 'hotel' doesn't publish through mews."),
        (["links", "hotel", "mews", "engraved"], 2, "engraved"),
    ],
)
def test_what_can_not_be_published_changes_nothing(
    tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    data = with_account(tmp_path)
    result = call(data, "account", *arguments)
    assert (result.exit_code, sentence in result.stderr) == (code, True), result.stderr
    assert said(data, "account", "publish", "hotel") == "native signed\n"
