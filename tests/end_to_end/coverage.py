"""What the vendors' references document of their image APIs, each tried on a running service.

The references are: Mews Connector API, "Images"; Smartsheet API 2.0, "List image URLs"; the publisher's "Get
Image List" of 8 November 2024; Evotor's Customer API, "Изображения товаров".
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from defusedxml import ElementTree
from msgspec import Struct

from tests import pictures
from tests.end_to_end.asking import Asking
from tintype.model.ids import short

HEADING = "## What of the vendor's reference is served"
INTRODUCTION = (
    "Each line was tried on a running service by a test, which also writes this table "
    "(`python -m tests.end_to_end.write_coverage`)."
)
DOCS = Path(__file__).parents[2] / "docs" / "dialects"


class Documented(Struct, frozen=True):
    """What a reference documents: whether it is served, and what we decided where the vendor doesn't say."""

    what: str
    is_served: bool
    decision: str = ""


Rows = Iterator[Documented]


def written(rows: Rows) -> str:
    """The section of a page."""
    lines = [f"| {row.what} | {'yes' if row.is_served else 'no'} | {row.decision} |" for row in rows]
    head = ["| documented | served | decided by us |", "|---|---|---|"]
    return "\n".join([HEADING, "", INTRODUCTION, "", *head, *lines, ""])


def section(text: str) -> str:
    """The section in the text of a page, up to the next heading; empty if there is none."""
    _, heading, rest = text.partition(HEADING)
    return heading + rest.partition("\n## ")[0]


def paths(value: object, prefix: str = "") -> set[str]:
    """The names in a JSON value, with those of the objects that they are in."""
    if isinstance(value, list):
        return set().union(*(paths(each, prefix) for each in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = {f"{prefix}{name}" for name in value}
    return found.union(*(paths(each, f"{prefix}{name}.") for name, each in value.items()))


def mews(owner: Asking) -> Rows:
    image = owner.upload(pictures.png(40, 30))["id"]
    item = {"ImageId": image, "Width": 20, "Height": 15, "ResizeMode": "Fit"}
    client, access = owner.tokens["mews"].splitlines()
    body = {"ClientToken": client, "AccessToken": access, "Client": "Coverage 1", "Images": [item]}

    def ask(changed: dict[str, Any]) -> httpx.Response:
        return owner.http.post("/api/connector/v1/images/getUrls", json=changed)

    def is_checked(field: str) -> bool:
        """Whether a value of another type is named as invalid."""
        name = field.rpartition(".")[2]
        nested: dict[str, Any] = {"Images": [item | {name: {}}]}
        wrong = body | (nested if "." in field else {name: {}})
        return bool(ask(wrong).json().get("Message") == f"Invalid {name}.")

    yield Documented("`POST /api/connector/v1/images/getUrls`", ask(body).status_code == 200)
    without_effect = "checked, without effect"
    for field, decision in {
        "Client": "not empty; it is logged",
        "LanguageCode": without_effect,
        "CultureCode": without_effect,
        "AccessToken": "a wrong one is a 401 before anything else is checked",
        "MaskedAccessToken": without_effect,
        "ClientToken": "as `AccessToken`",
        "MaskedClientToken": without_effect,
        "Images": "1 to 1000 (`max_images`)",
        "Images.ImageId": "a UUID, with or without hyphens, in any case",
        "Images.Width": "1 to 8192 (`max_side`); 200.0 is 200",
        "Images.Height": "as `Images.Width`",
        "Images.ResizeMode": "without it 400, unless `default_resize_mode` names one",
    }.items():
        yield Documented(f"request `{field}`", is_checked(field), decision)
    for mode in ("Cover", "CoverExact", "Fit", "FitExact"):
        [url] = owner.mews(item | {"ResizeMode": mode})
        is_open = url is not None and owner.http.get(url).status_code == 200
        yield Documented(f"`ResizeMode` `{mode}`", is_open)
    found = paths(ask(body).json())
    for field in ("ImageUrls", "ImageUrls.ImageId", "ImageUrls.Url"):
        decision = "null for what can't be delivered" if field.endswith("Url") else ""
        yield Documented(f"response `{field}`", field in found, decision)


def smartsheet(owner: Asking) -> Rows:
    known, unknown = short(UUID(owner.upload(pictures.png(40, 30))["id"])), "o1NtQrUsVbskSbnOGVGV8Q"
    headers = {
        "Authorization": f"Bearer {owner.tokens['smartsheet']}",
        "smartsheet-integration-source": "AI,SampleOrg,My-AI-Connector-v2",
        "Content-Type": "application/json",
    }

    def ask(*items: dict[str, Any], **changed: str) -> httpx.Response:
        sent = headers | {name.replace("_", "-"): value for name, value in changed.items()}
        return owner.http.post("/2.0/imageurls", json=list(items), headers=sent)

    def size(item: dict[str, Any]) -> tuple[int, int]:
        [found] = ask({"imageId": known} | item).json()["imageUrls"]
        return found["width"], found["height"]

    answer = ask({"imageId": known}, {"imageId": unknown})
    yield Documented("`POST /2.0/imageurls`", answer.status_code == 200, "1 to 1000 items (`max_images`)")
    for name, wrong, status in (
        ("Authorization", "Bearer wrong", 401),
        ("smartsheet-integration-source", "NOBODY", 400),
        ("Content-Type", "text/plain", 415),
    ):
        refused = ask({"imageId": known}, **{name: wrong})
        decision = "logged; a malformed one is 1011" if "source" in name else ""
        yield Documented(f"header `{name}`", refused.status_code == status, decision)
    yield Documented("request `imageId`", answer.json()["imageUrls"][0]["imageId"] == known, "or the UUID")
    larger = "larger than the image: its actual size, never enlarged"
    yield Documented("request `width`", size({"width": 20}) == (20, 15), larger)
    yield Documented("request `height`", size({"height": 15}) == (20, 15), "the same")
    is_stretched = size({"width": 20, "height": 20}) == (20, 20)
    both = "exactly that size: it stretches the picture"
    yield Documented("request `width` and `height`", is_stretched, both)
    for field in ("error", "error.refId", "error.errorCode", "error.message", "url"):
        yield Documented(f"request `{field}`", is_served=False, decision="of responses only; it is ignored")
    found = paths(answer.json())
    decisions = {
        "imageUrls.error": "the batch is 200",
        "imageUrls.url": "signed, for 30 minutes (`link_seconds`)",
        "imageUrls.width": "of what the URL delivers",
        "imageUrls.height": "the same",
    }
    parts = ("refId", "errorCode", "message")
    for field in (
        "imageUrls",
        "imageUrls.imageId",
        "imageUrls.error",
        *(f"imageUrls.error.{part}" for part in parts),
        "imageUrls.height",
        "imageUrls.url",
        "imageUrls.width",
        "urlExpiresInMillis",
    ):
        yield Documented(f"response `{field}`", field in found, decisions.get(field, ""))


def publisher(owner: Asking) -> Rows:
    owner.upload(pictures.png(40, 30), "Harbour.PNG")
    archived = owner.upload(pictures.jpeg(40, 30), "Archive.jpg")
    owner.archive(archived["id"])
    headers = {"Authorization": owner.tokens["publisher"]}

    def ask(query: str = "", **changed: str) -> httpx.Response:
        return owner.http.get(f"/api/2/images{query}", headers=headers | changed)

    def names(query: str) -> list[str]:
        return [image["name"] for image in ask(query).json()["image"]]

    yield Documented("`GET /api/2/images`", ask().status_code == 200)
    is_checked = ask(Authorization="wrong").status_code == 401
    yield Documented("header `Authorization`", is_checked, "with or without `Bearer`")
    for kind in ("application/json", "application/xml"):
        is_answered = ask(Accept=kind).headers["content-type"].startswith(kind)
        decision = "`text/xml` too" if kind.endswith("xml") else "also without `Accept`, and for `*/*`"
        yield Documented(f"header `Accept: {kind}`", is_answered, decision)
    yield Documented("parameter `extension`", names("?extension=PNG,gif") == ["Harbour"], "at most 100")
    yield Documented("parameter `limit`", len(names("?limit=1")) == 1, "at most 1000 (`max_limit`)")
    pages = [names(f"?limit=1&offset={page}&sort=name") for page in (0, 1)]
    yield Documented("parameter `offset`", pages == [["Archive"], ["Harbour"]], "past the end: an empty page")
    yield Documented("parameter `search`", names("?search=arbo") == ["Harbour"], "ignores case and accents")
    for key in ("name", "createdby", "createddate", "modifieddate", "status", "extension"):
        up, down = (names(f"?sort={sign}{key}") for sign in "+-")
        decision = "latest first by default" if key == "modifieddate" else "equal ones by id"
        yield Documented(f"parameter `sort` `{key}`", up == down[::-1], decision)
    for value, name in {"archived": "Archive", "2": "Archive", "active": "Harbour", "1": "Harbour"}.items():
        is_filtered = names(f"?status={value}") == [name]
        yield Documented(f"parameter `status` `{value}`", is_filtered, "in any case")
    yield from _publisher_responses(ask)


def _publisher_responses(ask: Callable[..., httpx.Response]) -> Rows:
    found = paths(ask().json())
    tags = {element.tag for element in ElementTree.fromstring(ask(Accept="application/xml").content).iter()}
    people = [f"image.{by}.{part}" for by in ("createdby", "modifiedby") for part in ("id", "name")]
    decisions = {
        "total": "the images that match, on all pages",
        "totalcount": "the same",
        "currentpage": "`offset`",
        "image.createddate": "UTC",
        "image.modifieddate": "UTC",
        "image.attachmentid": "2n of the image with number n; 2n + 1 is its thumbnail",
        "image.filesize": "rounded half up; KB, MB, GB",
        "image.thumbnailurl": "fits 200 × 200 (`thumbnail_side`), never enlarged",
        "image.url": "opens as long as the image is active",
        "image.extension": "as it was spelled at the upload",
    }
    fields = "id name createddate modifieddate status attachmentid filesize thumbnailurl url extension height"
    for field in (
        *("total", "totalcount", "currentpage", "image"),
        *(f"image.{name}" for name in fields.split()),
        *("image.width", *people),
    ):
        is_there = field in found and field.rpartition(".")[2] in tags
        yield Documented(f"response `{field}`", is_there, decisions.get(field, ""))
    for name, ref in (("offset", 106), ("limit", 107), ("sort", 79)):
        error = ask(f"?{name}=-1", Accept="application/xml")
        text = f"<error><ref>{ref}</ref><summary>Invalid parameter: {name}</summary></error>"
        is_same = error.status_code == 400 and error.text.endswith(text)
        yield Documented(f"error {ref} `Invalid parameter: {name}`", is_same, "in JSON with the same fields")


def evotor(owner: Asking) -> Rows:
    def upload(data: bytes, field: str = "datafile") -> httpx.Response:
        return owner.evotor("POST", files={field: ("000.png", data)})

    def delete(image: dict[str, Any]) -> int:
        return owner.evotor("DELETE", f"/{image['id']}").status_code

    path = "/stores/{store-id}/products/{product-id}/images"
    wrong = [pictures.jpeg(300, 300), pictures.png(301, 300), b"\x89PNG" * 1_400_000]
    refused = [upload(data) for data in wrong]
    misnamed = upload(pictures.png(300, 300), "file").status_code
    made = upload(pictures.png(300, 300))
    second = upload(pictures.png(300, 300, seed=2)).status_code
    image, listed = made.json(), owner.evotor("GET").json()
    one = owner.evotor("GET", f"/{image['id']}")
    yield Documented(f"`POST {path}`", made.status_code == 200)
    yield Documented(f"`GET {path}`", listed["items"] == [image], "one page; any `cursor` is a 400")
    yield Documented(f"`GET {path}/{{image-id}}`", one.json() == image)
    is_deleted = delete(image) == 204
    yield Documented(f"`DELETE {path}/{{image-id}}`", is_deleted, "without `{image-id}`: all of them")
    unauthorized = owner.http.get("/stores/a/products/b/images", headers={"X-Authorization": "wrong"})
    is_checked = unauthorized.status_code == 401
    yield Documented("header `X-Authorization`", is_checked, "`Authorization` too, with or without `Bearer`")
    yield Documented("field `datafile`", misnamed == 400, "exactly one")
    rules = ("PNG", "300 × 300 pixels", "at most 5242800 bytes")
    for rule, answer in zip(rules, refused, strict=True):
        is_refused = answer.status_code == 400 and bool(answer.json()["violations"])
        yield Documented(f"rule: {rule}", is_refused, "400, a violation for each rule that is broken")
    is_refused = second == 409
    yield Documented("rule: at most one image of a product", is_refused, "409: to be deleted first")
    found = paths(image)
    decisions = {
        "user_id": "`02-` and the number of the account",
        "store_id": "as first written; UUIDs are compared without case",
        "product_id": "the same",
        "url": "null while the image is archived",
    }
    meta = ("extension", "file_size", "width", "height")
    for field in (
        *("id", "user_id", "store_id", "product_id", "url", "meta"),
        *(f"meta.{name}" for name in meta),
        *("created_at", "updated_at"),
    ):
        yield Documented(f"response `{field}`", field in found, decisions.get(field, ""))
    for field in ("items", "paging"):
        decision = "always empty: there is one page" if field == "paging" else ""
        yield Documented(f"response `{field}` of the list", field in listed, decision)


VENDORS: dict[str, Callable[[Asking], Rows]] = {
    "mews": mews,
    "smartsheet": smartsheet,
    "publisher": publisher,
    "evotor": evotor,
}
