"""Delivery links: the grammar, the signature, the expiry. Pure."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.runtime.signing import Key, Keyring, Signature, new_key, sign, verify
from tintype.dialects import LinkContext
from tintype.dialects.native import DIALECT, links
from tintype.dialects.native.links import Link
from tintype.dialects.native.settings import Settings
from tintype.imaging import Colour, Crop, Focal, Format, Mode, Recipe
from tintype.model import Error, Forbidden, Kind, NotFound
from tintype.web.dialect_routes import DeliveryRequest, RequestTarget

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = Key("1f2e3d4c", bytes(range(32)), NOW)
ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
SHORT = "ABEiM0RVZneImaq7zN3u_w"  # base64url of those 16 bytes, by hand
MAC = "A" * 43

sides = st.none() | st.integers(1, 999_999_999)
expiries = st.none() | st.integers(1, 10**12)
levels = st.integers(0, 255)
parts = st.fixed_dictionaries(
    {},
    optional={
        "width": sides,
        "height": sides,
        "enlarge": st.booleans(),
        "background": st.builds(Colour, levels, levels, levels, levels),
        "quality": st.integers(1, 100),
        "max_bytes": st.integers(1, 999_999_999),
        "frames": st.integers(1, 1000),
        "linear": st.booleans(),
    },
)
focals = st.builds(Focal, st.floats(0, 1), st.floats(0, 1))
kept = st.fixed_dictionaries({}, optional={"focal": focals}) | st.fixed_dictionaries(
    {"crop": st.sampled_from(Crop)}
)
written = [None, Format.JPEG, Format.PNG, Format.WEBP, Format.GIF, Format.AVIF]
formats = (
    st.just({"auto": True})
    | st.builds(lambda format: {"format": format}, st.sampled_from(written))
    | st.builds(
        lambda format: {"format": format, "lossless": True}, st.sampled_from([None, Format.PNG, Format.WEBP])
    )
)
recipes = st.builds(
    lambda mode, *fields: Recipe(mode=mode, **{k: v for each in fields for k, v in each.items()}).normal(),
    st.sampled_from(Mode),
    parts,
    kept,
    formats,
)
any_link = st.builds(Link, st.uuids(), st.integers(1, 10**9), st.none() | recipes, expiries)
signatures = st.builds(
    Signature,
    st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True),
)


def read(text: str) -> tuple[Link, Signature]:
    return links.parse(RequestTarget(text))


@given(any_link, signatures)
def test_what_was_written_is_read_back(link: Link, signature: Signature) -> None:
    assert read(links.write(link, signature)) == (link, signature)


def test_a_link_is_spelled_as_documented() -> None:
    link = Link(ID, 3, Recipe(mode=Mode.COVER_EXACT, width=200, height=150), 1798761600)
    assert links.write(link, Signature("1f2e3d4c", MAC)) == (
        f"/v1/media/{SHORT}?v=3&mode=cover-exact&w=200&h=150&exp=1798761600&kid=1f2e3d4c&sig={MAC}"
    )
    assert (
        links.write(Link(ID, 1), Signature("1f2e3d4c", MAC))
        == f"/v1/media/{SHORT}?v=1&kid=1f2e3d4c&sig={MAC}"
    )


def test_a_link_says_all_of_a_recipe() -> None:
    recipe = Recipe(
        mode=Mode.COVER_EXACT,
        width=200,
        height=150,
        enlarge=False,
        focal=Focal(0.25, 1),
        background=Colour(255, 136, 0),
        auto=True,
        quality=70,
        lossless=True,
        max_bytes=20_000,
        frames=3,
        linear=True,
    )
    words = (
        "v=3&mode=cover-exact&w=200&h=150&enlarge=no&focal=0.2500x1.0000&background=ff8800&format=auto&q=70"
        "&lossless=yes&max-bytes=20000&frames=3&linear=yes"
    )
    text = links.write(Link(ID, 3, recipe), Signature("1f2e3d4c", MAC))
    assert text == f"/v1/media/{SHORT}?{words}&kid=1f2e3d4c&sig={MAC}"
    assert read(text)[0].recipe == recipe


def test_the_signature_is_hmac_sha256_over_the_dialect_the_image_and_every_parameter() -> None:
    link = Link(ID, 3, Recipe(width=200), 1798761600)
    parts = ["native", "00112233-4455-6677-8899-aabbccddeeff", "v=3", "mode=fit", "w=200", "exp=1798761600"]
    message = b"".join(len(part).to_bytes(4, "big") + part.encode() for part in parts)
    digest = hmac.new(KEY.secret, message, hashlib.sha256).digest()
    assert sign(KEY, link.parts()).mac == urlsafe_b64encode(digest).decode().rstrip("=")


@given(any_link, any_link)
def test_a_signature_is_good_for_one_link_only(link: Link, other: Link) -> None:
    assert verify([KEY], other.parts(), sign(KEY, link.parts())) == (link == other)


CHANGES: dict[str, object] = {
    "mode": Mode.SCALE,
    "width": 201,
    "height": 151,
    "enlarge": False,
    "focal": Focal(0.3, 0.3),
    "crop": Crop.ATTENTION,
    "background": Colour(1, 2, 3),
    "format": Format.WEBP,
    "auto": True,
    "quality": 5,
    "lossless": True,
    "max_bytes": 5,
    "frames": 1,
    "linear": True,
}


def test_every_part_of_a_recipe_is_tried_below() -> None:
    assert CHANGES.keys() == set(Recipe.__struct_fields__) - {"dpr"}  # multiplied into the sides


@pytest.mark.parametrize("field", CHANGES)
def test_no_part_of_a_recipe_can_be_changed_alone(field: str) -> None:
    recipe = Recipe(mode=Mode.COVER_EXACT, width=200, height=150)
    other = msgspec.structs.replace(recipe, **{field: CHANGES[field]})
    assert not verify([KEY], Link(ID, 1, other).parts(), sign(KEY, Link(ID, 1, recipe).parts()))


@given(any_link, st.sampled_from(["image", "version", "expires"]))
def test_no_field_can_be_changed_alone(link: Link, field: str) -> None:
    changed: dict[str, object] = {
        "image": UUID(int=link.image.int ^ 1),
        "version": link.version + 1,
        "expires": (link.expires or 0) + 1,
    }
    other = msgspec.structs.replace(link, **{field: changed[field]})
    assert not verify([KEY], other.parts(), sign(KEY, link.parts()))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/media",
        "/v1/media/",
        f"/v1/media/{SHORT}/",
        f"/v1/media/{SHORT}/x",
        f"/v1/media//{SHORT}",
        f"/v1/media/{SHORT[:-1]}",
        f"/v1/media/{SHORT}A",
        f"/v1/media/{SHORT[:-1]}x",  # the bits behind the 128th are not zero: a second spelling
        f"/v1/media/{ID}",
        f"/v1/media/{SHORT}\n",
        "/v1/media/..",
    ],
)
def test_a_path_that_names_no_image_is_missing(path: str) -> None:
    with pytest.raises(NotFound):
        read(f"{path}?v=1&kid=k&sig={MAC}")


@pytest.mark.parametrize(
    "change",
    [
        {"v": None},
        {"v": ""},
        {"v": "0"},
        {"v": "01"},
        {"v": "-1"},
        {"v": "1.0"},
        {"v": "1\n"},
        {"v": "١"},
        {"v": "9" * 5000},
        {"mode": ""},
        {"mode": "Fit"},
        {"mode": "stretch"},
        {"w": "0"},
        {"w": "-5"},
        {"w": "1e3"},
        {"h": " 5"},
        {"h": "9" * 10},
        {"mode": "fit", "w": "010"},
        {"w": "10"},  # a recipe always says its mode
        {"mode": "cover", "w": "10"},  # with one side this is fit, and spelled so
        {"mode": "fit", "dpr": "2"},
        {"mode": "fit", "enlarge": "yes"},
        {"mode": "fit", "focal": "0.5000x0.5000"},
        {"mode": "cover-exact", "w": "9", "h": "9", "focal": "0.3x0.3"},
        {"mode": "cover-exact", "w": "9", "h": "9", "focal": "1.5000x0.3000"},
        {"mode": "cover-exact", "w": "9", "h": "9", "focal": "nanxnan"},
        {"mode": "fit", "background": "#ff8800"},
        {"mode": "fit", "background": "orange"},
        {"mode": "fit", "format": "tiff"},
        {"mode": "fit", "format": "exe"},
        {"mode": "fit", "q": "101"},
        {"mode": "fit", "lossless": "no"},
        {"mode": "fit", "max-bytes": "0"},
        {"exp": "0"},
        {"exp": "never"},
        {"kid": None},
        {"kid": "kéy"},
        {"sig": None},
        {"sig": "A" * 42 + "="},
        {"sig": "é" * 43},
    ],
)
def test_a_query_that_we_never_wrote_is_refused(change: dict[str, str | None]) -> None:
    query = {"v": "1", "kid": "k", "sig": MAC} | change
    query_text = urlencode({name: value for name, value in query.items() if value is not None})
    with pytest.raises(Forbidden):
        read(f"/v1/media/{SHORT}?{query_text}")


Opened = Callable[[str], DeliveryRequest]


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.make(tmp_path / "keys.json")


def link_parser(keyring: Keyring, now: datetime, max_age: int = 3600) -> Opened:
    """The link parser of a service whose clock shows `now`."""
    parsers = DIALECT.link_parsers(LinkContext(keyring, lambda: now), Settings(max_age_seconds=max_age))

    return lambda text: parsers["/v1/media"](RequestTarget(text))


def signed(keyring: Keyring, link: Link) -> str:
    return links.write(link, keyring.sign(link.parts()))


def refusal(open_link: Opened, text: str) -> Kind:
    with pytest.raises(Error) as raised:
        open_link(text)
    return raised.value.kind


def test_a_link_opens_what_it_says(keyring: Keyring) -> None:
    open_link = link_parser(keyring, NOW)
    assert open_link(signed(keyring, Link(ID, 3))) == DeliveryRequest(
        ID, None, version=3, max_age=3600, public=True
    )
    assert open_link(signed(keyring, Link(ID, 3, Recipe(width=20)))).recipe == Recipe(width=20)


def test_a_link_opens_until_the_second_it_expires(keyring: Keyring) -> None:
    text = signed(keyring, Link(ID, 1, expires=int(NOW.timestamp()) + 10))
    assert link_parser(keyring, NOW + timedelta(seconds=9, microseconds=999_999))(text).key == ID
    assert refusal(link_parser(keyring, NOW + timedelta(seconds=10)), text) is Kind.EXPIRED_LINK
    assert refusal(link_parser(keyring, NOW + timedelta(days=4000)), text) is Kind.EXPIRED_LINK


def test_nobody_may_keep_a_picture_for_longer_than_its_link_lives(keyring: Keyring) -> None:
    requested = link_parser(keyring, NOW)(signed(keyring, Link(ID, 1, expires=int(NOW.timestamp()) + 10)))
    assert (requested.max_age, requested.public) == (10, False)
    distant = link_parser(keyring, NOW)(signed(keyring, Link(ID, 1, expires=int(NOW.timestamp()) + 90_000)))
    assert distant.max_age == 3600


def test_a_forged_link_is_refused_whether_it_has_expired_or_not(keyring: Keyring) -> None:
    late = signed(keyring, Link(ID, 1, expires=int(NOW.timestamp()) - 10))
    assert refusal(link_parser(keyring, NOW), late) is Kind.EXPIRED_LINK
    assert refusal(link_parser(keyring, NOW), late.replace("v=1", "v=2")) is Kind.FORBIDDEN


@pytest.mark.parametrize(
    "change",
    [(r"kid=\w+", "kid="), (r"kid=\w+", "kid=" + "k" * 65), (r".\Z", ""), (r"\Z", "A"), (r"\Z", "=")],
)
def test_neither_key_nor_signature_can_be_changed(keyring: Keyring, change: tuple[str, str]) -> None:
    text = signed(keyring, Link(ID, 1))
    changed = re.sub(*change, text, count=1)
    assert changed != text
    assert refusal(link_parser(keyring, NOW), changed) is Kind.FORBIDDEN


def test_a_link_of_another_service_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    stranger = Keyring.make(tmp_path / "others.json")
    assert refusal(link_parser(keyring, NOW), signed(stranger, Link(ID, 1))) is Kind.FORBIDDEN


def test_links_outlive_a_new_key_and_die_with_their_own(keyring: Keyring) -> None:
    old = signed(keyring, Link(ID, 1))
    first = keyring.all()[0].id
    keyring.add(new_key())
    new = signed(keyring, Link(ID, 1))
    assert old != new
    assert link_parser(keyring, NOW)(old) == link_parser(keyring, NOW)(new)
    assert keyring.remove(first)
    assert refusal(link_parser(keyring, NOW), old) is Kind.FORBIDDEN
    assert link_parser(keyring, NOW)(new).key == ID
