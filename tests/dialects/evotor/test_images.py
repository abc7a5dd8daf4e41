"""The image of a product: uploaded, listed, read, delivered, deleted."""

import hashlib
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from PIL import Image

from tests import pictures
from tests.dialects.evotor.shop import SIDE, Shop, assert_failure, decoded, new_name, originals, sound
from tests.programs import required
from tests.running import Running

KEYS = ["id", "user_id", "store_id", "product_id", "url", "meta", "created_at", "updated_at"]
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000\Z")


def test_an_upload_answers_the_references_keys(shop: Shop) -> None:
    data = sound()
    answer = shop.upload(data)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    image = answer.json()
    assert list(image) == KEYS
    assert str(UUID(image["id"])) == image["id"]
    assert re.fullmatch(r"02-\d{15}", image["user_id"])
    assert (image["store_id"], image["product_id"]) == (shop.store, shop.product)
    assert image["meta"] == {"extension": "png", "file_size": len(data), "width": SIDE, "height": SIDE}
    assert list(image["meta"]) == ["extension", "file_size", "width", "height"]
    assert DATE.match(image["created_at"])
    assert image["updated_at"] == image["created_at"]


def test_what_was_uploaded_is_listed_and_read(shop: Shop) -> None:
    image = shop.upload(sound()).json()
    assert shop.ask("GET").json() == {"items": [image], "paging": {}}
    assert shop.ask("GET", f"/{image['id']}").json() == image


def test_a_product_without_an_image_has_an_empty_list(shop: Shop) -> None:
    assert shop.ask("GET").json() == {"items": [], "paging": {}}


def test_the_link_opens_without_any_header_and_delivers_the_original(shop: Shop, demo: Running) -> None:
    data = sound(2)
    url = shop.upload(data).json()["url"]
    assert url.startswith(demo.base_url + "/images/")
    answer = shop.http.get(url)
    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert decoded(answer.content).size == (SIDE, SIDE)


@pytest.mark.parametrize("position", range(1, 5))
def test_a_link_with_another_character_anywhere_is_not_found(shop: Shop, position: int) -> None:
    url = shop.upload(sound()).json()["url"]
    parts = urlsplit(url).path.split("/")[1:]
    parts[position] = ("2" if parts[position][0] == "1" else "1") + parts[position][1:]
    assert_failure(shop.http.get("/" + "/".join(parts)), 404, "not_found")


def test_the_bytes_decide_not_the_name(shop: Shop) -> None:
    image = shop.upload(sound(), filename="photo.JPEG").json()
    assert image["meta"]["extension"] == "png"


@pytest.mark.parametrize("name", ["../../etc/passwd", "картинка.png", 'a"b;c.png', "x" * 500, "a.apng", ""])
def test_any_file_name_will_do(shop: Shop, name: str) -> None:
    answer = shop.upload(sound(), filename=name)
    assert answer.status_code == 200, answer.text
    assert answer.json()["meta"]["extension"] == "png"
    assert shop.http.get(answer.json()["url"]).status_code == 200


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_every_kind_of_png_is_taken(shop: Shop, mode: str) -> None:
    data = pictures.encode(Image.new(mode, (SIDE, SIDE)), "png")
    assert shop.upload(data).status_code == 200


def test_the_documented_curl_works_as_printed(shop: Shop, tmp_path: Path) -> None:
    data = sound(3)
    (tmp_path / "000.png").write_bytes(data)
    command = [
        *(required("curl"), "-i", "-X", "POST", str(shop.http.base_url).rstrip("/") + shop.path),
        *("-H", f"X-Authorization:{shop.token}"),
        *("-H", "Content-Type:multipart/form-data"),
        *("-F", "datafile=@000.png"),
    ]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert " 200 OK" in said
    assert shop.http.get(shop.items()[0]["url"]).content == data


def test_a_second_upload_is_a_conflict_and_changes_nothing(shop: Shop, demo: Running) -> None:
    first = shop.upload(sound(4)).json()
    other = sound(5)
    assert_failure(shop.upload(other), 409, "conflict")
    assert shop.items() == [first]
    assert hashlib.sha256(other).hexdigest() not in originals(demo)


def test_deleting_the_image_frees_the_place_and_the_link_is_dead_at_once(shop: Shop) -> None:
    first = shop.upload(sound()).json()
    gone = shop.ask("DELETE", f"/{first['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert "content-type" not in gone.headers
    assert_failure(shop.http.get(first["url"]), 404, "not_found")
    assert_failure(shop.ask("GET", f"/{first['id']}"), 404, "not_found")
    assert_failure(shop.ask("DELETE", f"/{first['id']}"), 404, "not_found")
    assert shop.items() == []
    second = shop.upload(sound()).json()
    assert second["id"] != first["id"]
    assert shop.http.get(second["url"]).status_code == 200
    assert shop.http.get(first["url"]).status_code == 404


def test_all_images_of_a_product_are_deleted_at_once_even_none(shop: Shop) -> None:
    url = shop.upload(sound()).json()["url"]
    for _ in range(2):
        gone = shop.ask("DELETE")
        assert (gone.status_code, gone.content) == (204, b"")
        assert shop.items() == []
    assert shop.http.get(url).status_code == 404


def test_deleting_from_one_product_leaves_the_same_picture_of_another(shop: Shop) -> None:
    data = sound(6)
    other = shop.elsewhere(product=new_name())
    shop.upload(data)
    kept = other.upload(data).json()
    shop.ask("DELETE")
    assert other.items() == [kept]
    assert shop.http.get(kept["url"]).content == data


def test_ids_of_one_product_are_unknown_on_another(shop: Shop) -> None:
    image = shop.upload(sound()).json()
    for other in (shop.elsewhere(product=new_name()), shop.elsewhere(store=new_name())):
        assert other.items() == []
        for method in ("GET", "DELETE"):
            assert_failure(other.ask(method, f"/{image['id']}"), 404, "not_found")
        assert other.ask("DELETE").status_code == 204
    assert shop.items() == [image]


def test_ids_are_compared_with_their_case(shop: Shop) -> None:
    shop.elsewhere(product="Product").upload(sound())
    assert shop.elsewhere(product="product").items() == []


@pytest.mark.parametrize("image", ["x", "1", "0" * 31, "00000000-0000-0000-0000-000000000000", "%00", "€"])
def test_an_image_id_that_is_none_is_not_found(shop: Shop, image: str) -> None:
    for method in ("GET", "DELETE"):
        assert_failure(shop.ask(method, "/" + image), 404, "not_found")


@pytest.mark.parametrize("name", ["a" * 129, "a%20b", "%00", "%FF", "%D0%B0", "{product}", "a~b"])
def test_ids_of_a_bad_shape_are_not_found(shop: Shop, name: str) -> None:
    for there in (shop.elsewhere(store=name), shop.elsewhere(product=name)):
        for method in ("GET", "DELETE"):
            assert_failure(there.ask(method), 404, "not_found")
        assert_failure(there.upload(sound()), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/stores", "/stores/s/products", "/stores/s/products/p", "/stores/s/images", "/images", "/stores/"],
)
def test_unknown_paths_are_not_found(http: httpx.Client, path: str) -> None:
    assert_failure(http.get(path), 404, "not_found")


@pytest.mark.parametrize("tail", ["/", "//", "/a/b", "/a/"])
def test_paths_with_more_on_them_are_not_found(shop: Shop, tail: str) -> None:
    assert_failure(shop.ask("GET", tail), 404, "not_found")


def test_methods_that_are_not_there_are_refused(shop: Shop) -> None:
    for method in ("PUT", "PATCH"):
        assert_failure(shop.ask(method), 405, "method_not_allowed")
        assert_failure(shop.ask(method, f"/{new_name()}"), 405, "method_not_allowed")
    assert_failure(shop.ask("POST", f"/{new_name()}"), 405, "method_not_allowed")


def test_an_empty_cursor_is_none_and_any_other_is_unknown(shop: Shop) -> None:
    assert shop.ask("GET", "?cursor=").json() == {"items": [], "paging": {}}
    for query in ("cursor=x", "cursor=x&cursor=y", "cursor=%FF", "cursor=%00"):
        assert_failure(shop.ask("GET", "?" + query), 400, "bad_request")


def test_the_vendors_media_type_is_answered(shop: Shop) -> None:
    asked = "application/vnd.evotor.v2+json"
    uploaded = shop.http.post(
        shop.path, headers=shop.headers | {"Accept": asked}, files={"datafile": ("a.png", sound())}
    )
    listed = shop.ask("GET", Accept=asked)
    refused = shop.ask("GET", "/x", Accept=asked)
    assert [each.headers["content-type"] for each in (uploaded, listed, refused)] == [asked] * 3
    assert (uploaded.status_code, listed.status_code, refused.status_code) == (200, 200, 404)
