"""`tintype account`: allowed sizes of plain links, and publication."""

import json
from pathlib import Path

import pytest

from tests import pictures
from tests.cli.calling import call, library, run
from tintype.dialects import discover

NAMES = [dialect.name for dialect in discover()]


def with_account(data: Path) -> Path:
    run(library(data), "token", "create", "--dialect", "native", "--account", "hotel")
    return data


def test_every_size_is_allowed_until_some_are(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    assert run(data, "account", "sizes", "hotel") == "any\n"
    assert run(data, "account", "sizes", "hotel", "320x240, 640x") == "320x240,640x\n"
    assert run(data, "account", "sizes", "hotel") == "320x240,640x\n"
    assert run(data, "account", "sizes", "hotel", "--any") == "any\n"
    assert run(data, "account", "sizes", "hotel") == "any\n"


def test_what_is_no_size_changes_nothing(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    run(data, "account", "sizes", "hotel", "320x240")
    result = call(data, "account", "sizes", "hotel", "huge")
    assert (result.exit_code, "'huge' is no size" in result.stderr) == (1, True)
    assert call(data, "account", "sizes", "hotel", "1x1", "--any").exit_code == 2
    assert run(data, "account", "sizes", "hotel") == "320x240\n"


def test_an_account_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = call(with_account(tmp_path), "account", "sizes", "motel", "1x1")
    assert (result.exit_code, "There is no account 'motel'." in result.stderr) == (1, True)


def test_what_is_published_is_shown_and_set(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    assert run(data, "account", "publish", "hotel") == "native signed\n"
    both = "mews default\nsmartsheet signed\n"
    assert run(data, "account", "publish", "hotel", "smartsheet", "mews") == both
    assert run(data, "account", "publish", "hotel") == both
    assert (
        run(data, "account", "publish", "hotel", "--add", "native")
        == "mews default\nnative signed\nsmartsheet signed\n"
    )
    assert run(data, "account", "publish", "hotel", "--remove", "native", "evotor") == both
    assert run(data, "account", "publish", "hotel", "--none") == "nothing\n"
    assert run(data, "account", "publish", "hotel") == "nothing\n"
    run(data, "token", "create", "--dialect", "evotor", "--account", "hotel")
    assert run(data, "account", "publish", "hotel") == "evotor signed\n"


def test_whether_links_are_signed_is_shown_and_set(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    run(data, "account", "publish", "hotel", "--add", "mews")
    assert run(data, "account", "links", "hotel", "mews") == "mews default\n"
    for links in ("signed", "plain", "default"):
        assert run(data, "account", "links", "hotel", "mews", links) == f"mews {links}\n"
    run(data, "account", "links", "hotel", "mews", "signed")
    assert run(data, "account", "publish", "hotel") == "mews signed\nnative signed\n"
    assert run(data, "account", "links", "hotel", "native") == "native signed\n"
    assert run(data, "account", "links", "hotel", "publisher") == "nothing\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["publish", "motel", "mews"], 1, "There is no account 'motel'."),
        (["publish", "motel"], 1, "There is no account 'motel'."),
        (["publish", "hotel", "telegraph"], 2, f"'telegraph' is no dialect; there are {', '.join(NAMES)}"),
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
    assert run(data, "account", "publish", "hotel") == "native signed\n"


def test_quotas_are_shown_and_set(tmp_path: Path) -> None:
    data = with_account(tmp_path)
    assert run(data, "account", "quota", "hotel").splitlines() == [
        "bytes: 0 bytes of 1.1 TB",
        "images: 0 of 10000000",
        "uploads: 64 at once",
        "pixel-seconds: 600 a minute",
    ]
    run(data, "account", "quota", "hotel", "--bytes", "10GB", "--images", "5")
    assert run(data, "account", "quota", "hotel", "--uploads", "0").splitlines() == [
        "bytes: 0 bytes of 10 GB, set for this account",
        "images: 0 of 5, set for this account",
        "uploads: any at once, set for this account",
        "pixel-seconds: 600 a minute",
    ]
    assert run(data, "account", "quota", "hotel", "--default", "--images", "7").splitlines() == [
        "bytes: 0 bytes of 1.1 TB",
        "images: 0 of 7, set for this account",
        "uploads: 64 at once",
        "pixel-seconds: 600 a minute",
    ]
    (entry, *_) = run(data, "audit", "--event", "quotas-changed", "--json").splitlines()
    assert json.loads(entry)["details"]["after"]["bytes"] == 10_000_000_000


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("999", 999),
        ("10kB", 10_000),
        ("10 KB", 10_000),
        ("1KiB", 1024),
        ("1.5MB", 1_500_000),
        ("2GiB", 2 * 1024**3),
        ("1T", 10**12),
        ("1PB", 10**15),
    ],
)
def test_sizes_are_read_as_people_write_them(tmp_path: Path, text: str, size: int) -> None:
    data = with_account(tmp_path)
    run(data, "account", "quota", "hotel", "--bytes", text)
    assert json.loads(run(data, "account", "show", "hotel", "--json"))["set"]["bytes"] == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1XB", "10 GB more", "1e9"])
def test_a_size_that_is_none_changes_nothing(tmp_path: Path, text: str) -> None:
    data = with_account(tmp_path)
    assert call(data, "account", "quota", "hotel", "--bytes", text).exit_code == 2
    assert json.loads(run(data, "account", "show", "hotel", "--json"))["set"]["bytes"] is None


def test_accounts_are_shown_with_what_they_hold(tmp_path: Path) -> None:
    data = with_account(tmp_path / "library")
    picture = pictures.png()
    (tmp_path / "photo.png").write_bytes(picture)
    run(data, "import", str(tmp_path / "photo.png"), "--account", "inn")
    run(data, "account", "sizes", "hotel", "320x240")
    assert run(data, "account", "list").splitlines() == [
        "hotel: 0 images, 0 bytes; publishes native",
        f"inn: 1 images, {len(picture) / 1000:.3g} kB; publishes nothing",
    ]
    assert run(data, "account", "show", "hotel").splitlines() == [
        "hotel (1)",
        "publishes:",
        "native signed",
        "sizes: 320x240",
        "bytes: 0 bytes of 1.1 TB",
        "images: 0 of 10000000",
        "uploads: 64 at once",
        "pixel-seconds: 600 a minute",
    ]
    hotel, inn = (json.loads(line) for line in run(data, "account", "list", "--json").splitlines())
    assert json.loads(run(data, "account", "show", "hotel", "--json")) == hotel
    assert (hotel["publications"], hotel["sizes"]) == ({"native": None}, "320x240")
    assert inn["usage"] == {"images": 1, "bytes": len(picture)}
    assert inn["quotas"] == {
        "bytes": 1024**4,
        "images": 10_000_000,
        "uploads": 64,
        "pixel_seconds": 600,
    }


def test_an_import_ends_at_the_quota(tmp_path: Path) -> None:
    data = with_account(tmp_path / "library")
    run(data, "account", "quota", "hotel", "--images", "1")
    for seed in (1, 2):
        (tmp_path / f"{seed}.png").write_bytes(pictures.png(seed=seed))
    result = call(data, "import", str(tmp_path / "1.png"), str(tmp_path / "2.png"), "--account", "hotel")
    assert (result.exit_code, "The account may hold 1 images" in result.stderr) == (1, True)
    assert json.loads(run(data, "account", "show", "hotel", "--json"))["usage"]["images"] == 1
