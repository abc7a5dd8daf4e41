"""Listing, reading and deleting images."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest

from tests import pictures
from tests.dialects.native.conftest import as_caller
from tests.running import Running

BEHIND = "9223372036854775807"


@pytest.fixture(scope="module")
def library(demo: Running) -> Iterator[tuple[httpx.Client, list[str]]]:
    """An account with seven images, and their ids, newest first."""
    with as_caller(demo, demo.token("native", "native list")) as client:
        sent = [client.post("/v1/images", content=pictures.png(8, 8, seed=seed)) for seed in range(7)]
        yield client, [answer.json()["id"] for answer in sent][::-1]


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [image["id"] for image in answer.json()["images"]]


def test_the_list_is_newest_first(library: tuple[httpx.Client, list[str]]) -> None:
    client, known = library
    answer = client.get("/v1/images")
    assert ids(answer) == known
    assert answer.json()["next_cursor"] is None
    assert list(answer.json()) == ["images", "next_cursor"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 1000])
def test_the_pages_hold_every_image_once(library: tuple[httpx.Client, list[str]], limit: int) -> None:
    client, known = library
    found: list[str] = []
    sizes: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/v1/images", params={"limit": limit, **({"cursor": cursor} if cursor else {})})
        found += ids(page)
        sizes.append(len(ids(page)))
        cursor = page.json()["next_cursor"]
    assert found == known
    full, rest = divmod(len(known), limit)
    assert sizes == [limit] * full + ([rest] if rest else [])


def test_a_page_stays_where_it_was_when_the_image_before_it_goes(demo: Running) -> None:
    with as_caller(demo, demo.token("native", "native cursor")) as client:
        known = [client.post("/v1/images", content=pictures.png(8, 8)).json()["id"] for _ in range(3)][::-1]
        cursor = client.get("/v1/images", params={"limit": 1}).json()["next_cursor"]
        client.delete(f"/v1/images/{known[0]}")
        client.post("/v1/images", content=pictures.png(8, 8))
        assert ids(client.get("/v1/images", params={"cursor": cursor})) == known[1:]


def test_an_empty_library_has_an_empty_list(demo: Running) -> None:
    with as_caller(demo, demo.token("native", "native empty")) as client:
        assert client.get("/v1/images").json() == {"images": [], "next_cursor": None}


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "", "ten", "1.5", "1e2", "٣", "%00", "9" * 5000])
def test_a_limit_out_of_range_is_invalid(client: httpx.Client, limit: str) -> None:
    answer = client.get(f"/v1/images?limit={limit}")
    assert (answer.status_code, answer.json()["field"]) == (400, "limit")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "AAAAAAAAAAA",
        "AAAAAAAAAAB",
        "gAAAAAAAAAA",
        "AAAAAAAAAA=",
        "%00",
        "AAAAAAAAAAEAAAAAAAAAAA",
        "é",
        BEHIND,
    ],
)
def test_a_cursor_that_we_did_not_give_is_invalid(client: httpx.Client, cursor: str) -> None:
    answer = client.get(f"/v1/images?cursor={cursor}")
    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


def test_a_cursor_shows_nobody_the_images_of_others(
    library: tuple[httpx.Client, list[str]], reader: httpx.Client
) -> None:
    cursor = library[0].get("/v1/images", params={"limit": 1}).json()["next_cursor"]
    assert set(ids(reader.get("/v1/images", params={"cursor": cursor, "limit": 1000}))).isdisjoint(library[1])


def test_a_query_of_too_many_parameters_is_invalid(client: httpx.Client) -> None:
    answer = client.get("/v1/images?" + "a=1&" * 51)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:invalid")


def test_one_image_is_found_by_its_id_in_any_spelling(library: tuple[httpx.Client, list[str]]) -> None:
    client, known = library
    spelled = [known[0], known[0].upper(), UUID(known[0]).hex]
    assert [client.get(f"/v1/images/{text}").json()["id"] for text in spelled] == [known[0]] * 3


def absent(demo: Running) -> list[str]:
    return [str(uuid4()), demo.info["foreign_image_id"], "x", "1", "%00", "..%2e", "é", "a" * 1000]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_foreign_and_malformed_ids_can_not_be_told_apart(
    client: httpx.Client, demo: Running, method: str
) -> None:
    answers = [client.request(method, f"/v1/images/{each}") for each in absent(demo)]
    bodies = [
        {key: value for key, value in answer.json().items() if key != "request_id"} for answer in answers
    ]
    assert bodies == [
        {
            "type": "urn:tintype:error:not-found",
            "title": "Not found",
            "status": 404,
            "detail": "There is no such image.",
        }
    ] * len(bodies)
    assert {answer.status_code for answer in answers} == {404}


def test_a_deleted_image_is_gone_with_its_links_and_bytes(
    client: httpx.Client, anyone: httpx.Client, demo: Running
) -> None:
    image = client.post("/v1/images", content=pictures.jpeg(90, 60, seed=4242)).json()
    original = demo.data / "originals" / image["sha256"][:2] / image["sha256"]
    assert original.is_file()
    answer = client.delete(f"/v1/images/{image['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(f"/v1/images/{image['id']}").status_code == 404
    assert client.delete(f"/v1/images/{image['id']}").status_code == 404
    assert anyone.get(image["url"]).status_code == 404
    assert not original.exists()
