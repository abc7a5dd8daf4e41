"""Untrusted file names: cleaning, splitting, folding."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.imaging import Format
from tintype.model.names import MAX_FILENAME, clean, fold, split

TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""The classes of characters that begin or end a part of other direction (Unicode UAX 9, table 4)."""
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("came", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("/home/anna/photo.jpg", "photo.jpg"),
        (r"C:\Users\Anna\photo.jpg", "photo.jpg"),
        (r"../..\..//photo.jpg", "photo.jpg"),
        ("  photo.jpg\r\n", "photo.jpg"),
        ("Отель на набережной.jpg", "Отель на набережной.jpg"),
        ("Logo 🦊.PNG", "Logo 🦊.PNG"),
        ("e\u0301.png", "e\u0301.png"),
        ("a\0b.png", "a\ufffdb.png"),
        ("a\ud800b\udfff.png", "a\ufffdb\ufffd.png"),
        ("two\r\nlines\x85or\u2028more\u2029\x0b.png", "two  lines or more  .png"),
        ("tab\tbell\aescape\x1b[31m\x7f\x9b.png", "tab bell\ufffdescape\ufffd[31m\ufffd\ufffd.png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("\u2066a\u2069\u202a\u202b\u202c\u202d\u2067\u2068.png", "a.png"),
        ("\u202e\n", "image"),
        ("שלום\u200f.png", "שלום\u200f.png"),  # a mark, which turns nothing around
        ("", "image"),
        ("   ", "image"),
        ("uploads/", "image"),
        (".", "image"),
        ("a/..", "image"),
        ("..jpg", "..jpg"),
    ],
)
def test_of_a_path_the_last_part_is_kept_in_its_own_spelling(came: str, kept: str) -> None:
    assert clean(came) == kept


def test_a_name_of_300_characters_loses_its_middle_and_not_its_extension() -> None:
    assert clean("я" * 300 + ".jpeg") == "я" * 250 + ".jpeg"


def test_a_name_of_255_characters_is_whole() -> None:
    name = "x" * 251 + ".png"
    assert clean(name) == name


@pytest.mark.parametrize("tail", ["", "." + "x" * 11, ".no extension"])
def test_a_long_name_without_an_extension_is_cut_at_its_end(tail: str) -> None:
    assert clean("x" * 300 + tail) == "x" * 255


@given(ANY_TEXT)
def test_whatever_comes_is_stored_by_any_database_and_cleaned_for_good(came: str) -> None:
    kept = clean(came)
    assert 1 <= len(kept) <= MAX_FILENAME
    assert not set(kept) & set("/\\")
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in kept)
    assert not any(unicodedata.bidirectional(char) in TURNING for char in kept)
    assert kept.encode("utf-8")
    assert clean(kept) == kept


@pytest.mark.parametrize(
    ("filename", "format", "parts"),
    [
        ("photo.jpg", Format.JPEG, ("photo", "jpg")),
        ("photo.JPG", Format.JPEG, ("photo", "JPG")),
        ("photo.JpEg", Format.JPEG, ("photo", "JpEg")),
        ("photo.tif", Format.TIFF, ("photo", "tif")),
        ("photo.png", Format.JPEG, ("photo", "jpg")),
        ("photo.JPG", Format.WEBP, ("photo", "webp")),
        ("report.2024", Format.PNG, ("report.2024", "png")),
        ("archive.tar.gz", Format.GIF, ("archive.tar.gz", "gif")),
        ("a.b.png", Format.PNG, ("a.b", "png")),
        ("photo", Format.AVIF, ("photo", "avif")),
        ("photo.", Format.PNG, ("photo.", "png")),
        (".png", Format.PNG, (".png", "png")),
    ],
)
def test_an_extension_that_fits_the_bytes_stays_and_another_gives_way(
    filename: str, format: Format, parts: tuple[str, str]
) -> None:
    assert split(filename, format) == parts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CRÈME Brûlée", "creme brulee"),
        ("Straße", "STRASSE"),
        ("ОТЕЛЬ", "отель"),
        ("Ёлка", "елка"),
        ("ﬁnal", "FINAL"),
        ("Ｈｏｔｅｌ", "hotel"),
        ("cafe\u0301", "caf\u00e9"),
        ("ΟΔΌΣ", "οδος"),
        ("①", "1"),
        ("한글", unicodedata.normalize("NFD", "한글")),
    ],
)
def test_case_accents_and_compatibility_forms_make_no_difference(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("отель", "hotel"), ("o", "0"), ("100%", "100_")])
def test_other_letters_make_a_difference(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(ANY_TEXT)
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)
