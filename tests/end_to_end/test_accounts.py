"""Nothing crosses accounts; and within one, all dialects show one library."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests import pictures
from tests.running import Running, running
from tintype.dialects import discover

DIALECTS = ("mews", "smartsheet", "publisher", "evotor", "native")
COLUMN = 7
_numbers = count(1000)


@dataclass(frozen=True)
class Things:
    """Ids that an account uses: an image, a cell, a product, and a name to search for."""

    image: str
    name: str
    sheet: int
    row: int
    store: str
    product: str

    def hidden(self, text: str) -> str:
        """A text with these ids blotted out."""
        outputs = (
            self.image,
            short(self.image),
            self.name,
            str(self.sheet),
            str(self.row),
            self.store,
            self.product,
        )
        for each in outputs:
            text = text.replace(each, "·")
        return text


@dataclass(frozen=True)
class Member:
    """Somebody with a token of each dialect."""

    http: httpx.Client
    tokens: dict[str, str]

    def mews(self, image: str) -> httpx.Response:
        client, access = self.tokens["mews"].splitlines()
        body = {
            "ClientToken": client,
            "AccessToken": access,
            "Client": "Accounts 1.0",
            "Images": [{"ImageId": image, "Width": 30, "ResizeMode": "Fit"}],
        }
        return self.http.post("/api/connector/v1/images/getUrls", json=body)

    def image_urls(self, *items: dict[str, Any]) -> httpx.Response:
        return self.http.post("/2.0/imageurls", json=list(items), headers=self._bearer("smartsheet"))

    def fill_cell(self, sheet: int, row: int, name: str, data: bytes) -> httpx.Response:
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": "image/png"}
        path = f"/2.0/sheets/{sheet}/rows/{row}/columns/{COLUMN}/cellimages"
        return self.http.post(path, content=data, headers=headers | self._bearer("smartsheet"))

    def row(self, sheet: int, row: int) -> httpx.Response:
        return self.http.get(f"/2.0/sheets/{sheet}/rows/{row}", headers=self._bearer("smartsheet"))

    def sheet(self, sheet: int, below: str = "") -> httpx.Response:
        return self.http.get(f"/2.0/sheets/{sheet}{below}", headers=self._bearer("smartsheet"))

    def listed(self, **query: str) -> httpx.Response:
        return self.http.get("/api/2/images", params=query, headers=self._bearer("publisher"))

    def evotor(self, method: str, things: Things, image: str = "") -> httpx.Response:
        path = f"/stores/{things.store}/products/{things.product}/images" + (f"/{image}" if image else "")
        files = {"datafile": ("000.png", product_picture(), "image/png")} if method == "POST" else None
        headers = {"X-Authorization": self.tokens["evotor"]}
        return self.http.request(method, path, files=files, headers=headers)

    def upload(self, name: str, data: bytes) -> httpx.Response:
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": "image/png"}
        return self.http.post("/v1/images", content=data, headers=headers | self._bearer("native"))

    def native(self, method: str = "GET", image: str = "", **query: str) -> httpx.Response:
        path = f"/v1/images/{image}" if image else "/v1/images"
        return self.http.request(method, path, params=query, headers=self._bearer("native"))

    def change(self, image: str, status: str) -> httpx.Response:
        return self.http.patch(f"/v1/images/{image}", json={"status": status}, headers=self._bearer("native"))

    def replace(self, image: str, data: bytes) -> httpx.Response:
        return self.http.put(f"/v1/images/{image}/original", content=data, headers=self._bearer("native"))

    def purge(self, image: str) -> httpx.Response:
        return self.http.delete(f"/v1/images/{image}/renditions", headers=self._bearer("native"))

    def links(self, image: str) -> httpx.Response:
        body = {"links": [{"image": image, "width": 9}, {"image": image}]}
        return self.http.post("/v1/links", json=body, headers=self._bearer("native"))

    def places(self, method: str, things: Things) -> httpx.Response:
        """Of its image: all, or a cell that it is put into or taken from."""
        cell = {
            "kind": "cell",
            "container": str(things.sheet),
            "holder": str(things.row),
            "slot": str(COLUMN),
        }
        return self.http.request(
            method,
            f"/v1/images/{things.image}/placements",
            headers=self._bearer("native"),
            params=cell if method == "DELETE" else None,
            json=cell if method == "POST" else None,
        )

    def owns(self) -> list[dict[str, Any]]:
        """All images of the account, oldest first."""
        found: list[dict[str, Any]] = self.native(limit="1000").json()["images"]
        return found[::-1]

    def _bearer(self, dialect: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[dialect]}"}


@dataclass(frozen=True)
class Operation:
    """Something that can be tried with the ids of somebody else, and which endpoint it is the trial of."""

    name: str
    run: Callable[[Member, Things], httpx.Response]
    endpoint: str | None = None


OPERATIONS = (
    Operation("URLs (mews)", lambda who, ids: who.mews(ids.image), "mews.get_urls"),
    Operation(
        "URLs (smartsheet)",
        lambda who, ids: who.image_urls(
            {"imageId": short(ids.image)},
            {"imageId": short(ids.image), "width": 10},
            {"imageId": short(ids.image), "height": 9999},
        ),
        "smartsheet.image_urls",
    ),
    Operation("a row", lambda who, ids: who.row(ids.sheet, ids.row), "smartsheet.get_row"),
    Operation("a sheet", lambda who, ids: who.sheet(ids.sheet), "smartsheet.get_sheet"),
    Operation("its columns", lambda who, ids: who.sheet(ids.sheet, "/columns"), "smartsheet.list_columns"),
    Operation(
        "one of them", lambda who, ids: who.sheet(ids.sheet, f"/columns/{COLUMN}"), "smartsheet.get_column"
    ),
    Operation(
        "an image into a cell",
        lambda who, ids: who.fill_cell(ids.sheet, ids.row, "mine.png", small_picture()),
        "smartsheet.add_cell_image",
    ),
    Operation("a row of one's own there", lambda who, ids: who.row(ids.sheet, ids.row)),
    Operation("a search", lambda who, ids: who.listed(search=ids.name), "publisher.get_images"),
    Operation(
        "a search with filters",
        lambda who, ids: who.listed(
            search=ids.name, extension="png", status="active", sort="-name", limit="5"
        ),
    ),
    Operation("what a product has", lambda who, ids: who.evotor("GET", ids), "evotor.get_images"),
    Operation("its image", lambda who, ids: who.evotor("GET", ids, ids.image), "evotor.get_image"),
    Operation("deleting it", lambda who, ids: who.evotor("DELETE", ids, ids.image), "evotor.delete_image"),
    Operation("deleting all of them", lambda who, ids: who.evotor("DELETE", ids), "evotor.delete_images"),
    Operation("another for the product", lambda who, ids: who.evotor("POST", ids), "evotor.upload"),
    Operation("an image", lambda who, ids: who.native("GET", ids.image), "native.get_image"),
    Operation("deleting an image", lambda who, ids: who.native("DELETE", ids.image), "native.delete_image"),
    Operation("archiving it", lambda who, ids: who.change(ids.image, "archived"), "native.change_image"),
    Operation(
        "other bytes for it",
        lambda who, ids: who.replace(ids.image, small_picture(9)),
        "native.replace_original",
    ),
    Operation("purging it", lambda who, ids: who.purge(ids.image), "native.purge_renditions"),
    Operation("its places", lambda who, ids: who.places("GET", ids), "native.get_placements"),
    Operation("attaching it", lambda who, ids: who.places("POST", ids), "native.attach_image"),
    Operation("detaching it", lambda who, ids: who.places("DELETE", ids), "native.detach_image"),
    Operation("links to it", lambda who, ids: who.links(ids.image), "native.make_links"),
)
# Their requests name nothing that could be somebody else's; what they show has tests of its own.
WITHOUT_IDS = {"native.upload", "native.get_images", "smartsheet.list_sheets", "smartsheet.get_user"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    env = {f"TINTYPE_{dialect.upper()}_REQUESTS": "0" for dialect in DIALECTS}
    with running(tmp_path_factory.mktemp("accounts") / "library", "serve", env) as started:
        yield started


@pytest.fixture(scope="module")
def http(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.base_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def owner(service: Running, http: httpx.Client) -> Member:
    return member(service, http, "owner")


@pytest.fixture(scope="module")
def stranger(service: Running, http: httpx.Client) -> Member:
    return member(service, http, "stranger")


@pytest.fixture(scope="module")
def lone(service: Running, http: httpx.Client) -> Member:
    """Of an account that has nothing but what one test puts into it."""
    return member(service, http, "lone", ("native", "publisher"))


def member(service: Running, http: httpx.Client, account: str, dialects: Iterable[str] = DIALECTS) -> Member:
    return Member(http, {name: service.token(name, account) for name in dialects})


def short(image: str) -> str:
    """An image's id as 22 base64url characters (RFC 4648, 5, without padding)."""
    return urlsafe_b64encode(UUID(image).bytes).decode().rstrip("=")


def small_picture(seed: int = 1) -> bytes:
    return pictures.png(40, 30, seed=seed)


def product_picture() -> bytes:
    return pictures.png(300, 300, seed=3)


def made_up() -> Things:
    """Ids that nobody uses, of the same shape and length as those that somebody does."""
    return Things(
        image=str(uuid4()),
        name=f"name-{uuid4().hex}",
        sheet=next(_numbers),
        row=next(_numbers),
        store=f"store-{uuid4()}",
        product=f"product-{uuid4()}",
    )


def filled(who: Member) -> Things:
    """One image each in the library, in a cell and on a product; `image` is the one of the product."""
    things = made_up()
    assert who.upload(f"{things.name}.png", small_picture()).status_code == 201
    assert who.fill_cell(things.sheet, things.row, f"{things.name}.png", small_picture(2)).status_code == 200
    uploaded = who.evotor("POST", things)
    assert uploaded.status_code == 200, uploaded.text
    image = uploaded.json()["id"]
    return Things(image, things.name, things.sheet, things.row, things.store, things.product)


def seen(who: Member, things: Things) -> list[object]:
    """All that a member can see of things, in every dialect, down to the bytes behind the links."""
    mews, row = who.mews(things.image), who.row(things.sheet, things.row)
    urls = who.image_urls({"imageId": short(things.image)}).json()["imageUrls"]
    listed, hanging = who.listed(search=things.name).json(), who.evotor("GET", things).json()["items"]
    own = who.owns()
    links = [each["Url"] for each in mews.json()["ImageUrls"]]
    links += [each["url"] for each in [*urls, *hanging, *own]]
    links += [each[name] for each in listed["image"] for name in ("url", "thumbnailurl")]
    shown = [{name: value for name, value in each.items() if name != "url"} for each in urls]
    return [mews.json(), row.json(), shown, listed, hanging, own, [opened(who, link) for link in links]]


def opened(who: Member, link: str) -> bytes:
    response = who.http.get(link)
    assert response.status_code == 200, response.text
    return response.content


def answer(response: httpx.Response, things: Things) -> tuple[int, str, str]:
    """An answer without what differs between any two: ids asked for, references, dates, ids just made."""
    text = things.hidden(response.text)
    text = re.sub(r'"(?:refId|RequestId|request_id)":"[^"]*"', '"reference"', text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+0000)", "moment", text)
    if response.status_code == 200:
        text = re.sub(r'"url":"[^"]*"', '"url"', re.sub(r'"id":"[0-9a-f-]{36}"', '"id"', text))
        text = re.sub(r'"version":\d+', '"version"', re.sub(r"[A-Za-z0-9_-]{22}", "short", text))
    return response.status_code, response.headers.get("Content-Type", ""), text


# Nothing crosses accounts.


def test_every_endpoint_is_tried() -> None:
    """A new endpoint has to find its place among the operations here."""
    known = {
        f"{dialect.name}.{endpoint.handle.__name__}"
        for dialect in discover()
        for endpoint in (dialect.api.endpoints if dialect.api else ())
    }
    assert known == {each.endpoint for each in OPERATIONS if each.endpoint} | WITHOUT_IDS


@pytest.mark.parametrize("tried", OPERATIONS, ids=lambda each: each.name)
def test_what_is_somebody_elses_answers_like_what_is_not_there(
    owner: Member, stranger: Member, tried: Operation
) -> None:
    theirs, nobodys = filled(owner), made_up()
    before = seen(owner, theirs)
    assert answer(tried.run(stranger, theirs), theirs) == answer(tried.run(stranger, nobodys), nobodys)
    assert seen(owner, theirs) == before


def test_all_of_them_one_after_the_other_do_no_harm(owner: Member, stranger: Member) -> None:
    theirs = filled(owner)
    before = seen(owner, theirs)
    for tried in [*OPERATIONS, *OPERATIONS]:
        tried.run(stranger, theirs)
    assert seen(owner, theirs) == before


def test_the_refusals_are_the_ones_of_the_contracts(owner: Member, stranger: Member) -> None:
    theirs = filled(owner)
    statuses = {each.name: each.run(stranger, theirs).status_code for each in OPERATIONS}
    assert statuses == {
        "URLs (mews)": 200,
        "URLs (smartsheet)": 200,
        "a row": 404,
        "a sheet": 404,
        "its columns": 404,
        "one of them": 404,
        "an image into a cell": 200,
        "a row of one's own there": 200,
        "a search": 200,
        "a search with filters": 200,
        "what a product has": 200,
        "its image": 404,
        "deleting it": 404,
        "deleting all of them": 204,
        "another for the product": 200,
        "an image": 404,
        "deleting an image": 404,
        "archiving it": 404,
        "other bytes for it": 404,
        "purging it": 404,
        "its places": 404,
        "attaching it": 404,
        "detaching it": 404,
        "links to it": 200,
    }
    assert [each["url"] for each in stranger.links(theirs.image).json()["links"]] == [None, None]
    assert stranger.mews(theirs.image).json()["ImageUrls"] == [{"ImageId": theirs.image, "Url": None}]
    [item] = stranger.image_urls({"imageId": short(theirs.image)}).json()["imageUrls"]
    assert (item["imageId"], item["error"]["errorCode"]) == (short(theirs.image), 5001)
    assert "url" not in item
    assert stranger.listed(search=theirs.name).json() == {
        "total": 0,
        "totalcount": 0,
        "currentpage": 0,
        "image": [],
    }


def test_an_image_is_not_found_in_a_store_of_ones_own_either(owner: Member, stranger: Member) -> None:
    theirs, own = filled(owner), filled(stranger)
    for method in ("GET", "DELETE"):
        foreign = stranger.evotor(method, own, theirs.image)
        unknown = stranger.evotor(method, own, str(uuid4()))
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.text == unknown.text
    assert owner.evotor("GET", theirs, theirs.image).status_code == 200


def test_two_accounts_have_a_product_of_the_same_ids_without_seeing_each_other(
    owner: Member, stranger: Member
) -> None:
    ids = made_up()
    ours = owner.evotor("POST", ids).json()
    assert stranger.evotor("GET", ids).json() == {"items": [], "paging": {}}
    theirs = stranger.evotor("POST", ids).json()
    for who, image in ((owner, ours), (stranger, theirs)):
        assert who.evotor("GET", ids).json()["items"] == [image]


def test_lists_show_an_account_its_own_images_and_no_others(
    owner: Member, stranger: Member, lone: Member
) -> None:
    filled(owner)
    filled(stranger)
    own = [lone.upload(f"own-{at}.png", small_picture(at)).json() for at in range(3)]
    assert [image["id"] for image in lone.owns()] == [image["id"] for image in own]
    listed = lone.listed(sort="name").json()
    assert (listed["total"], [image["name"] for image in listed["image"]]) == (3, ["own-0", "own-1", "own-2"])
    assert {image["createdby"]["name"] for image in listed["image"]} == {"Administrator"}
    for query in ({"extension": "png"}, {"status": "active"}, {"search": "-"}, {"limit": "1", "offset": "2"}):
        assert lone.listed(**query).json()["total"] == 3
    assert lone.listed(status="archived").json()["total"] == 0


def test_pages_of_one_account_do_not_run_into_another(owner: Member, stranger: Member) -> None:
    ids = []
    for at in range(3):
        ids.append(owner.upload(f"page-{at}.png", small_picture(at)).json()["id"])
        stranger.upload(f"page-{at}.png", small_picture(at))
    shown, query = [], {"limit": "1"}
    for _ in range(3):
        page = owner.native(**query).json()
        shown += [image["id"] for image in page["images"]]
        query["cursor"] = page["next_cursor"]
    assert shown == ids[::-1]
    # The owner's place in the list says nothing of the owner's images to somebody else.
    foreign = stranger.native(**query).json()["images"]
    assert not {image["id"] for image in foreign} & {image["id"] for image in owner.owns()}


def test_two_accounts_with_the_same_bytes_have_an_image_each(owner: Member, stranger: Member) -> None:
    data = small_picture(77)
    first, second = (who.upload("same.png", data).json() for who in (owner, stranger))
    assert first["id"] != second["id"]
    assert stranger.native("DELETE", second["id"]).status_code == 204
    assert opened(owner, first["url"]) == data
    assert owner.http.get(second["url"]).status_code == 404


def test_two_accounts_fill_the_same_cell_without_seeing_each_other(owner: Member, stranger: Member) -> None:
    ids = made_up()
    assert owner.fill_cell(ids.sheet, ids.row, "first.png", small_picture(1)).status_code == 200
    assert stranger.fill_cell(ids.sheet, ids.row, "second.png", small_picture(2)).status_code == 200
    for who, name in ((owner, "first.png"), (stranger, "second.png")):
        assert [cell["value"] for cell in who.row(ids.sheet, ids.row).json()["cells"]] == [name]


# One library.


def test_an_upload_through_the_native_dialect_is_found_through_all_others(owner: Member) -> None:
    name, data = f"harbour-{uuid4().hex}", pictures.png(90, 60, seed=5)
    image = owner.upload(f"{name}.PNG", data).json()
    assert_found(owner, image["id"], name, "PNG", data, (90, 60))


def test_an_image_in_a_cell_is_found_through_all_others(owner: Member) -> None:
    name, data, ids = f"puppy-{uuid4().hex}", pictures.jpeg(80, 50), made_up()
    cell = owner.fill_cell(ids.sheet, ids.row, f"{name}.jpg", data).json()["result"]["cells"][0]
    [image] = [each["id"] for each in owner.owns() if each["name"] == name]
    assert cell["image"]["id"] == short(image)
    assert_found(owner, image, name, "jpg", data, (80, 50))


def test_the_image_of_a_product_is_found_through_all_others(owner: Member) -> None:
    image = owner.evotor("POST", made_up()).json()
    assert opened(owner, image["url"]) == product_picture()
    assert_found(owner, image["id"], "000", "png", product_picture(), (300, 300))


def test_deleting_an_image_takes_it_out_of_everything(owner: Member) -> None:
    data, ids = product_picture(), made_up()
    owner.fill_cell(ids.sheet, ids.row, f"{ids.name}.png", data)
    product = owner.evotor("POST", ids).json()
    [in_cell] = [each for each in owner.owns() if each["name"] == ids.name]
    in_library = owner.upload(f"{ids.name}.png", data).json()
    doomed = [in_cell["id"], product["id"], in_library["id"]]
    links = [link for image in doomed for link in links_of(owner, image)]
    links += [product["url"], in_cell["url"], in_library["url"]]
    links += [
        each[name]
        for each in owner.listed(search=ids.name).json()["image"]
        for name in ("url", "thumbnailurl")
    ]
    assert [owner.http.get(link).status_code for link in links] == [200] * len(links)
    assert owner.evotor("POST", ids).status_code == 409

    assert [owner.native("DELETE", image).status_code for image in doomed] == [204] * 3

    assert [owner.http.get(link).status_code for link in links] == [404] * len(links)
    assert owner.row(ids.sheet, ids.row).status_code == 404
    assert owner.evotor("GET", ids).json()["items"] == []
    assert owner.evotor("GET", ids, product["id"]).status_code == 404
    assert owner.listed(search=ids.name).json()["total"] == 0
    assert not {image["id"] for image in owner.owns()} & set(doomed)
    for image in doomed:
        assert owner.mews(image).json()["ImageUrls"][0]["Url"] is None
        [item] = owner.image_urls({"imageId": short(image)}).json()["imageUrls"]
        assert item["error"]["errorCode"] == 5001
    # The place is free again.
    assert owner.evotor("POST", ids).status_code == 200


def test_deleting_the_image_of_a_product_takes_it_out_of_the_library(owner: Member) -> None:
    ids = made_up()
    image = owner.evotor("POST", ids).json()["id"]
    assert owner.native("GET", image).status_code == 200
    assert owner.evotor("DELETE", ids, image).status_code == 204
    assert owner.native("GET", image).status_code == 404
    assert owner.mews(image).json()["ImageUrls"][0]["Url"] is None


def test_an_image_that_leaves_its_cell_stays_in_the_library(owner: Member) -> None:
    ids = made_up()
    for name in ("first", "second"):
        owner.fill_cell(ids.sheet, ids.row, f"{name}-{ids.name}.png", small_picture())
    assert [cell["value"] for cell in owner.row(ids.sheet, ids.row).json()["cells"]] == [
        f"second-{ids.name}.png"
    ]
    names = [image["name"] for image in owner.listed(search=ids.name, sort="name").json()["image"]]
    assert names == [f"first-{ids.name}", f"second-{ids.name}"]


def assert_found(
    who: Member, image: str, name: str, extension: str, data: bytes, size: tuple[int, int]
) -> None:
    """An image is the same thing in every dialect."""
    own = who.native("GET", image).json()
    assert (own["name"], own["extension"], own["bytes"]) == (name, extension, len(data))
    assert (own["width"], own["height"]) == size
    assert opened(who, own["url"]) == data

    [mews] = [each["Url"] for each in who.mews(image).json()["ImageUrls"]]
    assert pictures.decode(opened(who, mews)).size == (30, round(30 * size[1] / size[0]))

    whole, part = who.image_urls(
        {"imageId": short(image)}, {"imageId": short(image), "width": 11, "height": 7}
    ).json()["imageUrls"]
    assert (whole["imageId"], whole["width"], whole["height"]) == (short(image), *size)
    assert opened(who, whole["url"]) == data
    assert pictures.decode(opened(who, part["url"])).size == (11, 7)

    newest = who.listed(search=name, sort="-createddate").json()["image"][0]
    assert (newest["name"], newest["extension"], newest["width"], newest["height"]) == (
        name,
        extension,
        *size,
    )
    assert newest["id"] == own["number"]
    assert opened(who, newest["url"]) == data
    assert pictures.decode(opened(who, newest["thumbnailurl"])).size == (
        size if max(size) <= 200 else (200 * size[0] // max(size), 200 * size[1] // max(size))
    )


def links_of(who: Member, image: str) -> list[str]:
    """The links to an image that mews and smartsheet give."""
    urls = who.image_urls({"imageId": short(image)}, {"imageId": short(image), "width": 20}).json()[
        "imageUrls"
    ]
    return [who.mews(image).json()["ImageUrls"][0]["Url"], *(each["url"] for each in urls)]
