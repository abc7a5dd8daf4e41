"""The links that the list returns are opened."""

from collections.abc import Callable

import httpx
import pytest

from tests import pictures
from tests.dialects.publisher.library import Library
from tests.running import Running


def test_every_original_is_served_byte_for_byte(library: Library) -> None:
    for image in library.listed("status=active&limit=1000")["image"]:
        answer = library.http.get(image["url"])
        assert answer.status_code == 200
        assert answer.content == library.originals[image["id"]]
        assert pictures.decode(answer.content).size == (image["width"], image["height"])


def test_every_thumbnail_fits_its_square_in_the_images_own_proportions(library: Library) -> None:
    for image in library.listed("status=active&limit=1000")["image"]:
        answer = library.http.get(image["thumbnailurl"])
        assert answer.status_code == 200
        width, height = pictures.decode(answer.content).size
        scale = min(1.0, 200 / max(image["width"], image["height"]))
        assert width <= 200
        assert height <= 200
        assert abs(width - image["width"] * scale) < 1
        assert abs(height - image["height"] * scale) < 1


def test_a_small_picture_is_not_enlarged(library: Library) -> None:
    [image] = library.listed("search=a_b")["image"]
    assert pictures.decode(library.http.get(image["thumbnailurl"]).content).size == (32, 32)


def test_archived_images_are_listed_with_their_links_but_not_delivered(library: Library) -> None:
    archived = library.listed("status=archived")["image"]
    assert archived
    for link in [image[name] for image in archived for name in ("url", "thumbnailurl")]:
        answer = library.http.get(link)
        assert (answer.status_code, answer.json()["ref"]) == (404, 404)


def test_the_extension_may_be_in_any_case_and_that_of_any_image(library: Library) -> None:
    """In the vendor's examples it isn't the image's either: `flag_2014.gif`, and `"extension": "jpg"`."""
    [image] = library.listed("search=apple")["image"]
    stem = image["url"].removesuffix("png")
    opening, missing = ("png", "PNG", "pNg", "jpg", "gif", "tiff"), ("pn", "", "html", "exe", "pngx")
    answers = {end: library.http.get(stem + end) for end in (*opening, *missing)}
    assert {end: answers[end].status_code for end in answers} == {
        **dict.fromkeys(opening, 200),
        **dict.fromkeys(missing, 404),
    }
    assert {answers[end].headers["content-type"] for end in opening} == {"image/png"}
    assert {answers[end].content for end in opening} == {library.originals[image["id"]]}


def test_a_link_lives_on_when_the_image_becomes_one_of_another_type(demo: Running) -> None:
    publisher = {"Authorization": demo.token("publisher", "replaced", role="editor")}
    native = {"Authorization": f"Bearer {demo.token('native', 'replaced')}"}
    before, after = pictures.png(30, 20, seed=3), pictures.jpeg(60, 40, seed=4)
    with httpx.Client(base_url=demo.base_url) as http:
        id = http.post("/v1/images", content=before, headers=native).json()["id"]
        [image] = http.get("/api/2/images", headers=publisher).json()["image"]
        assert image["url"].endswith(".png")
        for _ in range(3):  # the response may come from memory
            assert http.get(image["url"]).content == before
        assert http.put(f"/v1/images/{id}/original", content=after, headers=native).status_code == 200
        [replaced] = http.get("/api/2/images", headers=publisher).json()["image"]
        assert replaced["url"].endswith(".jpg")
        for link in (image["url"], replaced["url"]):
            answer = http.get(link)
            assert (answer.status_code, answer.content) == (200, after)
            assert answer.headers["content-type"] == "image/jpeg"
        for link in (image["thumbnailurl"], replaced["thumbnailurl"]):
            assert pictures.decode(http.get(link).content).size == (60, 40)


def test_a_query_on_a_link_is_overlooked(library: Library) -> None:
    [image] = library.listed("search=apple")["image"]
    assert library.http.get(image["url"] + "?v=2&width=5").content == library.originals[image["id"]]


@pytest.mark.parametrize(
    "path",
    [
        "/flag",
        "/flag/",
        "/flag/flag_1.png",
        "/flag/flag_0.png",
        "/flag/flag_999998.png",
        "/flag/flag_999999.png",
        "/flag/flag_999999999999999999.png",
        "/flag/flag_99999999999999999999999.png",
        "/flag/flag_abc.png",
        "/flag/flag_%D9%A2.png",
        "/flag/flag_2%00.png",
        "/flag/..%2f..%2fcatalogue.sqlite3",
    ],
)
@pytest.mark.parametrize("accept", ["application/xml", "image/avif,image/*"])
def test_what_is_not_there_is_said_in_this_voice(library: Library, path: str, accept: str) -> None:
    answer = library.http.get(library.base_url + path, headers={"Accept": accept})
    assert answer.status_code == 404
    if accept == "application/xml":
        assert "<error><ref>404</ref><summary>" in answer.text
    else:
        assert answer.json()["ref"] == 404


def test_a_range_that_is_not_there_is_416(library: Library) -> None:
    [image] = library.listed("search=apple")["image"]
    answer = library.http.get(image["url"], headers={"Range": "bytes=99999999-"})
    assert (answer.status_code, answer.json()["ref"]) == (416, 416)


def test_a_link_is_not_written_to(library: Library) -> None:
    [image] = library.listed("search=apple")["image"]
    answer = library.http.delete(image["url"])
    assert (answer.status_code, answer.json()["ref"]) == (405, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_below_a_base_path_the_links_carry_it_and_open(
    library: Library, serve: Callable[..., Running]
) -> None:
    service = serve(library.data, TINTYPE_WEB_BASE_PATH="/context", TINTYPE_PUBLISHER_THUMBNAIL_SIDE="50")
    assert service.base_url.endswith("/context")
    headers = {"Authorization": library.tokens["editor"]}
    answer = library.http.get(service.base_url + "/api/2/images?search=apple", headers=headers)
    [image] = answer.json()["image"]
    assert image["url"] == f"{service.base_url}/flag/flag_{image['attachmentid']}.png"
    assert library.http.get(image["url"]).content == library.originals[image["id"]]
    assert max(pictures.decode(library.http.get(image["thumbnailurl"]).content).size) == 50
    outside = service.base_url.removesuffix("/context")
    assert library.http.get(outside + "/api/2/images", headers=headers).status_code == 404


def test_the_demo_has_a_list_whose_links_open(demo: Running) -> None:
    headers = {"Authorization": demo.info["publisher"]["token"]}
    listed = httpx.get(demo.base_url + "/api/2/images?limit=1000", headers=headers).json()["image"]
    shown = {image["id"]: image for image in listed}
    for fact in demo.info["images"]:
        image = shown[fact["number"]]
        assert (image["name"], image["status"]) == (fact["name"], fact["status"])
        answer = httpx.get(image["url"])
        if fact["status"] == "active":
            assert len(answer.content) == fact["bytes"]
        else:
            assert answer.status_code == 404
