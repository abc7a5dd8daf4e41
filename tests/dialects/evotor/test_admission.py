"""Authentication, scopes, ids and rate limits."""

import itertools
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.dialects.evotor.shop import Shop, assert_failure, new_name, sound
from tests.running import Running

READ = "product.image:read"
WRITE = "product.image:write"

Ask = Callable[[Shop], httpx.Response]

EVERY_VERB: dict[str, Ask] = {
    "upload": lambda shop: shop.upload(sound()),
    "list": lambda shop: shop.ask("GET"),
    "read": lambda shop: shop.ask("GET", f"/{new_name()}"),
    "delete": lambda shop: shop.ask("DELETE", f"/{new_name()}"),
    "delete all": lambda shop: shop.ask("DELETE"),
}
every_verb = pytest.mark.parametrize("ask", EVERY_VERB.values(), ids=EVERY_VERB)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Authorization": "{}"},
        {"x-authorization": "Bearer {}"},
        {"Authorization": "Bearer {}"},
        {"Authorization": "bearer {}"},
        {"Authorization": "{}"},
    ],
    ids=str,
)
def test_the_token_is_taken_as_clients_send_it(shop: Shop, headers: dict[str, str]) -> None:
    sent = {name: value.format(shop.token) for name, value in headers.items()}
    assert shop.http.get(shop.path, headers=sent).status_code == 200
    answer = shop.http.post(shop.path, headers=sent, files={"datafile": ("a.png", sound())})
    assert answer.status_code == 200


@every_verb
def test_an_unknown_token_is_refused(shop: Shop, ask: Ask) -> None:
    answer = ask(shop.elsewhere(token="c14fc51c-d6ea-4992-85c0-786b8351d270"))
    assert_failure(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic YTpi"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_a_token_nothing_is_done(shop: Shop, method: str, headers: dict[str, str]) -> None:
    assert_failure(shop.http.request(method, shop.path, headers=headers), 401, "unauthorized")


def test_a_refused_upload_still_gets_its_answer(shop: Shop) -> None:
    answer = shop.http.post(shop.path, files={"datafile": ("a.png", bytes(20_000_000))})
    assert_failure(answer, 401, "unauthorized")


def test_a_token_of_another_dialect_is_unknown(shop: Shop, demo: Running) -> None:
    for token in (demo.info["native"]["token"], demo.info["smartsheet"]["token"]):
        assert_failure(shop.elsewhere(token=token).ask("GET"), 401, "unauthorized")


@every_verb
def test_an_expired_token_is_told_so(shop: Shop, expired: str, ask: Ask) -> None:
    assert_failure(ask(shop.elsewhere(token=expired)), 401, "token_expired")


def test_a_revoked_token_is_refused_from_the_next_request_on(shop: Shop, demo: Running) -> None:
    label = new_name()
    mine = shop.elsewhere(token=demo.token("evotor", "shopkeepers", label=label))
    assert mine.ask("GET").status_code == 200
    row = next(line for line in demo.cli("token", "list").splitlines() if label in line)
    demo.cli("token", "revoke", row.strip("│┃| ").split()[0])
    assert_failure(mine.ask("GET"), 401, "unauthorized")


def test_each_verb_asks_for_its_scope(shop: Shop, reader: str, writer: str) -> None:
    reads = {"list", "read"}
    for name, ask in EVERY_VERB.items():
        refused = ask(shop.elsewhere(token=writer if name in reads else reader))
        assert_failure(refused, 403, "forbidden")
        allowed = ask(shop.elsewhere(token=reader if name in reads else writer))
        assert allowed.status_code in {200, 204, 404}, name


@pytest.mark.parametrize("verb", [name for name in EVERY_VERB if name != "upload"])
def test_a_store_of_another_account_is_one_that_nobody_uses(shop: Shop, stranger: str, verb: str) -> None:
    image, ask = shop.upload(sound()).json(), EVERY_VERB[verb]
    theirs = shop.elsewhere(token=stranger)
    one, other = ask(theirs), ask(theirs.elsewhere(store=new_name()))
    assert (one.status_code, one.content) == (other.status_code, other.content)
    assert shop.items() == [image]


def test_an_image_of_another_account_is_never_seen(shop: Shop, stranger: str) -> None:
    image = shop.upload(sound()).json()
    same = shop.elsewhere(token=stranger)
    for method, theirs in itertools.product(("GET", "DELETE"), (same, same.elsewhere(store=new_name()))):
        assert_failure(theirs.ask(method, f"/{image['id']}"), 404, "not_found")
    assert shop.items() == [image]


def test_two_accounts_use_one_store_and_never_see_each_others_images(shop: Shop, stranger: str) -> None:
    theirs = shop.elsewhere(token=stranger)
    first, second = shop.upload(sound()).json(), theirs.upload(sound(1)).json()
    assert (shop.items(), theirs.items()) == ([first], [second])
    assert_failure(theirs.upload(sound()), 409, "conflict")
    assert shop.ask("DELETE").status_code == 204
    assert (shop.items(), theirs.items()) == ([], [second])
    assert [shop.http.get(each["url"]).status_code for each in (first, second)] == [404, 200]


def test_user_id_is_the_account(shop: Shop, stranger: str) -> None:
    mine = [shop.upload(sound()).json(), shop.elsewhere(product=new_name()).upload(sound()).json()]
    theirs = shop.elsewhere(token=stranger, store=new_name()).upload(sound()).json()
    assert mine[0]["user_id"] == mine[1]["user_id"] != theirs["user_id"]


def test_over_the_limit_the_answer_is_429_with_what_is_left(shop: Shop, slow: Shop) -> None:
    answers = [slow.ask("GET"), slow.ask("GET", "/x"), slow.ask("DELETE"), slow.ask("GET")]
    assert [each.status_code for each in answers] == [200, 404, 204, 429]
    assert [each.headers["x-ratelimit-limit"] for each in answers] == ["3"] * 4
    assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0"]
    assert all(3500 < int(each.headers["x-ratelimit-reset"]) <= 3600 for each in answers)
    assert 3500 < int(answers[-1].headers["retry-after"]) <= 3600
    assert_failure(answers[-1], 429, "rate_limit")
    assert shop.ask("GET").status_code == 200


def test_each_token_has_a_limit_of_its_own_and_links_have_none(slow: Shop, other_slow: str) -> None:
    url = slow.upload(sound()).json()["url"]
    slow.ask("GET")
    slow.ask("GET")
    assert_failure(slow.ask("GET"), 429, "rate_limit")
    assert slow.elsewhere(token=other_slow).ask("GET").status_code == 200
    assert [slow.http.get(url).status_code for _ in range(5)] == [200] * 5


def test_a_request_that_is_not_let_in_has_no_limit_to_tell(shop: Shop) -> None:
    answer = shop.elsewhere(token="unknown").ask("GET")
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


@pytest.fixture(scope="module")
def expired(demo: Running) -> str:
    return demo.token("evotor", "shopkeepers", expires="0s")


@pytest.fixture(scope="module")
def reader(demo: Running) -> str:
    return demo.token("evotor", "shopkeepers", scope=[READ])


@pytest.fixture(scope="module")
def writer(demo: Running) -> str:
    return demo.token("evotor", "shopkeepers", scope=[WRITE])


@pytest.fixture
def slow_service(serve: Callable[..., Running]) -> Running:
    return serve(TINTYPE_EVOTOR_REQUESTS="3", TINTYPE_EVOTOR_WINDOW_SECONDS="3600")


@pytest.fixture
def slow(slow_service: Running) -> Iterator[Shop]:
    """At a service that answers three requests an hour."""
    with httpx.Client(base_url=slow_service.base_url, timeout=60) as client:
        yield Shop(client, slow_service.token("evotor"), new_name(), new_name())


@pytest.fixture
def other_slow(slow_service: Running) -> str:
    return slow_service.token("evotor")
