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
from tests.dialects.evotor.client import SIDE, Client, assert_failure, decoded, new_name, originals, sound
from tests.programs import required
from tests.running import Running

KEYS = ["id", "user_id", "store_id", "product_id", "url", "meta", "created_at", "updated_at"]
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000\Z")


def test_an_upload_answers_the_references_keys(evotor: Client) -> None:
    data = sound()
    answer = evotor.upload(data)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    image = answer.json()
    assert list(image) == KEYS
    assert str(UUID(image["id"])) == image["id"]
    assert re.fullmatch(r"02-\d{15}", image["user_id"])
    assert (image["store_id"], image["product_id"]) == (evotor.store, evotor.product)
    assert image["meta"] == {"extension": "png", "file_size": len(data), "width": SIDE, "height": SIDE}
    assert list(image["meta"]) == ["extension", "file_size", "width", "height"]
    assert DATE.match(image["created_at"])
    assert image["updated_at"] == image["created_at"]


def test_what_was_uploaded_is_listed_and_read(evotor: Client) -> None:
    image = evotor.upload(sound()).json()
    assert evotor.request("GET").json() == {"items": [image], "paging": {}}
    assert evotor.request("GET", f"/{image['id']}").json() == image


def test_the_case_of_uuids_has_no_meaning_and_they_are_shown_as_first_written(evotor: Client) -> None:
    shouted = evotor.elsewhere(store=evotor.store.upper(), product=evotor.product.upper())
    mixed = evotor.elsewhere(store=evotor.store.upper())
    image = shouted.upload(sound()).json()
    assert (image["store_id"], image["product_id"]) == (shouted.store, shouted.product)
    assert evotor.items() == shouted.items() == mixed.items() == [image]
    assert mixed.request("GET", f"/{image['id']}").json() == image
    assert_failure(mixed.upload(sound(2)), 409, "conflict")
    assert evotor.request("DELETE", f"/{image['id'].upper()}").status_code == 204
    assert shouted.items() == []


def test_the_case_of_other_ids_matters(evotor: Client) -> None:
    shouted, quiet = (evotor.elsewhere(product=product) for product in ("Till", "till"))
    shouted.upload(sound())
    assert quiet.items() == []
    assert quiet.upload(sound(2)).status_code == 200


def test_a_product_without_an_image_has_an_empty_list(evotor: Client) -> None:
    assert evotor.request("GET").json() == {"items": [], "paging": {}}


def test_the_link_opens_without_any_header_and_delivers_the_original(evotor: Client, demo: Running) -> None:
    data = sound(2)
    url = evotor.upload(data).json()["url"]
    assert url.startswith(demo.base_url + "/images/")
    answer = evotor.http.get(url)
    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert decoded(answer.content).size == (SIDE, SIDE)


@pytest.mark.parametrize("position", range(1, 5))
def test_a_link_with_another_character_anywhere_is_not_found(evotor: Client, position: int) -> None:
    url = evotor.upload(sound()).json()["url"]
    parts = urlsplit(url).path.split("/")[1:]
    parts[position] = ("2" if parts[position][0] == "1" else "1") + parts[position][1:]
    assert_failure(evotor.http.get("/" + "/".join(parts)), 404, "not_found")


def test_the_bytes_decide_not_the_name(evotor: Client) -> None:
    image = evotor.upload(sound(), filename="photo.JPEG").json()
    assert image["meta"]["extension"] == "png"


@pytest.mark.parametrize("name", ["../../etc/passwd", "картинка.png", 'a"b;c.png', "x" * 500, "a.apng", ""])
def test_any_file_name_will_do(evotor: Client, name: str) -> None:
    answer = evotor.upload(sound(), filename=name)
    assert answer.status_code == 200, answer.text
    assert answer.json()["meta"]["extension"] == "png"
    assert evotor.http.get(answer.json()["url"]).status_code == 200


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_every_kind_of_png_is_taken(evotor: Client, mode: str) -> None:
    data = pictures.encode(Image.new(mode, (SIDE, SIDE)), "png")
    assert evotor.upload(data).status_code == 200


def test_the_documented_curl_works_as_printed(evotor: Client, tmp_path: Path) -> None:
    data = sound(3)
    (tmp_path / "000.png").write_bytes(data)
    command = [
        *(required("curl"), "-i", "-X", "POST", str(evotor.http.base_url).rstrip("/") + evotor.path),
        *("-H", f"X-Authorization:{evotor.token}"),
        *("-H", "Content-Type:multipart/form-data"),
        *("-F", "datafile=@000.png"),
    ]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert " 200 OK" in output
    assert evotor.http.get(evotor.items()[0]["url"]).content == data


def test_a_second_upload_is_a_conflict_and_changes_nothing(evotor: Client, demo: Running) -> None:
    first = evotor.upload(sound(4)).json()
    other = sound(5)
    assert_failure(evotor.upload(other), 409, "conflict")
    assert evotor.items() == [first]
    assert hashlib.sha256(other).hexdigest() not in originals(demo)


def test_deleting_the_image_frees_the_place_and_the_link_is_dead_at_once(evotor: Client) -> None:
    first = evotor.upload(sound()).json()
    gone = evotor.request("DELETE", f"/{first['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert "content-type" not in gone.headers
    assert_failure(evotor.http.get(first["url"]), 404, "not_found")
    assert_failure(evotor.request("GET", f"/{first['id']}"), 404, "not_found")
    assert_failure(evotor.request("DELETE", f"/{first['id']}"), 404, "not_found")
    assert evotor.items() == []
    second = evotor.upload(sound()).json()
    assert second["id"] != first["id"]
    assert evotor.http.get(second["url"]).status_code == 200
    assert evotor.http.get(first["url"]).status_code == 404


def test_all_images_of_a_product_are_deleted_at_once_even_none(evotor: Client) -> None:
    url = evotor.upload(sound()).json()["url"]
    for _ in range(2):
        gone = evotor.request("DELETE")
        assert (gone.status_code, gone.content) == (204, b"")
        assert evotor.items() == []
    assert evotor.http.get(url).status_code == 404


def test_deleting_from_one_product_leaves_the_same_picture_of_another(evotor: Client) -> None:
    data = sound(6)
    other = evotor.elsewhere(product=new_name())
    evotor.upload(data)
    kept = other.upload(data).json()
    evotor.request("DELETE")
    assert other.items() == [kept]
    assert evotor.http.get(kept["url"]).content == data


def test_ids_of_one_product_are_unknown_on_another(evotor: Client) -> None:
    image = evotor.upload(sound()).json()
    for other in (evotor.elsewhere(product=new_name()), evotor.elsewhere(store=new_name())):
        assert other.items() == []
        for method in ("GET", "DELETE"):
            assert_failure(other.request(method, f"/{image['id']}"), 404, "not_found")
        assert other.request("DELETE").status_code == 204
    assert evotor.items() == [image]


def test_ids_are_compared_with_their_case(evotor: Client) -> None:
    evotor.elsewhere(product="Product").upload(sound())
    assert evotor.elsewhere(product="product").items() == []


@pytest.mark.parametrize("image", ["x", "1", "0" * 31, "00000000-0000-0000-0000-000000000000", "%00", "€"])
def test_an_image_id_that_is_none_is_not_found(evotor: Client, image: str) -> None:
    for method in ("GET", "DELETE"):
        assert_failure(evotor.request(method, "/" + image), 404, "not_found")


@pytest.mark.parametrize("name", ["a" * 129, "a%20b", "%00", "%FF", "%D0%B0", "{product}", "a~b"])
def test_ids_of_a_bad_shape_are_not_found(evotor: Client, name: str) -> None:
    for there in (evotor.elsewhere(store=name), evotor.elsewhere(product=name)):
        for method in ("GET", "DELETE"):
            assert_failure(there.request(method), 404, "not_found")
        assert_failure(there.upload(sound()), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/stores", "/stores/s/products", "/stores/s/products/p", "/stores/s/images", "/images", "/stores/"],
)
def test_unknown_paths_are_not_found(http: httpx.Client, path: str) -> None:
    assert_failure(http.get(path), 404, "not_found")


@pytest.mark.parametrize("tail", ["/", "//", "/a/b", "/a/"])
def test_paths_with_more_on_them_are_not_found(evotor: Client, tail: str) -> None:
    assert_failure(evotor.request("GET", tail), 404, "not_found")


def test_methods_that_are_not_there_are_refused(evotor: Client) -> None:
    for method in ("PUT", "PATCH"):
        assert_failure(evotor.request(method), 405, "method_not_allowed")
        assert_failure(evotor.request(method, f"/{new_name()}"), 405, "method_not_allowed")
    assert_failure(evotor.request("POST", f"/{new_name()}"), 405, "method_not_allowed")


def test_an_empty_cursor_is_none_and_any_other_is_unknown(evotor: Client) -> None:
    assert evotor.request("GET", "?cursor=").json() == {"items": [], "paging": {}}
    for query in ("cursor=x", "cursor=x&cursor=y", "cursor=%FF", "cursor=%00"):
        assert_failure(evotor.request("GET", "?" + query), 400, "bad_request")


def test_the_vendors_media_type_is_answered(evotor: Client) -> None:
    asked = "application/vnd.evotor.v2+json"
    uploaded = evotor.http.post(
        evotor.path, headers=evotor.headers | {"Accept": asked}, files={"datafile": ("a.png", sound())}
    )
    listed = evotor.request("GET", Accept=asked)
    refused = evotor.request("GET", "/x", Accept=asked)
    assert [each.headers["content-type"] for each in (uploaded, listed, refused)] == [asked] * 3
    assert (uploaded.status_code, listed.status_code, refused.status_code) == (200, 200, 404)
