"""The tokens in a body: valid pairs, and the same message for all invalid ones."""

from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from tests.dialects.mews.client import ABSENT, PATH, Client, assert_refused, client, item
from tests.running import Running
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.dialects.mews import DIALECT
from tintype.dialects.mews.settings import Settings
from tintype.model import Error, TooManyRequests

REFUSAL = "Cannot perform operation or session has expired."


@pytest.mark.parametrize("field", ["ClientToken", "AccessToken"])
@pytest.mark.parametrize("wrong", [ABSENT, None, "", "unknown", "ж", "x" * 100_000])
def test_a_token_that_is_missing_or_unknown_is_refused(mews: Client, field: str, wrong: object) -> None:
    assert_refused(mews.request(item(), **{field: wrong}), 401, REFUSAL)


def test_no_token_at_all_is_refused(mews: Client) -> None:
    assert_refused(mews.send(b"{}"), 401, REFUSAL)


def test_a_token_in_a_header_is_none(mews: Client) -> None:
    headers = {"Authorization": f"Bearer {mews.access_token}", "Client-Token": mews.client_token}
    body = mews.body(item(), AccessToken=ABSENT, ClientToken=ABSENT)
    assert_refused(mews.http.post(PATH, json=body, headers=headers), 401, REFUSAL)


def test_the_two_tokens_cannot_change_places(mews: Client) -> None:
    swapped = mews.request(item(), ClientToken=mews.access_token, AccessToken=mews.client_token)
    assert_refused(swapped, 401, REFUSAL)
    assert_refused(mews.request(item(), ClientToken=mews.access_token), 401, REFUSAL)
    assert_refused(mews.request(item(), AccessToken=mews.client_token), 401, REFUSAL)


def test_an_access_token_belongs_to_one_client_token(demo: Running, mews: Client) -> None:
    other = demo.info["mews"]
    assert_refused(mews.request(item(), AccessToken=other["access_token"]), 401, REFUSAL)
    assert_refused(mews.request(item(), ClientToken=other["client_token"]), 401, REFUSAL)
    assert mews.request(item()).status_code == 200


@pytest.mark.parametrize("dialect", ["smartsheet", "publisher", "evotor", "native"])
def test_a_token_of_another_dialect_is_unknown_here(demo: Running, mews: Client, dialect: str) -> None:
    assert_refused(mews.request(item(), AccessToken=demo.info[dialect]["token"]), 401, REFUSAL)


def test_an_expired_token_is_refused(demo: Running, http: httpx.Client) -> None:
    assert_refused(client(demo, http, expires="0s").request(item()), 401, REFUSAL)


@pytest.mark.parametrize("kind", ["client", "access"])
def test_a_revoked_token_is_refused_from_the_next_request_on(
    demo: Running, http: httpx.Client, kind: str
) -> None:
    label = f"revoked-{uuid4().hex}"
    revoked = client(demo, http, label=label)
    assert revoked.request(item()).status_code == 200
    listed = [
        line.replace("│", " ").split() for line in demo.cli("token", "list").splitlines() if label in line
    ]
    [token_id] = [words[0] for words in listed if kind in words]
    demo.cli("token", "revoke", token_id)
    assert_refused(revoked.request(item()), 401, REFUSAL)


@pytest.mark.parametrize("wrong", [{"Images": []}, {"Client": 5}, {"Images": [{"Width": "x"}]}])
def test_bad_tokens_are_answered_before_bad_fields(mews: Client, wrong: dict[str, object]) -> None:
    body = {"ClientToken": "unknown", "AccessToken": mews.access_token, **wrong}
    assert_refused(mews.http.post(PATH, json=body), 401, REFUSAL)


def test_a_token_that_asks_too_often_has_to_wait_and_no_other_has(
    serve: Callable[..., Running],
) -> None:
    service = serve(TINTYPE_MEWS_REQUESTS="3")
    with httpx.Client(base_url=service.base_url) as http:
        busy, calm = client(service, http), client(service, http)
        assert [busy.request(item()).status_code for _ in range(2)] == [200, 200]
        # A refused body is a request too.
        assert_refused(busy.request(), 400, "Invalid Images.")
        refused = busy.request(item())
        assert_refused(refused, 429, "Too many requests.")
        assert 1 <= int(refused.headers["Retry-After"]) <= 30
        assert calm.request(item()).status_code == 200


def test_the_vendors_limit_is_the_default_and_the_window_slides() -> None:
    ours = Settings()
    assert (ours.requests, ours.window_seconds) == (200, 30)
    assert DIALECT.api is not None
    assert DIALECT.api.rate_limiter(ours).status("token").limit == 200
    time = 0.0
    rate_limiter = RateLimiter(ours.requests, ours.window_seconds, lambda: time)
    for _ in range(100):
        rate_limiter.take("token")
    time = 10.0
    for _ in range(100):
        rate_limiter.take("token")
    with pytest.raises(TooManyRequests) as raised:
        rate_limiter.take("token")
    assert raised.value.retry_after == 20
    time = 30.0
    for _ in range(100):
        rate_limiter.take("token")
    with pytest.raises(Error):
        rate_limiter.take("token")
