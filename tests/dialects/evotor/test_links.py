"""Delivery links: the grammar and the signature. Pure."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.runtime.signing import Key, Keyring, Signature, sign
from tintype.dialects import LinkContext
from tintype.dialects.evotor import DIALECT, links
from tintype.dialects.evotor.links import Link
from tintype.dialects.evotor.settings import Settings
from tintype.model import NotFound
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
SHORT = "ABEiM0RVZneImaq7zN3u_w"  # base64url of those 16 bytes, by hand
MAC = "A" * 43
LINK = f"/images/{SHORT}/3/1f2e3d4c/{MAC}"

signatures = st.builds(
    Signature,
    st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True),
)


@given(st.builds(Link, st.uuids(), st.integers(1, 10**9 - 1)), signatures)
def test_what_was_written_is_read_back(link: Link, signature: Signature) -> None:
    assert links.parse(links.write(link, signature)) == (link, signature)


def test_a_link_is_spelled_as_documented() -> None:
    assert links.write(Link(ID, 3), Signature("1f2e3d4c", MAC)) == LINK
    assert links.parse(LINK) == (Link(ID, 3), Signature("1f2e3d4c", MAC))


@pytest.mark.parametrize(
    "path",
    [
        "/images",
        "/images/",
        f"/images/{ID}/3/1f2e3d4c/{MAC}",
        f"/images/{SHORT[:-1]}x/3/1f2e3d4c/{MAC}",
        f"/images/{SHORT}/0/1f2e3d4c/{MAC}",
        f"/images/{SHORT}/03/1f2e3d4c/{MAC}",
        f"/images/{SHORT}/-3/1f2e3d4c/{MAC}",
        f"/images/{SHORT}/٣/1f2e3d4c/{MAC}",
        f"/images/{SHORT}/{'9' * 5000}/1f2e3d4c/{MAC}",
        f"/images/{SHORT}/3//{MAC}",
        f"/images/{SHORT}/3/1f2e3d4c/{MAC[1:]}",
        LINK + "A",
        LINK + "/",
        LINK + "\n",
        LINK + ".png",
        LINK + "?",
        LINK + "?utm_source=mail",
        LINK.replace("/3/", "/%33/"),
        LINK.replace("/images", "/Images"),
    ],
)
def test_any_other_spelling_is_no_link(path: str) -> None:
    with pytest.raises(NotFound):
        links.parse(path)


@given(st.text())
def test_no_text_does_more_than_miss(text: str) -> None:
    with pytest.raises(NotFound):
        links.parse(links.PREFIX + "/" + text)


def test_the_signature_is_an_hmac_over_dialect_image_and_version() -> None:
    key = Key("1f2e3d4c", bytes(range(32)), NOW)
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (b"evotor", str(ID).encode(), b"3"))
    expected = urlsafe_b64encode(hmac.digest(key.secret, message, hashlib.sha256)).rstrip(b"=").decode()
    assert sign(key, Link(ID, 3).parts()) == Signature("1f2e3d4c", expected)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.make(tmp_path / "keys.json")


@pytest.fixture
def link_parser(keyring: Keyring) -> LinkParser:
    services = LinkContext(keyring, lambda: NOW)
    return DIALECT.link_parsers(services, Settings(max_age_seconds=77))[links.PREFIX]


def test_a_signed_link_wants_the_original_of_its_version(keyring: Keyring, link_parser: LinkParser) -> None:
    link = Link(ID, 3)
    assert link_parser(RequestTarget(links.write(link, keyring.sign(link.parts())))) == DeliveryRequest(
        ID, version=3, max_age=77
    )


def test_a_signed_link_opens_in_any_century(keyring: Keyring) -> None:
    link = Link(ID, 3)
    path = links.write(link, keyring.sign(link.parts()))
    for year in (1971, 9998):
        services = LinkContext(keyring, lambda year=year: NOW.replace(year=year))  # type: ignore[misc]  # bound now
        assert DIALECT.link_parsers(services, Settings())[links.PREFIX](RequestTarget(path)).key == ID


@pytest.mark.parametrize(
    "change",
    [
        lambda link, signature: (Link(UUID(int=link.image.int ^ 1), link.version), signature),
        lambda link, signature: (Link(link.image, link.version + 1), signature),
        lambda link, signature: (link, Signature("00000000", signature.mac)),
        lambda link, signature: (link, Signature(signature.key, signature.mac[1:] + signature.mac[0])),
    ],
    ids=["image", "version", "key", "signature"],
)
def test_a_link_that_was_changed_is_none(
    keyring: Keyring, link_parser: LinkParser, change: Callable[[Link, Signature], tuple[Link, Signature]]
) -> None:
    link = Link(ID, 3)
    changed = change(link, keyring.sign(link.parts()))
    with pytest.raises(NotFound):
        link_parser(RequestTarget(links.write(*changed)))


def test_a_signature_of_another_dialect_does_not_pass(keyring: Keyring, link_parser: LinkParser) -> None:
    signature = keyring.sign(("native", str(ID), "3"))
    with pytest.raises(NotFound):
        link_parser(RequestTarget(links.write(Link(ID, 3), signature)))
