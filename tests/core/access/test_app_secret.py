"""The secret of an app: what is stored of it lets its hashes be checked, and is not the secret."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.access.app_secret import has_hash, has_secret, hash_after, new_secret, state_of

SECRET = "s" * 63
OTHER = "s" * 62 + "t"


@given(data=st.binary(max_size=300))
def test_the_hash_is_that_of_the_standard_library(data: bytes) -> None:
    assert hash_after(state_of(SECRET), data) == sha256(SECRET.encode() + b"|" + data).hexdigest()


@given(secret=st.text("abcXYZ019-_", min_size=63, max_size=63), code=st.text(max_size=80))
def test_the_hash_of_a_secret_and_a_code(secret: str, code: str) -> None:
    text = f"{secret}|{code}".encode("utf-8", "replace")
    assert has_hash(state_of(secret), code, sha256(text).hexdigest())
    assert has_hash(state_of(secret), code, sha256(text).hexdigest().upper())
    assert not has_hash(state_of(secret), code + "x", sha256(text).hexdigest())
    assert not has_hash(state_of(OTHER), code, sha256(text).hexdigest())


@pytest.mark.parametrize("given_hash", ["", "x", "é" * 64, "0" * 64, "0" * 5000, "\ud800"])
def test_what_is_no_hash(given_hash: str) -> None:
    assert not has_hash(state_of(SECRET), "code", given_hash)


def test_the_secret_itself() -> None:
    state = state_of(SECRET)
    assert has_secret(state, SECRET)
    assert not any(
        has_secret(state, wrong) for wrong in ("", OTHER, SECRET + "|", "é" * 63, SECRET[:62], state)
    )


def test_a_new_secret_fills_a_block_with_its_separator() -> None:
    one, other = new_secret(), new_secret()
    assert len(f"{one}|".encode()) == 64
    assert one != other
    assert one not in state_of(one)
