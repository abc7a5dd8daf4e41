"""A minimal evotor client that follows the vendor's reference."""

import io
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from PIL import Image

from tests import pictures
from tests.running import Running

SIDE = 300
MAX_BYTES = 5_242_800
"""The vendor's figures."""


@dataclass(frozen=True)
class Client:
    """A client with a token, at a product of a store."""

    http: httpx.Client
    token: str
    store: str
    product: str

    @property
    def path(self) -> str:
        return f"/stores/{self.store}/products/{self.product}/images"

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Authorization": self.token}

    def upload(self, data: bytes, filename: str = "000.png", **options: Any) -> httpx.Response:  # noqa: ANN401  httpx's options
        files = {"datafile": (filename, data)}
        return self.http.post(self.path, headers=self.headers, files=files, **options)

    def post(self, content: bytes, content_type: str | None) -> httpx.Response:
        """A body spelled out by hand."""
        header = {} if content_type is None else {"Content-Type": content_type}
        return self.http.post(self.path, headers=self.headers | header, content=content)

    def request(self, method: str, tail: str = "", **headers: str) -> httpx.Response:
        return self.http.request(method, self.path + tail, headers=self.headers | headers)

    def items(self) -> list[dict[str, Any]]:
        answer = self.request("GET")
        assert answer.status_code == 200, answer.text
        assert answer.json()["paging"] == {}
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def elsewhere(
        self, *, token: str | None = None, store: str | None = None, product: str | None = None
    ) -> "Client":
        """The same client at another product, or another client at the same."""
        return Client(self.http, token or self.token, store or self.store, product or self.product)


def new_name() -> str:
    return str(uuid4())


@lru_cache(maxsize=100)
def sound(seed: int = 1) -> bytes:
    """A picture that is as the vendor wants it."""
    return pictures.png(SIDE, SIDE, seed=seed)


def of_size(size: int) -> bytes:
    """A sound picture of exactly so many bytes: filled up with a private chunk, which no decoder minds."""
    plain = pictures.png(SIDE, SIDE)
    end = plain[-12:]
    filler = size - len(plain) - 12
    return plain[:-12] + pictures.png_chunk(b"fiLl", bytes(filler)) + end


def multipart(data: bytes, boundary: str = "xyz", disposition: str | None = None) -> bytes:
    header = disposition or 'form-data; name="datafile"; filename="000.png"'
    head = f"--{boundary}\r\nContent-Disposition: {header}\r\nContent-Type: image/png\r\n\r\n"
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def assert_failure(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The vendor's error with no key more or less; answers its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert list(body) == ["code", "message", "violations"]
    assert body["code"] == code
    assert isinstance(body["message"], str)
    assert body["message"]
    return body


def reasons(answer: httpx.Response) -> list[str]:
    """Why a picture was refused: a sentence for each rule that it breaks."""
    body = assert_failure(answer, 400, "validation_failed")
    assert all(list(each) == ["reason", "subject"] for each in body["violations"])
    assert {each["subject"] for each in body["violations"]} == {"datafile"}
    return [each["reason"] for each in body["violations"]]


def begin_upload(service: Running, evotor: Client, declared: int, sent: bytes) -> socket.socket:
    """A connection in the middle of an upload."""
    address = urlsplit(service.base_url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    head = (
        f"POST {evotor.path} HTTP/1.1\r\nHost: {address.netloc}\r\nX-Authorization: {evotor.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: {declared}\r\n\r\n"
    )
    connection.sendall(head.encode() + sent)
    return connection


def originals(service: Running) -> set[str]:
    """The digests of all the originals that a service keeps."""
    return {path.name for path in (service.data / "originals").rglob("*") if path.is_file()}
