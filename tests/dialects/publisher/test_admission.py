"""Who may read the list, and the order of the checks."""

from collections.abc import Callable

import httpx
import pytest

from tests.dialects.publisher.library import Library
from tests.running import Running

READERS = [
    "super-admin",
    "system-admin",
    "campaign-admin",
    "internal-system-admin",
    "channel-admin",
    "editor",
]


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "BEARER  {}"])
def test_six_roles_may_read_with_the_token_in_either_form(library: Library, role: str, form: str) -> None:
    answer = library.get("limit=1", token=form.format(library.tokens[role]))
    assert answer.status_code == 200
    assert len(answer.json()["image"]) == 1


def test_a_viewer_may_not(library: Library) -> None:
    answer = library.get("limit=1", token=library.tokens["viewer"])
    assert answer.status_code == 403
    assert answer.json() == {"ref": 103, "summary": "The role viewer may not do this."}
    xml = library.get("limit=1", token="Bearer " + library.tokens["viewer"], Accept="application/xml")
    assert xml.status_code == 403
    assert "<ref>103</ref>" in xml.text


def test_a_token_made_on_the_command_line_has_the_role_it_was_given(demo: Running) -> None:
    answers = {
        role: httpx.get(
            demo.base_url + "/api/2/images", headers={"Authorization": demo.token("publisher", role=role)}
        ).status_code
        for role in ("campaign-admin", "viewer")
    }
    assert answers == {"campaign-admin": 200, "viewer": 403}


@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_without_a_token_it_is_401(library: Library, accept: str) -> None:
    answer = library.http.get(library.base_url + "/api/2/images", headers={"Accept": accept})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"].startswith(accept)
    assert "101" in answer.text


@pytest.mark.parametrize(
    "token",
    [
        "wrong",
        "Bearer wrong",
        "Bearer",
        "Basic dXNlcjpwYXNz",
        "Bearer Bearer {}",
        "{}x",
        "Token {}",
        '"{}"',
    ],
)
def test_a_wrong_token_is_401(library: Library, token: str) -> None:
    answer = library.get(token=token.format(library.tokens["editor"]))
    assert answer.status_code == 401
    assert answer.json()["ref"] == 101


@pytest.mark.parametrize("why", ["expired", "revoked", "another dialect's"])
def test_a_token_that_no_longer_or_elsewhere_holds_is_401(library: Library, why: str) -> None:
    answer = library.get(token=library.refused[why])
    assert answer.status_code == 401
    assert answer.json()["ref"] == 101


def test_a_token_in_the_query_is_no_token(library: Library) -> None:
    token = library.tokens["editor"]
    answer = library.http.get(f"{library.base_url}/api/2/images?Authorization={token}&token={token}")
    assert answer.status_code == 401


def test_the_token_is_checked_first_then_the_role_then_accept_then_parameters(library: Library) -> None:
    asked = {"query": "limit=0", "Accept": "text/plain"}
    assert library.get(**asked, token="wrong").status_code == 401
    assert library.get(**asked, token=library.tokens["viewer"]).status_code == 403
    assert library.get(**asked).status_code == 406
    assert library.get("limit=0", Accept="*/*").status_code == 400


def test_there_is_no_limit_of_requests_unless_one_is_set(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_PUBLISHER_REQUESTS="2", TINTYPE_PUBLISHER_WINDOW_SECONDS="3600")
    token, another = service.token("publisher"), service.token("publisher")
    answers = [
        httpx.get(service.base_url + "/api/2/images", headers={"Authorization": token}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["ref"] == 429
    assert 3500 < int(answers[2].headers["retry-after"]) <= 3600
    other = httpx.get(service.base_url + "/api/2/images", headers={"Authorization": another})
    assert other.json() == {"total": 0, "totalcount": 0, "currentpage": 0, "image": []}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_the_list_is_only_read(library: Library, method: str) -> None:
    answer = library.http.request(
        method, library.base_url + "/api/2/images", headers={"Accept": "application/xml"}
    )
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert "HEAD" not in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/xml; charset=UTF-8"


@pytest.mark.parametrize(
    "path", ["/api/2", "/api/2/", "/api/2/image", "/api/2/images/", "/api/2/images/1", "/api/2//images"]
)
def test_other_paths_are_missing_in_this_voice(library: Library, path: str) -> None:
    headers = {"Authorization": library.tokens["editor"], "Accept": "application/xml"}
    answer = library.http.get(library.base_url + path, headers=headers)
    assert answer.status_code == 404
    assert "<error><ref>404</ref><summary>" in answer.text
