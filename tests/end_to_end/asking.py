"""An account that asks for URLs in every way that there is."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.running import Running
from tintype.dialects import discover
from tintype.model.ids import short


@dataclass(frozen=True)
class Asking:
    """The tokens of an account, by dialect, and a product that has its image at evotor."""

    http: httpx.Client
    tokens: dict[str, str]
    product: str

    def native(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  httpx's options
        headers = self._bearer("native") | options.pop("headers", {})
        return self.http.request(method, path, headers=headers, **options)

    def upload(self, data: bytes, name: str = "picture") -> dict[str, Any]:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        answer = self.native("POST", "/v1/images", content=data, headers=headers)
        assert answer.status_code == 201, answer.text
        image: dict[str, Any] = answer.json()
        return image

    def archive(self, image: str, status: str = "archived") -> dict[str, Any]:
        answer = self.native("PATCH", f"/v1/images/{image}", json={"status": status})
        assert answer.status_code == 200, answer.text
        changed: dict[str, Any] = answer.json()
        return changed

    def links(self, *links: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.native("POST", "/v1/links", json={"links": list(links)})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["links"])

    def mews(self, *items: dict[str, Any]) -> list[str | None]:
        client, access = self.tokens["mews"].splitlines()
        body = {"ClientToken": client, "AccessToken": access, "Client": "Asking 1", "Images": list(items)}
        answer = self.http.post("/api/connector/v1/images/getUrls", json=body)
        assert answer.status_code == 200, answer.text
        return [each["Url"] for each in answer.json()["ImageUrls"]]

    def image_urls(self, *items: dict[str, Any]) -> list[dict[str, Any]]:
        items = tuple(item | {"imageId": short(UUID(item["imageId"]))} for item in items)
        answer = self.http.post("/2.0/imageurls", json=items, headers=self._bearer("smartsheet"))
        assert answer.status_code == 200, answer.text
        return list(answer.json()["imageUrls"])

    def published(self, **query: str) -> dict[int, dict[str, Any]]:
        """The items of publisher's list by number."""
        answer = self.http.get(
            "/api/2/images", params={"limit": "1000", **query}, headers=self._bearer("publisher")
        )
        assert answer.status_code == 200, answer.text
        return {item["id"]: item for item in answer.json()["image"]}

    def evotor(self, method: str, tail: str = "", **options: Any) -> httpx.Response:  # noqa: ANN401  the same
        path = f"/stores/store/products/{self.product}/images{tail}"
        headers = {"X-Authorization": self.tokens["evotor"]}
        return self.http.request(method, path, headers=headers, **options)

    def _bearer(self, dialect: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[dialect]}"}


def asking(service: Running, http: httpx.Client, account: str) -> Asking:
    """An account with a token of each dialect."""
    options = {"publisher": {"role": "editor"}}
    names = [dialect.name for dialect in discover() if dialect.api is not None]
    tokens = {name: service.token(name, account, **options.get(name, {})) for name in names}
    return Asking(http, tokens, str(uuid4()))
