"""Pictures over HTTP: conditions, ranges, headers, errors. The service is real, the links are native ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import pictures
from tests.running import Running
from tintype.app import LINK_KEYS
from tintype.core.runtime.signing import Keyring
from tintype.dialects.native import links
from tintype.imaging import Mode, Recipe

NAME = "Отель на набережной, 100% «été».jpg"
SIZE = (300, 200)
OF_THE_MOMENT = {"date", "request-id"}
CORS = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}


@dataclass(frozen=True)
class Picture:
    """An image of the running service, and what makes links to it."""

    id: UUID
    original: bytes
    url: str
    keyring: Keyring

    def link(
        self, mode: Mode | None = None, *, version: int = 1, expires: int | None = None, **sides: int
    ) -> str:
        recipe = None if mode is None else Recipe(mode=mode, **sides).normal()  # type: ignore[arg-type]  # sides only
        link = links.Link(self.id, version, recipe, expires)
        return links.write(link, self.keyring.sign(link.parts()))


@pytest.fixture(scope="module")
def picture(demo: Running, client: httpx.Client) -> Picture:
    original = pictures.jpeg(*SIZE, seed=301)
    headers = {"Content-Disposition": f'attachment; filename="{NAME}"'.encode()}
    image = client.post("/v1/images", content=original, headers=headers).json()  # type: ignore[arg-type]  # httpx sends bytes as they are
    assert image["filename"] == NAME
    return Picture(UUID(image["id"]), original, image["url"], Keyring(demo.data / LINK_KEYS))


@pytest.fixture(scope="module", params=["original", "rendition"])
def link(request: pytest.FixtureRequest, picture: Picture) -> str:
    """The original, which the server may send as a file, and a picture that was made."""
    return picture.url if request.param == "original" else picture.link(Mode.FIT, width=120, height=120)


@pytest.fixture(scope="module")
def whole(anyone: httpx.Client, link: str) -> httpx.Response:
    answer = anyone.get(link)
    assert answer.status_code == 200
    return answer


def test_the_original_comes_as_it_was_sent(anyone: httpx.Client, picture: Picture) -> None:
    answer = anyone.get(picture.url)
    assert answer.content == picture.original
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(picture.original))


@pytest.mark.parametrize(
    ("mode", "sides", "size"),
    [
        (Mode.FIT, {"width": 100, "height": 100}, (100, 67)),
        (Mode.FIT, {"width": 150}, (150, 100)),
        (Mode.FIT, {}, SIZE),
        (Mode.FIT_EXACT, {"width": 100, "height": 100}, (100, 100)),
        (Mode.COVER, {"width": 100, "height": 100}, (150, 100)),
        (Mode.COVER_EXACT, {"width": 100, "height": 100}, (100, 100)),
        (Mode.SCALE, {"width": 10, "height": 90}, (10, 90)),
    ],
)
def test_a_rendition_has_the_size_that_its_link_says(
    anyone: httpx.Client, picture: Picture, mode: Mode, sides: dict[str, int], size: tuple[int, int]
) -> None:
    answer = anyone.get(picture.link(mode, **sides))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert pictures.decode(answer.content).size == size


def test_twenty_at_once_get_the_same_new_picture(demo: Running, picture: Picture) -> None:
    link = picture.link(Mode.COVER_EXACT, width=211, height=97)

    def fetch(_turn: int) -> bytes:
        answer = httpx.get(demo.base_url + link, timeout=60, verify=False, trust_env=False)  # noqa: S501  it is plain HTTP
        assert answer.status_code == 200
        return answer.content

    with ThreadPoolExecutor(20) as threads:
        found = set(threads.map(fetch, range(20)))
    assert len(found) == 1
    assert pictures.decode(found.pop()).size == (211, 97)


def test_a_picture_carries_what_caches_and_browsers_need(whole: httpx.Response) -> None:
    headers = whole.headers
    assert headers["cache-control"] == "public, max-age=3600"
    assert headers["etag"].startswith('"')
    assert headers["etag"].endswith('"')
    assert headers["accept-ranges"] == "bytes"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert CORS.items() <= headers.items()
    assert {"ETag", "Content-Range"} <= set(headers["access-control-expose-headers"].split(", "))
    assert parsedate_to_datetime(headers["last-modified"]) <= datetime.now(UTC)
    assert headers["last-modified"].endswith(" GMT")
    assert "set-cookie" not in headers


def test_the_file_name_is_told_in_its_own_alphabet(whole: httpx.Response) -> None:
    kind, _, coded = whole.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(coded, errors="strict")) == ("inline", NAME)
    assert coded.isascii()
    assert not set(coded) & set("\"\\;, '()")


def test_different_pictures_have_different_tags(anyone: httpx.Client, picture: Picture) -> None:
    requested = [
        picture.url,
        *(picture.link(Mode.FIT, width=width) for width in (30, 31)),
        picture.link(Mode.COVER, width=30, height=30),
    ]
    assert len({anyone.get(each).headers["etag"] for each in requested}) == len(requested)


def test_head_says_the_same_as_get_without_the_picture(
    anyone: httpx.Client, link: str, whole: httpx.Response
) -> None:
    answer = anyone.head(link)
    assert (answer.status_code, answer.content) == (200, b"")
    assert lasting(answer) == lasting(whole)


def test_head_of_a_new_rendition_tells_its_length(anyone: httpx.Client, picture: Picture) -> None:
    link = picture.link(Mode.FIT, width=77)
    length = anyone.head(link).headers["content-length"]
    assert int(length) == len(anyone.get(link).content)


def lasting(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', 'W/"x",{}', "*", "{} ,", '"a"  ,  W/{}'])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_picture_that_the_client_has_is_not_sent_again(
    anyone: httpx.Client, link: str, whole: httpx.Response, form: str, method: str
) -> None:
    answer = anyone.request(method, link, headers={"If-None-Match": form.format(whole.headers["etag"])})
    assert (answer.status_code, answer.content) == (304, b"")
    # RFC 9110, 15.4.5: what a 200 would have said of these.
    for name in ("etag", "cache-control", "access-control-allow-origin"):
        assert answer.headers[name] == whole.headers[name]
    # And nothing besides that the client has already.
    assert not {"last-modified", "content-type", "content-security-policy"} & answer.headers.keys()


@pytest.mark.parametrize("tag", ['"other"', "", ",", "unquoted", 'W/"other"', '"', "W/", '"*"', "\xe9"])
def test_another_tag_gets_the_picture(
    anyone: httpx.Client, link: str, whole: httpx.Response, tag: str
) -> None:
    answer = anyone.get(link, headers=[(b"If-None-Match", tag.encode("latin-1"))])
    assert (answer.status_code, answer.content) == (200, whole.content)


def test_tags_in_two_lines_are_one_list(anyone: httpx.Client, link: str, whole: httpx.Response) -> None:
    lines = [("If-None-Match", whole.headers["etag"]), ("If-None-Match", '"other"')]
    assert anyone.get(link, headers=lines).status_code == 304
    assert anyone.get(link, headers=lines[::-1]).status_code == 304


def moved(answer: httpx.Response, **by: float) -> str:
    changed = parsedate_to_datetime(answer.headers["last-modified"]) + timedelta(**by)
    return format_datetime(changed, usegmt=True)


@pytest.mark.parametrize(
    ("by", "status"), [({}, 304), ({"hours": 1}, 304), ({"seconds": -1}, 200), ({"days": -9}, 200)]
)
def test_a_picture_is_sent_if_it_is_newer(
    anyone: httpx.Client, link: str, whole: httpx.Response, by: dict[str, float], status: int
) -> None:
    assert anyone.get(link, headers={"If-Modified-Since": moved(whole, **by)}).status_code == status


def test_a_tag_counts_more_than_a_date(anyone: httpx.Client, link: str, whole: httpx.Response) -> None:
    headers = {"If-None-Match": '"other"', "If-Modified-Since": moved(whole, hours=1)}
    assert anyone.get(link, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=100-199", 100, 200),
        ("bytes=100-", 100, None),
        ("bytes=-1", -1, None),
        ("bytes=-200", -200, None),
        ("bytes=-99999999", 0, None),
        ("bytes=5-99999999", 5, None),
        ("BYTES=0-9", 0, 10),
    ],
)
def test_a_range_is_sent_alone(
    anyone: httpx.Client, link: str, whole: httpx.Response, asked: str, start: int, stop: int | None
) -> None:
    answer = anyone.get(link, headers={"Range": asked})
    size = len(whole.content)
    first, end, _ = slice(start, stop).indices(size)
    assert answer.status_code == 206
    assert answer.content == whole.content[first:end]
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
    assert answer.headers["content-length"] == str(end - first)
    assert answer.headers["etag"] == whole.headers["etag"]


def test_the_last_byte_can_be_named(anyone: httpx.Client, link: str, whole: httpx.Response) -> None:
    last = len(whole.content) - 1
    answer = anyone.get(link, headers={"Range": f"bytes={last}-{last}"})
    assert (answer.status_code, answer.content) == (206, whole.content[-1:])


def test_ranges_put_together_are_the_picture(anyone: httpx.Client, link: str, whole: httpx.Response) -> None:
    size, step = len(whole.content), 1000
    parts = [
        anyone.get(link, headers={"Range": f"bytes={at}-{at + step - 1}"}) for at in range(0, size, step)
    ]
    assert b"".join(part.content for part in parts) == whole.content


@pytest.mark.parametrize("first", [0, 1, 10**17])
def test_a_range_beyond_the_end_is_told_the_size(
    anyone: httpx.Client, link: str, whole: httpx.Response, first: int
) -> None:
    size = len(whole.content)
    answer = anyone.get(link, headers={"Range": f"bytes={size + first}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (416, "urn:tintype:error:range-not-satisfiable")


def test_the_last_no_bytes_are_no_range(anyone: httpx.Client, link: str) -> None:
    assert anyone.get(link, headers={"Range": "bytes=-0"}).status_code == 416


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=0-1, -5",
        "bytes=-",
        "bytes=9-5",
        "bytes=a-b",
        "bytes=0-1-2",
        "bytes=--1",
        "bytes",
        "bytes=",
        "lines=0-1",
        "",
        "bytes=" + "9" * 5000 + "-",
        "bytes=0x1-2",
        "bytes=\xb2-3",
    ],
)
def test_any_other_range_gets_the_whole(
    anyone: httpx.Client, link: str, whole: httpx.Response, asked: str
) -> None:
    answer = anyone.get(link, headers=[(b"Range", asked.encode("latin-1"))])
    assert (answer.status_code, answer.content) == (200, whole.content)
    assert "content-range" not in answer.headers


def test_head_knows_no_ranges(anyone: httpx.Client, link: str, whole: httpx.Response) -> None:
    answer = anyone.head(link, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(whole.content)))


def test_a_range_is_sent_if_the_picture_is_still_the_same(
    anyone: httpx.Client, link: str, whole: httpx.Response
) -> None:
    for condition in (whole.headers["etag"], whole.headers["last-modified"]):
        assert anyone.get(link, headers={"Range": "bytes=0-9", "If-Range": condition}).status_code == 206
    # RFC 9110, 13.1.5: a weak tag never matches, a date only if it is exactly the one we gave.
    others = [
        '"other"',
        "W/" + whole.headers["etag"],
        moved(whole, hours=1),
        moved(whole, hours=-1),
        "",
        "nonsense",
    ]
    for condition in others:
        answer = anyone.get(link, headers={"Range": "bytes=0-9", "If-Range": condition})
        assert (answer.status_code, answer.content) == (200, whole.content)


def test_a_range_of_what_the_client_has_is_not_sent(
    anyone: httpx.Client, link: str, whole: httpx.Response
) -> None:
    answer = anyone.get(link, headers={"Range": "bytes=0-9", "If-None-Match": whole.headers["etag"]})
    assert answer.status_code == 304


@pytest.mark.parametrize(
    "name", ["If-None-Match", "If-Modified-Since", "If-Range", "Range", "If-Match", "Accept"]
)
@pytest.mark.parametrize(
    "value",
    [
        "",
        "\xff\xfe",
        "Sat, 99 Nov 2026 20:19:16 GMT",
        "Sat, 21 Nov 0000 20:19:16 GMT",
        "Sat, 21 Nov 99999 20:19:16 GMT",
        "Sat, 21 Nov 2026 99:99:99 +9999",
        "Sat, 21 Nov 0001 00:00:00 +2359",
        "Sat, 21 Nov 9999 23:59:59 -2359",
        "Sat, 21 Nov 2026 20:19:16 +" + "9" * 5000,
        "1" * 5000,
        '"' * 999,
        "," * 999,
        "W/" * 999,
        "bytes=" + "0-0," * 999,
    ],
)
def test_damaged_conditions_do_no_damage(
    anyone: httpx.Client, link: str, whole: httpx.Response, name: str, value: str
) -> None:
    headers = [(b"Range", b"bytes=0-9")] if name == "If-Range" else []
    answer = anyone.get(link, headers=[*headers, (name.encode(), value.encode("latin-1"))])
    assert answer.status_code in {200, 206, 304}
    assert answer.content in {whole.content, whole.content[:10], b""}


printable = st.text(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=60
)
dateish = st.lists(
    st.sampled_from(
        ["Sat,", "21", "Nov", "2026", "20:19:16", "GMT", "+0000", "-9999", "1e9", ":", "_1", '"', "W/"]
    ),
    max_size=9,
).map(" ".join)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["If-None-Match", "If-Modified-Since", "If-Range", "Range"]),
        printable | dateish,
        min_size=1,
    )
)
def test_no_condition_is_an_error_of_ours(
    anyone: httpx.Client, picture: Picture, headers: dict[str, str]
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert anyone.get(picture.url, headers=raw).status_code in {200, 206, 304, 416}


def test_a_browser_may_ask_beforehand(anyone: httpx.Client, link: str) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "range",
    }
    answer = anyone.options(link, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert CORS.items() <= answer.headers.items()
    assert {"GET", "HEAD"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert {"range", "if-none-match"} <= set(
        answer.headers["access-control-allow-headers"].lower().split(", ")
    )
    assert int(answer.headers["access-control-max-age"]) > 0


def test_a_browser_of_any_page_may_read(anyone: httpx.Client, link: str) -> None:
    answer = anyone.get(link, headers={"Origin": "https://shop.example", "Cookie": "a=b"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_pictures_are_only_read(anyone: httpx.Client, link: str, method: str) -> None:
    answer = anyone.request(method, link, content=b"x" * 100_000)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert is_refusal(answer)


def is_refusal(answer: httpx.Response) -> bool:
    """Whether an answer is an error in the dialect's shape that any page may read and no cache keeps."""
    problem = answer.json()
    return (
        answer.headers["content-type"] == "application/problem+json"
        and answer.headers["cache-control"] == "no-store"
        and CORS.items() <= answer.headers.items()
        and "etag" not in answer.headers
        and problem["status"] == answer.status_code
        and problem["request_id"] == answer.headers["request-id"]
    )


def test_a_changed_link_is_forbidden(anyone: httpx.Client, picture: Picture) -> None:
    sized = picture.link(Mode.FIT, width=120, height=90, expires=9_999_999_999)
    changed = [
        sized.replace("w=120", "w=121"),
        sized.replace("h=90", "h=91"),
        sized.replace("v=1", "v=2"),
        sized.replace("mode=fit", "mode=cover"),
        sized.replace("mode=fit", "mode=nonsense"),
        sized.replace("mode=fit&", ""),
        sized.replace("&w=120", ""),
        sized.replace("exp=9999999999", "exp=9999999998"),
        sized.replace("&exp=9999999999", ""),
        sized.replace("kid=", "kid=0"),
        sized[:-1] + ("A" if sized[-1] != "A" else "B"),
        sized[:-1],
        sized + "&w=121",
        sized.partition("?")[0],
    ]
    answers = [anyone.get(each) for each in changed]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert all(is_refusal(answer) for answer in answers)
    assert {answer.json()["type"] for answer in answers} == {"urn:tintype:error:forbidden"}
    assert anyone.get(sized).status_code == 200


def test_an_expired_link_is_told_so(anyone: httpx.Client, picture: Picture) -> None:
    answer = anyone.get(picture.link(expires=1_000_000_000))
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:tintype:error:expired-link")
    assert is_refusal(answer)


def test_a_link_that_will_expire_is_kept_by_nobody_else(anyone: httpx.Client, picture: Picture) -> None:
    answer = anyone.get(picture.link(expires=int(datetime.now(UTC).timestamp()) + 600))
    kind, _, age = answer.headers["cache-control"].partition(", max-age=")
    assert (answer.status_code, kind) == (200, "private")
    assert 0 < int(age) <= 600


def test_a_link_to_another_version_is_missing(anyone: httpx.Client, picture: Picture) -> None:
    answer = anyone.get(picture.link(version=2))
    assert answer.status_code == 404
    assert is_refusal(answer)


@pytest.fixture
def deleted(client: httpx.Client) -> str:
    """The link of an image that was delivered and then deleted."""
    image = client.post("/v1/images", content=pictures.png(20, 20)).json()
    assert client.get(image["url"]).status_code == 200
    assert client.delete(f"/v1/images/{image['id']}").status_code == 204
    return str(image["url"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_deleted_picture_is_missing_whatever_the_client_has(
    anyone: httpx.Client, deleted: str, method: str
) -> None:
    for headers in ({}, {"If-None-Match": "*"}, {"Range": "bytes=0-1"}):
        assert anyone.request(method, deleted, headers=headers).status_code == 404
    assert is_refusal(anyone.get(deleted))


@pytest.mark.parametrize("sides", [{"width": 8193}, {"height": 999_999_999}, {"width": 8192, "height": 8192}])
def test_a_picture_larger_than_the_limits_is_not_made(
    anyone: httpx.Client, picture: Picture, sides: dict[str, int]
) -> None:
    answer = anyone.get(picture.link(Mode.SCALE, **sides))
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tintype:error:invalid")
    assert is_refusal(answer)


def test_a_query_of_too_many_parameters_is_refused(anyone: httpx.Client, picture: Picture) -> None:
    answer = anyone.get(picture.url + "&a=1" * 60)
    assert answer.status_code == 400
    assert is_refusal(answer)


def test_the_head_of_an_error_has_no_body(anyone: httpx.Client) -> None:
    answer = anyone.head("/v1/media/nothing")
    assert (answer.status_code, answer.content) == (404, b"")
    assert int(answer.headers["content-length"]) > 0
