"""A minimal smartsheet client that follows the vendor's reference."""

import itertools
from dataclasses import dataclass
from typing import Any

import httpx

IMAGE_URLS = "/2.0/imageurls"
UNKNOWN = "o1NtQrUsVbskSbnOGVGV8Q"
"""An id in the vendor's spelling, of no image of ours."""
ABSENT = object()
"""As the value of a header: leave it out."""

_new_sheets = itertools.count(4583173393803140)

Item = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """The token of a client, and where it sends it."""

    http: httpx.Client
    token: str

    def headers(self, **changes: object) -> list[tuple[bytes, bytes]]:
        """The headers of a request, with some changed or left out; an underscore stands for a hyphen.

        Text is sent as UTF-8.
        """
        given = {"Authorization": f"Bearer {self.token}", **changes}
        return [
            (name.replace("_", "-").encode(), value if isinstance(value, bytes) else str(value).encode())
            for name, value in given.items()
            if value is not ABSENT
        ]

    def request(self, *items: Any, **headers: object) -> httpx.Response:  # noqa: ANN401  wrong types are what is sent
        """The answer to a batch of items."""
        return self.http.post(IMAGE_URLS, json=list(items), headers=self.headers(**headers))

    def send(self, raw: bytes, path: str = IMAGE_URLS, **headers: object) -> httpx.Response:
        """The answer to a body of any bytes, said to be JSON."""
        given = {"Content_Type": "application/json", **headers}
        return self.http.post(path, content=raw, headers=self.headers(**given))

    def answers(self, *items: Item) -> list[Item]:
        """The answers to items."""
        response = self.request(*items)
        assert response.status_code == 200, response.text
        return list(response.json()["imageUrls"])

    def put(
        self,
        picture: bytes,
        cell: str,
        disposition: object = 'attachment; filename="puppy.jpg"',
        query: str = "",
        **headers: object,
    ) -> httpx.Response:
        """The answer to putting a picture into a cell."""
        given = {"Content_Disposition": disposition, **headers}
        return self.http.post(f"{cell}{query}", content=picture, headers=self.headers(**given))

    def add(self, picture: bytes, cell: str | None = None, **options: Any) -> Item:  # noqa: ANN401  the same
        """The image object of a picture put into a cell, a new one if none is named."""
        response = self.put(picture, cell or new_cell(), **options)
        assert response.status_code == 200, response.text
        image: Item = response.json()["result"]["cells"][0]["image"]
        return image

    def row(self, cell: str, query: str = "", **headers: object) -> httpx.Response:
        """The answer to reading the row of a cell."""
        return self.http.get(cell.partition("/columns/")[0] + query, headers=self.headers(**headers))


def new_cell(sheet: int | None = None, row: int = 2, column: int = 3) -> str:
    """The path of a cell, by default of a sheet that nobody has used."""
    sheet = next(_new_sheets) if sheet is None else sheet
    return f"/2.0/sheets/{sheet}/rows/{row}/columns/{column}/cellimages"


def assert_refused(response: httpx.Response, status: int, code: int, message: str | None = None) -> None:
    """The response is this error, and has the shape that every error has."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json"), (
        response.text
    )
    body = response.json()
    assert list(body) == ["errorCode", "message", "refId"]
    assert (body["errorCode"], body["refId"]) == (code, response.headers["Request-Id"]), response.text
    assert body["message"] == message if message is not None else body["message"]
