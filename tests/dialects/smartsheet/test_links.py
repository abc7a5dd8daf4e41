"""The grammar of delivery links, their signatures and expiry."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.runtime.signing import Keyring, Signature, new_key
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.dialects import LinkContext
from tintype.dialects.smartsheet import DIALECT
from tintype.dialects.smartsheet.links import Link, Size, delivered_size, expiry, milliseconds, parse, write
from tintype.dialects.smartsheet.settings import Settings
from tintype.imaging import Format, Mode, OutputLimits, Recipe
from tintype.model import Error, Invalid, Kind, LinkTarget
from tintype.model.ids import short
from tintype.web.dialect_routes import DeliveryRequest, RequestTarget

IMAGE = UUID("a3536d42-b52c-55bb-2449-b9ce195195f1")
EXPIRES = 1_700_000_000_123
MOMENT = datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
"""EXPIRES, as a clock shows it."""
MILLISECOND = timedelta(milliseconds=1)
LINK = Link(IMAGE, 3, EXPIRES, Size(200, 150))
NUMBERS = st.integers(1, 10**15 - 1)
LINKS = st.builds(Link, st.uuids(), NUMBERS, NUMBERS, st.none() | st.builds(Size, NUMBERS, NUMBERS))
SIGNATURES = st.builds(
    Signature,
    st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True),
)


LIMITS = UnsignedLimits(2.0, 2_500, OutputLimits()).for_signed()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.make(tmp_path / "keys.json")


def opened(link: str, keyring: Keyring, now: datetime = MOMENT - MILLISECOND) -> DeliveryRequest:
    """What the service delivers for a link at a moment."""
    link_parser = DIALECT.link_parsers(LinkContext(keyring, lambda: now), Settings())[
        "/storageProxy/image/images"
    ]
    return link_parser(RequestTarget(link))


def signed(link: Link, keyring: Keyring) -> str:
    return write(link, keyring.sign(link.parts()))


def refusal(call: Callable[[], object]) -> Kind:
    with pytest.raises(Error) as raised:
        call()
    return raised.value.kind


@given(LINKS, SIGNATURES)
def test_a_link_that_was_written_reads_as_it_was(link: Link, signature: Signature) -> None:
    assert parse(RequestTarget(write(link, signature))) == (link, signature)


@given(LINKS, LINKS)
def test_two_links_are_never_signed_alike(one: Link, other: Link) -> None:
    assert (one.parts() == other.parts()) == (one == other)


def test_the_shape_of_a_link(keyring: Keyring) -> None:
    signed_parts = r"/storageProxy/image/images/o1NtQrUsVbskSbnOGVGV8Q\?v=3&w=200&h=150"
    assert re.fullmatch(signed_parts + r"&exp=1700000000123&kid=\w+&sig=[\w-]{43}", signed(LINK, keyring))
    assert "&w=" not in signed(Link(IMAGE, 3, EXPIRES), keyring)


def test_a_link_with_a_size_is_exactly_that_size_and_for_this_client_only(keyring: Keyring) -> None:
    requested = opened(signed(LINK, keyring), keyring)
    assert requested.recipe == Recipe(mode=Mode.SCALE, width=200, height=150)
    assert (requested.key, requested.version, requested.public) == (IMAGE, 3, False)


def test_a_link_without_a_size_is_the_original(keyring: Keyring) -> None:
    assert opened(signed(Link(IMAGE, 3, EXPIRES), keyring), keyring).recipe is None


@pytest.mark.parametrize(
    ("left", "seconds"), [(1, 0), (999, 0), (1000, 1), (1_799_999, 1799), (1_800_000, 1800)]
)
def test_a_picture_is_kept_no_longer_than_its_link_lives(keyring: Keyring, left: int, seconds: int) -> None:
    assert opened(signed(LINK, keyring), keyring, MOMENT - left * MILLISECOND).max_age == seconds


def test_a_link_lives_until_the_millisecond_it_names(keyring: Keyring) -> None:
    link = signed(LINK, keyring)
    assert opened(link, keyring, MOMENT - MILLISECOND).key == IMAGE
    assert opened(link, keyring, MOMENT - timedelta(microseconds=1)).key == IMAGE
    for late in (timedelta(0), MILLISECOND, timedelta(days=9)):
        assert refusal(lambda late=late: opened(link, keyring, MOMENT + late)) is Kind.EXPIRED_LINK  # type: ignore[misc]  # mypy knows no lambda with a default


def test_a_forged_link_is_not_called_expired(keyring: Keyring) -> None:
    link = signed(LINK, keyring).replace("w=200", "w=201")
    assert refusal(lambda: opened(link, keyring, MOMENT + MILLISECOND)) is Kind.FORBIDDEN


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        (short(IMAGE), short(UUID(int=IMAGE.int + 1))),
        (short(IMAGE), short(IMAGE)[:-1] + "R"),
        (short(IMAGE), str(IMAGE)),
        (short(IMAGE), short(IMAGE) + "/"),
        (short(IMAGE), ""),
        ("v=3", "v=4"),
        ("v=3", "v=03"),
        ("v=3&", ""),
        ("w=200", "w=201"),
        ("w=200", "w=0200"),
        ("w=200", "w=2e2"),
        ("w=200", "w=%2B200"),
        ("w=200", "w="),
        ("w=200", "w=" + "9" * 5000),
        ("w=200", "w=٢٠٠"),
        ("w=200&", ""),
        ("h=150", "h=151"),
        ("h=150", "h=-150"),
        ("&h=150", ""),
        ("w=200&h=150&", ""),
        ("w=200&h=150", "w=150&h=200"),
        ("exp=1700000000123", "exp=1700000000124"),
        ("exp=1700000000123", "exp=9700000000123"),
        ("exp=1700000000123", "exp=1700000000123.0"),
        ("&exp=1700000000123", ""),
        ("kid=", "kid=0"),
        ("kid=", "kid="),
        ("sig=", "sig=A"),
        ("sig=", "sig=%00"),
    ],
)
def test_no_part_of_a_link_can_be_changed(keyring: Keyring, part: str, changed: str) -> None:
    link = signed(LINK, keyring)
    forged = (
        re.sub(r"kid=\w+", "kid=", link)
        if (part, changed) == ("kid=", "kid=")
        else link.replace(part, changed)
    )
    assert forged != link
    assert refusal(lambda: opened(forged, keyring)) is Kind.FORBIDDEN


@pytest.mark.parametrize("position", range(43))
def test_no_character_of_a_signature_can_be_changed(keyring: Keyring, position: int) -> None:
    link = signed(LINK, keyring)
    start, mac = link[:-43], link[-43:]
    other = "A" if mac[position] != "A" else "B"
    assert (
        refusal(lambda: opened(start + mac[:position] + other + mac[position + 1 :], keyring))
        is Kind.FORBIDDEN
    )


def test_a_size_can_not_be_added_to_the_link_of_an_original(keyring: Keyring) -> None:
    link = signed(Link(IMAGE, 3, EXPIRES), keyring)
    assert refusal(lambda: opened(link + "&w=200&h=150", keyring)) is Kind.FORBIDDEN


def test_the_newest_key_signs_and_an_older_one_still_opens(keyring: Keyring) -> None:
    before = signed(LINK, keyring)
    newest = new_key()
    keyring.add(newest)
    after = signed(LINK, keyring)
    assert f"kid={newest.id}&" in after
    assert f"kid={newest.id}&" not in before
    assert opened(before, keyring) == opened(after, keyring)


def test_a_retired_key_opens_nothing(keyring: Keyring) -> None:
    before = signed(LINK, keyring)
    oldest = keyring.all()[0]
    keyring.add(new_key())
    assert keyring.remove(oldest.id)
    assert refusal(lambda: opened(before, keyring)) is Kind.FORBIDDEN


def test_a_signature_of_another_library_opens_nothing(keyring: Keyring, tmp_path: Path) -> None:
    other = Keyring.make(tmp_path / "other-keys.json")
    assert refusal(lambda: opened(signed(LINK, other), keyring)) is Kind.FORBIDDEN


def test_a_link_signed_for_something_else_opens_nothing(keyring: Keyring) -> None:
    signed_parts = ("o1NtQrUsVbskSbnOGVGV8Q", "3", "200", "150", "1700000000123")
    assert opened(write(LINK, keyring.sign(("smartsheet", *signed_parts))), keyring).key == IMAGE
    for elsewhere in (keyring.sign(("console", *signed_parts)), keyring.sign(signed_parts)):
        assert refusal(lambda signature=elsewhere: opened(write(LINK, signature), keyring)) is Kind.FORBIDDEN  # type: ignore[misc]  # mypy knows no lambda with a default


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  bounds
def test_links_of_one_minute_expire_together_and_none_too_soon(now: datetime) -> None:
    lives = expiry(now, 1800) - milliseconds(now)
    assert 1_800_000 <= lives < 1_860_000
    assert expiry(now, 1800) % 60_000 == 0


def test_a_link_that_is_to_live_no_time_expires_at_once() -> None:
    assert expiry(MOMENT, 0) == milliseconds(MOMENT)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ((None, None), None),
        ((400, None), Size(400, 200)),
        ((None, 100), Size(200, 100)),
        ((333, None), Size(333, 167)),  # 166.5, halves up
        ((1, None), Size(1, 1)),
        ((300, 300), Size(300, 300)),
        ((1, 400), Size(1, 400)),
        ((800, None), None),
        ((None, 400), None),
        ((800, 400), None),
        ((800, 399), Size(800, 399)),
        ((801, None), None),
        ((None, 401), None),
        ((801, 10), None),
        ((10, 401), None),
        ((10**30, 10**30), None),
    ],
)
def test_the_size_of_an_800_by_400_image(asked: tuple[int | None, int | None], size: Size | None) -> None:
    target = LinkTarget(IMAGE, 1, 1, width=800, height=400, format=Format.JPEG)
    assert delivered_size(target, *asked, LIMITS) == size


def test_a_size_that_the_format_has_no_room_for_is_capped_if_it_follows_from_the_aspect() -> None:
    target = LinkTarget(IMAGE, 1, 1, width=18_000, height=200, format=Format.AVIF)
    assert delivered_size(target, None, 190, LIMITS) == Size(16_384, 182)  # 16384 * 200 / 18000 = 182.04
    assert delivered_size(target, None, None, LIMITS) is None
    for height in (None, 10):
        with pytest.raises(Invalid):
            delivered_size(target, 17_000, height, LIMITS)
