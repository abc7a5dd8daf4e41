"""Images that came in through the native API at products of evotor."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests import pictures
from tests.dialects.evotor.client import Client, new_name, sound
from tests.dialects.native.conftest import ACCOUNT
from tests.running import Running

WRONG = pictures.png(301, 300)


@pytest.fixture(scope="module")
def token(demo: Running) -> str:
    return demo.token("evotor", ACCOUNT)


@pytest.fixture
def evotor(demo: Running, token: str) -> Iterator[Client]:
    """At a product of the same account."""
    with httpx.Client(base_url=demo.base_url, timeout=60) as http:
        yield Client(http, token, new_name(), new_name())


def product(evotor: Client) -> dict[str, str]:
    return {"kind": "product", "container": evotor.store, "holder": evotor.product}


def upload(client: httpx.Client, data: bytes) -> str:
    """The path of a new image."""
    answer = client.post("/v1/images", content=data)
    assert answer.status_code == 201
    return f"/v1/images/{answer.json()['short_id']}"


def test_an_image_is_attached_shown_at_the_product_and_detached(client: httpx.Client, evotor: Client) -> None:
    path = upload(client, sound())
    place = {**product(evotor), "slot": "", "alt_text": ""}
    answer = client.post(f"{path}/placements", json=product(evotor))
    assert (answer.status_code, answer.json()) == (201, place)
    (shown,) = evotor.items()
    assert shown["id"] == client.get(path).json()["id"]
    assert evotor.http.get(shown["url"]).content == sound()
    assert client.get(f"{path}/placements").json() == {"placements": [place]}
    assert client.delete(f"{path}/placements", params=product(evotor)).status_code == 204
    assert evotor.items() == []
    assert client.get(f"{path}/placements").json() == {"placements": []}
    assert client.delete(f"{path}/placements", params=product(evotor)).status_code == 404


def test_a_picture_that_the_dialect_would_refuse_is_refused_there_too(
    client: httpx.Client, evotor: Client
) -> None:
    answer = client.post(f"{upload(client, WRONG)}/placements", json=product(evotor))
    assert answer.status_code == 409
    assert "301 by 300 pixels" in answer.json()["detail"]
    assert evotor.items() == []


@pytest.mark.parametrize("data", [WRONG, pictures.jpeg(300, 300), pictures.apng(2, 300, 300)])
def test_the_bytes_of_a_products_picture_are_not_replaced_by_such_that_break_its_rules(
    client: httpx.Client, evotor: Client, data: bytes
) -> None:
    image = evotor.upload(sound()).json()
    path = f"/v1/images/{image['id']}"
    before = client.get(path).json()
    answer = client.put(f"{path}/original", content=data)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:tintype:error:conflict"
    assert (client.get(path).json(), evotor.items()) == (before, [image])
    assert evotor.http.get(image["url"]).content == sound()
    assert client.put(f"{path}/original", content=sound(2)).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "shelf"}, "kind"),
        ({"container": "a b"}, "container"),
        ({"container": ""}, "container"),
        ({"holder": "x" * 129}, "holder"),
        ({"slot": "1"}, "slot"),
        ({"holder": 7}, "holder"),
        ({"colour": "red"}, "placement"),
    ],
)
def test_what_is_no_place_is_invalid(
    client: httpx.Client, evotor: Client, change: dict[str, object], field: str
) -> None:
    answer = client.post(f"{upload(client, sound())}/placements", json=product(evotor) | change)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_body_that_is_no_json_is_malformed(client: httpx.Client) -> None:
    answer = client.post(f"{upload(client, sound())}/placements", content=b"{")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:malformed")


def test_who_may_only_read_attaches_nothing(
    client: httpx.Client, reader: httpx.Client, evotor: Client
) -> None:
    path = f"{upload(client, sound())}/placements"
    assert reader.get(path).json() == {"placements": []}
    assert reader.post(path, json=product(evotor)).status_code == 403
    assert reader.delete(path, params=product(evotor)).status_code == 403
    assert client.post(f"/v1/images/{uuid4()}/placements", json=product(evotor)).status_code == 404
