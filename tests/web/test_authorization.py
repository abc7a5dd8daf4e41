"""The token in an Authorization header."""

import pytest

from tintype.web.authorization import bearer_token


@pytest.mark.parametrize(
    ("header", "token", "without_scheme"),
    [
        ("Bearer abc", "abc", "abc"),
        ("bearer abc", "abc", "abc"),
        ("BEARER   abc ", "abc", "abc"),
        ("  Bearer\tabc", "abc", "abc"),
        ("abc", None, "abc"),
        ("  abc ", None, "abc"),
        ("Bearerabc", None, "Bearerabc"),
        ("Bearer", None, "Bearer"),
        ("Bearer ", None, "Bearer"),
        ("Basic abc", None, "Basic abc"),
        ("Bearer abc def", None, "Bearer abc def"),
        ("Bearer abc, Bearer def", None, "Bearer abc, Bearer def"),
        ("", None, ""),
        ("   ", None, ""),
    ],
)
def test_the_token_stands_after_its_scheme(header: str, token: str | None, without_scheme: str) -> None:
    assert bearer_token(header) == token
    assert bearer_token(header, scheme_required=False) == without_scheme
