"""The two encodings of an image id, and the keys of clients' ids."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.model.ids import fold_uuid, parse_short, parse_uuid, short

# RFC 4648 by hand: 16 bytes 00 01 … 0f.
COUNTED = UUID("00010203-0405-0607-0809-0a0b0c0d0e0f")
COUNTED_SHORT = "AAECAwQFBgcICQoLDA0ODw"

LAST_CHARACTERS = "BCDEFGHIJKLMNOPRSTUVWXYZabcdefhijklmnopqrstuvxyz0123456789-_"


def test_the_short_spelling_is_base64url_of_the_bytes() -> None:
    assert short(COUNTED) == COUNTED_SHORT
    assert short(UUID(int=2**128 - 1)) == "_" * 21 + "w"
    assert parse_short(COUNTED_SHORT) == COUNTED


@given(st.uuids())
def test_every_id_comes_back_from_both_spellings(id: UUID) -> None:
    assert len(short(id)) == 22
    assert parse_short(short(id)) == id
    assert parse_uuid(str(id)) == parse_uuid(id.hex) == parse_uuid(str(id).upper()) == id


@pytest.mark.parametrize("last", LAST_CHARACTERS)
def test_a_last_character_with_spare_bits_set_is_refused(last: str) -> None:
    assert parse_short(COUNTED_SHORT[:-1] + last) is None


@given(st.text(max_size=30))
def test_what_parses_is_the_one_short_spelling_of_its_id(text: str) -> None:
    found = parse_short(text)
    assert found is None or short(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        COUNTED_SHORT[:-1],
        COUNTED_SHORT + "A",
        COUNTED_SHORT + "==",
        COUNTED_SHORT + "\n",
        " " + COUNTED_SHORT[1:],
        "+" + COUNTED_SHORT[1:],
        "/" + COUNTED_SHORT[1:],
        "\u0661" * 21 + "A",
    ],
)
def test_other_texts_are_no_short_id(text: str) -> None:
    assert parse_short(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no-uuid",
        str(COUNTED) + "\n",
        f"{{{COUNTED}}}",
        f"urn:uuid:{COUNTED}",
        str(COUNTED)[:-1],
        str(COUNTED) + "0",
        COUNTED.hex + "00",
        "g" * 32,
        "\uff10" * 32,
    ],
)
def test_other_texts_are_no_uuid(text: str) -> None:
    assert parse_uuid(text) is None


@given(st.uuids())
def test_a_uuid_has_one_key_whatever_its_case(id: UUID) -> None:
    assert fold_uuid(str(id).upper()) == fold_uuid(str(id)) == str(id)


def test_what_looks_like_a_uuid_but_for_its_letters_is_compared_like_one() -> None:
    assert fold_uuid("GD68F8D5-ec4f-4f87-85DE-337b88fa2bdd") == "gd68f8d5-ec4f-4f87-85de-337b88fa2bdd"


@pytest.mark.parametrize(
    "text", ["", "Till 1", "ABC", COUNTED.hex.upper(), f"{{{COUNTED}}}".upper(), f"{COUNTED}".upper() + "\n"]
)
def test_the_case_of_other_ids_is_kept(text: str) -> None:
    assert fold_uuid(text) == text
