"""Pictures in the format that suits who asks, over a real connection."""

from collections.abc import Callable

import httpx

from tests import pictures
from tests.running import Running
from tests.web.counting import links

CHROME = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"
SAFARI = "image/webp,image/png,image/*;q=0.8,*/*;q=0.5"
OLD = "*/*"
PICTURE = pictures.jpeg(400, 300, seed=17)


def only_image(service: Running) -> str:
    service.publish("demo", "mews", "native")
    headers = {"Authorization": f"Bearer {service.token('native')}"}
    [found] = httpx.get(f"{service.base_url}/v1/images", headers=headers).json()["images"]
    return f"{service.base_url}/Media/Image/{found['id']}?Mode=Fit&Width="


def get(url: str, accept: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers={"Accept": accept, **headers})


def test_who_asks_gets_what_suits(demo: Running) -> None:
    [url] = links(demo, PICTURE, {"width": 200, "format": "auto"})
    # Twice each, and in turn: the first is made, the second comes from memory.
    for _ in range(2):
        for accept, format in ((CHROME, "AVIF"), (SAFARI, "WEBP"), (OLD, "JPEG")):
            answer = get(url, accept)
            picture = pictures.decode(answer.content)
            assert (picture.format, picture.size) == (format, (200, 150))
            assert answer.headers["content-type"] == f"image/{format.lower()}"
            assert answer.headers["vary"] == "Accept"
            assert "public" in answer.headers["cache-control"]


def test_the_tag_of_one_format_is_not_that_of_another(demo: Running) -> None:
    [url] = links(demo, PICTURE, {"width": 210, "format": "auto"})
    tags = {accept: get(url, accept).headers["etag"] for accept in (CHROME, SAFARI, OLD)}
    assert len(set(tags.values())) == 3
    for _ in range(2):
        for accept, tag in tags.items():
            same = get(url, accept, **{"If-None-Match": tag})
            assert (same.status_code, same.headers["vary"]) == (304, "Accept")
            others = ", ".join(set(tags.values()) - {tag})
            assert get(url, accept, **{"If-None-Match": others}).status_code == 200


def test_a_format_that_is_asked_for_varies_with_nothing(demo: Running) -> None:
    for url in links(demo, PICTURE, {"width": 200, "format": "webp"}, {"width": 200}, {}):
        assert all("vary" not in get(url, accept).headers for accept in (CHROME, OLD))


def test_several_accept_lines_count_as_one(demo: Running) -> None:
    [url] = links(demo, PICTURE, {"width": 220, "format": "auto"})
    for _ in range(2):
        answer = httpx.get(url, headers=[("Accept", "image/png"), ("Accept", "image/webp")])
        assert answer.headers["content-type"] == "image/webp"


def test_a_stand_in_is_kept_by_nobody_and_replaced_when_the_picture_is_there(
    serve: Callable[..., Running],
) -> None:
    slow = serve(TINTYPE_DEFERRED_LIVE_PIXELS="0")
    for recipe, accept, stand_in in (
        ({"width": 300, "format": "auto"}, CHROME, "image/webp"),
        ({"width": 310, "format": "avif"}, OLD, "image/jpeg"),
    ):
        [url] = links(slow, PICTURE, recipe)
        first = get(url, accept)
        assert first.headers["content-type"] == stand_in
        assert first.headers["cache-control"] == "private, max-age=0"
        assert first.headers["vary"] == "Accept"
        last = first
        for _ in range(1000):
            last = get(url, accept)
            if last.headers["content-type"] == "image/avif":
                break
        assert pictures.decode(last.content).format == "AVIF"
        assert last.headers["cache-control"].startswith("public")
        assert last.headers["etag"] != first.headers["etag"]


def test_an_address_has_a_budget_of_new_pictures_by_plain_links(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_LIMITS_NEW_RENDITIONS="2", TINTYPE_LIMITS_WINDOW_SECONDS="3600")
    [original, signed, other] = links(service, PICTURE, {}, {"width": 31}, {"width": 32})
    assert httpx.get(original).status_code == 200
    plain = [only_image(service) + width for width in ("21", "22", "23")]
    answers = [httpx.get(url) for url in (*plain, *plain[:2])]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200, 200]
    assert 0 < int(answers[2].headers["retry-after"]) <= 3600
    # Who was given a signed link was given the picture.
    assert [httpx.get(url).status_code for url in (signed, other)] == [200, 200]


def test_an_account_bounds_what_plain_links_may_ask_for(serve: Callable[..., Running]) -> None:
    service = serve()
    [_, signed] = links(service, PICTURE, {}, {"width": 33})
    plain = only_image(service)
    assert httpx.get(plain + "20").status_code == 200
    service.cli("account", "sizes", "demo", "40x,20x20")
    assert [httpx.get(plain + sides).status_code for sides in ("40", "41", "20&Height=20")] == [200, 403, 200]
    assert "40x,20x20" in httpx.get(plain + "41").text
    # What was made before is delivered still.
    assert httpx.get(plain + "20").status_code == 200
    assert httpx.get(signed).status_code == 200
