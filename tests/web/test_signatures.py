"""Signatures behind plain addresses: what was signed is read back to the letter, anything else is missing."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.runtime.signing import Keyring
from tintype.model import NotFound
from tintype.web.dialect_routes import RequestTarget
from tintype.web.signatures import append, detach

addresses = st.from_regex(
    r"/[a-z]{1,5}/[a-z_0-9]{1,9}\.[a-z]{3}(\?[A-Z][a-z]{1,5}=[0-9]{1,4}){0,1}", fullmatch=True
)


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.make(tmp_path_factory.mktemp("keys") / "keys.json")


@given(address=addresses)
def test_what_was_signed_is_read_back(keyring: Keyring, address: str) -> None:
    assert detach(keyring, "mews", RequestTarget(append(keyring, "mews", address))) == (
        RequestTarget(address),
        True,
    )
    assert detach(keyring, "mews", RequestTarget(address)) == (RequestTarget(address), False)


def test_the_signature_is_an_hmac_over_the_dialect_and_the_address(keyring: Keyring) -> None:
    (key,) = keyring.all()
    parts = (b"publisher", b"/flag/flag_2.png")
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    mac = urlsafe_b64encode(hmac.digest(key.secret, message, hashlib.sha256)).rstrip(b"=").decode()
    assert append(keyring, "publisher", "/flag/flag_2.png") == f"/flag/flag_2.png?kid={key.id}&sig={mac}"
    assert append(keyring, "mews", "/x?Mode=Fit").startswith(f"/x?Mode=Fit&kid={key.id}&sig=")


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("Width=20", "Width=21"),
        ("Width=20&", ""),
        ("?Mode", "&Mode"),
        ("&kid", "?kid"),
        ("&kid", "&Height=5&kid"),
        ("&sig=", "&sig=A"),
        ("kid=", "Kid="),
        ("&kid=", "&kid=x&kid="),
        ("sig=", "sig=%41"),
        ("/Media", "/media"),
        ("Mode=Fit&Width=20", "Width=20&Mode=Fit"),
    ],
)
def test_what_was_changed_is_missing(keyring: Keyring, part: str, other: str) -> None:
    link = append(keyring, "mews", "/Media/Image/1?Mode=Fit&Width=20")
    changed = link.replace(part, other, 1)
    assert changed != link
    with pytest.raises(NotFound):
        detach(keyring, "mews", RequestTarget(changed))


def test_a_signature_counts_in_its_own_dialect_under_keys_that_are_there(
    keyring: Keyring, tmp_path: Path
) -> None:
    link = RequestTarget(append(keyring, "mews", "/Media/Image/1"))
    for other, dialect in ((keyring, "publisher"), (Keyring.make(tmp_path / "keys.json"), "mews")):
        with pytest.raises(NotFound):
            detach(other, dialect, link)
