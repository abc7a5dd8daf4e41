"""Authentication, scopes, ids and rate limits."""

import itertools
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.dialects.evotor.client import Client, assert_failure, new_name, sound
from tests.running import Running

READ = "product.image:read"
WRITE = "product.image:write"

Ask = Callable[[Client], httpx.Response]

EVERY_VERB: dict[str, Ask] = {
    "upload": lambda evotor: evotor.upload(sound()),
    "list": lambda evotor: evotor.request("GET"),
    "read": lambda evotor: evotor.request("GET", f"/{new_name()}"),
    "delete": lambda evotor: evotor.request("DELETE", f"/{new_name()}"),
    "delete all": lambda evotor: evotor.request("DELETE"),
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
def test_the_token_is_taken_as_clients_send_it(evotor: Client, headers: dict[str, str]) -> None:
    sent = {name: value.format(evotor.token) for name, value in headers.items()}
    assert evotor.http.get(evotor.path, headers=sent).status_code == 200
    answer = evotor.http.post(evotor.path, headers=sent, files={"datafile": ("a.png", sound())})
    assert answer.status_code == 200


@every_verb
def test_an_unknown_token_is_refused(evotor: Client, ask: Ask) -> None:
    answer = ask(evotor.elsewhere(token="c14fc51c-d6ea-4992-85c0-786b8351d270"))
    assert_failure(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic YTpi"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_a_token_nothing_is_done(evotor: Client, method: str, headers: dict[str, str]) -> None:
    assert_failure(evotor.http.request(method, evotor.path, headers=headers), 401, "unauthorized")


def test_a_refused_upload_still_gets_its_answer(evotor: Client) -> None:
    answer = evotor.http.post(evotor.path, files={"datafile": ("a.png", bytes(20_000_000))})
    assert_failure(answer, 401, "unauthorized")


def test_a_token_of_another_dialect_is_unknown(evotor: Client, demo: Running) -> None:
    for token in (demo.info["native"]["token"], demo.info["smartsheet"]["token"]):
        assert_failure(evotor.elsewhere(token=token).request("GET"), 401, "unauthorized")


@every_verb
def test_an_expired_token_is_told_so(evotor: Client, expired: str, ask: Ask) -> None:
    assert_failure(ask(evotor.elsewhere(token=expired)), 401, "token_expired")


def test_a_revoked_token_is_refused_from_the_next_request_on(evotor: Client, demo: Running) -> None:
    label = new_name()
    mine = evotor.elsewhere(token=demo.token("evotor", "shopkeepers", label=label))
    assert mine.request("GET").status_code == 200
    row = next(line for line in demo.cli("token", "list").splitlines() if label in line)
    demo.cli("token", "revoke", row.strip("│┃| ").split()[0])
    assert_failure(mine.request("GET"), 401, "unauthorized")


def test_each_verb_asks_for_its_scope(evotor: Client, reader: str, writer: str) -> None:
    reads = {"list", "read"}
    for name, ask in EVERY_VERB.items():
        refused = ask(evotor.elsewhere(token=writer if name in reads else reader))
        assert_failure(refused, 403, "forbidden")
        allowed = ask(evotor.elsewhere(token=reader if name in reads else writer))
        assert allowed.status_code in {200, 204, 404}, name


@pytest.mark.parametrize("verb", [name for name in EVERY_VERB if name != "upload"])
def test_a_store_of_another_account_is_one_that_nobody_uses(evotor: Client, stranger: str, verb: str) -> None:
    image, ask = evotor.upload(sound()).json(), EVERY_VERB[verb]
    theirs = evotor.elsewhere(token=stranger)
    one, other = ask(theirs), ask(theirs.elsewhere(store=new_name()))
    assert (one.status_code, one.content) == (other.status_code, other.content)
    assert evotor.items() == [image]


def test_an_image_of_another_account_is_never_seen(evotor: Client, stranger: str) -> None:
    image = evotor.upload(sound()).json()
    same = evotor.elsewhere(token=stranger)
    for method, theirs in itertools.product(("GET", "DELETE"), (same, same.elsewhere(store=new_name()))):
        assert_failure(theirs.request(method, f"/{image['id']}"), 404, "not_found")
    assert evotor.items() == [image]


def test_two_accounts_use_one_store_and_never_see_each_others_images(evotor: Client, stranger: str) -> None:
    theirs = evotor.elsewhere(token=stranger)
    first, second = evotor.upload(sound()).json(), theirs.upload(sound(1)).json()
    assert (evotor.items(), theirs.items()) == ([first], [second])
    assert_failure(theirs.upload(sound()), 409, "conflict")
    assert evotor.request("DELETE").status_code == 204
    assert (evotor.items(), theirs.items()) == ([], [second])
    assert [evotor.http.get(each["url"]).status_code for each in (first, second)] == [404, 200]


def test_user_id_is_the_account(evotor: Client, stranger: str) -> None:
    mine = [evotor.upload(sound()).json(), evotor.elsewhere(product=new_name()).upload(sound()).json()]
    theirs = evotor.elsewhere(token=stranger, store=new_name()).upload(sound()).json()
    assert mine[0]["user_id"] == mine[1]["user_id"] != theirs["user_id"]


def test_over_the_limit_the_answer_is_429_with_what_is_left(evotor: Client, slow: Client) -> None:
    answers = [slow.request("GET"), slow.request("GET", "/x"), slow.request("DELETE"), slow.request("GET")]
    assert [each.status_code for each in answers] == [200, 404, 204, 429]
    assert [each.headers["x-ratelimit-limit"] for each in answers] == ["3"] * 4
    assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0"]
    assert all(3500 < int(each.headers["x-ratelimit-reset"]) <= 3600 for each in answers)
    assert 3500 < int(answers[-1].headers["retry-after"]) <= 3600
    assert_failure(answers[-1], 429, "rate_limit")
    assert evotor.request("GET").status_code == 200


def test_each_token_has_a_limit_of_its_own_and_links_have_none(slow: Client, other_slow: str) -> None:
    url = slow.upload(sound()).json()["url"]
    slow.request("GET")
    slow.request("GET")
    assert_failure(slow.request("GET"), 429, "rate_limit")
    assert slow.elsewhere(token=other_slow).request("GET").status_code == 200
    assert [slow.http.get(url).status_code for _ in range(5)] == [200] * 5


def test_a_request_that_is_not_let_in_has_no_limit_to_tell(evotor: Client) -> None:
    answer = evotor.elsewhere(token="unknown").request("GET")
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
def slow(slow_service: Running) -> Iterator[Client]:
    """At a service that answers three requests an hour."""
    with httpx.Client(base_url=slow_service.base_url, timeout=60) as client:
        yield Client(client, slow_service.token("evotor"), new_name(), new_name())


@pytest.fixture
def other_slow(slow_service: Running) -> str:
    return slow_service.token("evotor")
