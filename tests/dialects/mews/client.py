"""A minimal mews client that follows the vendor's reference."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.running import Running

PATH = "/api/connector/v1/images/getUrls"
UNKNOWN = "57a971a5-a335-48f4-8cd1-595245d1a876"
"""The image of the vendor's example, which is in no library of ours."""
ABSENT = object()
"""As the value of a field: leave the field out."""

Body = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """The two tokens of a client, and where it sends them."""

    http: httpx.Client
    client_token: str
    access_token: str

    def body(self, *images: Any, **changes: Any) -> Body:  # noqa: ANN401  wrong types are what is sent
        """The body of a request, in the order of the reference, with some fields changed or left out."""
        body = {
            "ClientToken": self.client_token,
            "AccessToken": self.access_token,
            "Client": "Sample Client 1.0.0",
            "Images": list(images),
            **changes,
        }
        return {name: value for name, value in body.items() if value is not ABSENT}

    def request(self, *images: Any, **changes: Any) -> httpx.Response:  # noqa: ANN401  the same
        """The answer to a request."""
        return self.http.post(PATH, json=self.body(*images, **changes))

    def send(self, raw: bytes, content_type: str | None = "application/json") -> httpx.Response:
        """The answer to a body of any bytes."""
        headers = {} if content_type is None else {"Content-Type": content_type}
        return self.http.post(PATH, content=raw, headers=headers)

    def urls(self, *images: Any) -> list[str | None]:  # noqa: ANN401  the same
        """The URLs of images."""
        response = self.request(*images)
        assert response.status_code == 200, response.text
        return [each["Url"] for each in response.json()["ImageUrls"]]


def client(service: Running, http: httpx.Client, account: str = "demo", **options: str) -> Client:
    """A client with tokens of its own."""
    client_token, access_token = service.token("mews", account, **options).splitlines()
    return Client(http, client_token, access_token)


def item(image: object = UNKNOWN, mode: object = "Fit", **changes: Any) -> Body:  # noqa: ANN401  the same
    """An item of Images, with some fields changed or left out."""
    fields = {"ImageId": image, "ResizeMode": mode, **changes}
    return {name: value for name, value in fields.items() if value is not ABSENT}


def assert_refused(response: httpx.Response, status: int, message: str) -> None:
    """The response is this error, and has the shape that every error has."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    assert response.json() == {"Message": message, "RequestId": response.headers["Request-Id"]}
