"""The parts of the wire format. Pure."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from tests.errors import RENDERED, an_error
from tintype.core.runtime.rate_limit import RateLimitStatus
from tintype.dialects.evotor import wire
from tintype.model import Account, Kind, NotFound, TooManyRequests
from tintype.web.context import Context
from tintype.web.errors import STATUS


def context(**headers: str) -> Context:
    return Context("id", "http://here", "GET", "/stores", "", headers)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2018, 9, 4, 13, 31, 1, 104_000, UTC), "2018-09-04T13:31:01.104+0000"),
        (datetime(2018, 9, 4, 13, 31, 1, 999_999, UTC), "2018-09-04T13:31:01.999+0000"),
        (datetime(2018, 9, 4, 13, 31, 1, 4_000, UTC), "2018-09-04T13:31:01.004+0000"),
        (datetime(2018, 9, 4, 13, 31, 1, 0, timezone(timedelta(hours=3))), "2018-09-04T10:31:01.000+0000"),
    ],
)
def test_moments_have_milliseconds_and_no_colon_in_the_zone(at: datetime, text: str) -> None:
    assert wire.format_time(at) == text


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, ""),
        ({"x-authorization": "abc"}, "abc"),
        ({"x-authorization": "Bearer abc"}, "abc"),
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer abc"}, "abc"),
        ({"authorization": "BEARER \t abc "}, "abc"),
        ({"authorization": "abc"}, "abc"),
        ({"authorization": "Bearer"}, "Bearer"),
        ({"authorization": "Basic YTpi"}, "Basic YTpi"),
        ({"x-authorization": " ", "authorization": "abc"}, "abc"),
        ({"x-authorization": "abc", "authorization": "Bearer other"}, "abc"),
    ],
)
def test_the_token_stands_where_clients_put_it(headers: dict[str, str], token: str) -> None:
    assert wire.parse_token(headers) == token


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", wire.JSON),
        ("*/*", wire.JSON),
        ("application/*", wire.JSON),
        ("application/json", wire.JSON),
        ("application/vnd.evotor.v2+json", wire.JSON_V2),
        ("Application/VND.evotor.v2+JSON;charset=UTF-8", wire.JSON_V2),
        ("application/vnd.evotor.v2+json, */*", wire.JSON_V2),
        ("application/json, application/vnd.evotor.v2+json", wire.JSON_V2),
        ("application/json;q=0.5, application/vnd.evotor.v2+json;q=0.9", wire.JSON_V2),
        ("application/json, application/vnd.evotor.v2+json;q=0.9", wire.JSON),
        ("application/vnd.evotor.v2+json;q=0", wire.JSON),
        ("application/vnd.evotor.v2+json+bulk", wire.JSON),
        ("text/html", wire.JSON),
        (",;,q=,/", wire.JSON),
    ],
)
def test_the_vendors_own_type_is_answered_to_who_asks_for_it(accept: str, answered: str) -> None:
    assert wire.media_type(context(accept=accept)) == answered


@pytest.mark.parametrize("text", ["a", "a" * 128, "20180413-2595-40E8-80CB-4646C05D81B6", "g_1.2-B"])
def test_ids_of_stores_and_products_are_opaque(text: str) -> None:
    assert wire.parse_opaque_id(text) == text


@pytest.mark.parametrize("text", ["", "a" * 129, "a b", "a\n", "é", "a/b", "a\0", "٣", "a%20"])
def test_what_can_be_no_id_is_missing(text: str) -> None:
    with pytest.raises(NotFound):
        wire.parse_opaque_id(text)


@pytest.mark.parametrize("kind", RENDERED)
def test_every_kind_of_error_has_words(kind: Kind) -> None:
    answer = wire.render_error(an_error(kind), context())
    # The vendor names no 507.
    assert answer.status == {Kind.INSUFFICIENT_STORAGE: 503}.get(kind, STATUS[kind])
    assert answer.body.startswith(b'{"code":"')
    assert answer.body.endswith(b',"violations":[]}')


def test_the_allowance_is_told_with_errors_too() -> None:
    asked = context()
    asked.rate_limit_status = RateLimitStatus(5, 0, 12)
    headers = wire.render_error(TooManyRequests("Slowly.", retry_after=7), asked).headers
    assert headers["X-RateLimit-Limit"] == "5"
    assert headers["X-RateLimit-Remaining"] == "0"
    assert headers["X-RateLimit-Reset"] == "12"
    assert headers["Retry-After"] == "7"


def test_where_there_is_no_limit_none_is_told() -> None:
    asked = context()
    asked.rate_limit_status = RateLimitStatus(0, 0, 12)
    assert wire.rate_limit_headers(asked) == {}


@pytest.mark.parametrize(("number", "user_id"), [(1, "02-200000000000001"), (10_000, "02-200000000010000")])
def test_an_account_has_an_id_in_the_vendors_format(number: int, user_id: str) -> None:
    assert wire.format_user_id(Account(UUID(int=number), "shop", number)) == user_id
