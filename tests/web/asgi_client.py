"""A client of the application in this process, without a server in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.core.conftest import Clock, Instance, open_instance
from tests.core.following import until
from tintype.app import create_app
from tintype.dialects import discover, find_link_writer
from tintype.imaging import Recipe
from tintype.model import Image
from tintype.settings import load
from tintype.web.asgi import App

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class Response:
    status: int
    """0 when nothing was sent."""
    headers: dict[str, str]
    body: bytes
    path: str = ""
    """The file that the server has to send."""

    def file(self) -> bytes:
        return Path(self.path).read_bytes()

    def picture(self) -> bytes:
        """The bytes, from wherever they are sent."""
        return self.body or self.file()


@dataclass
class AsgiClient:
    """A client of the application in this process, without a server in between."""

    app: App
    instance: Instance
    clock: Clock
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the clients of all requests have gone away."""

    async def request(self, link: str, method: str = "GET", **headers: str) -> Response:
        return await self.send(link, method, headers)

    async def send(self, link: str, method: str, headers: dict[str, str], content: bytes = b"") -> Response:
        path, _, query = link.partition("?")
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        body = iter([{"type": "http.request", "body": content, "more_body": False}])

        async def receive() -> dict[str, Any]:
            if (message := next(body, None)) is not None:
                return message
            await self.disconnected.wait()
            return {"type": "http.disconnect"}

        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").lower().encode(), value.encode())
                for name, value in {"host": "localhost", **headers}.items()
            ],
            "extensions": {"http.response.pathsend": {}},
        }
        await self.app(scope, receive, send)
        if not sent:
            return Response(0, {}, b"")
        fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return Response(sent[0]["status"], fields, whole, sent[1].get("path", ""))

    async def request_twice(self, link: str) -> Response:
        """The second answer: what is asked for again is kept."""
        await self.request(link)
        return await self.request(link)

    def link(self, image: Image, recipe: Recipe | None = None, expires: int | None = None) -> str:
        """A link to an image as it is now; the test is skipped if no dialect has such links."""
        found = find_link_writer(discover())
        if found is None:
            pytest.skip("no dialect has links to any rendition")
        return found[1](self.instance.services.keyring, image, recipe and recipe.normal(), expires)


@asynccontextmanager
async def open_client(folder: Path, **env: str) -> AsyncIterator[AsgiClient]:
    """The application on a new data folder, started as a server starts it; and its services."""
    settings, clock = load(folder, discover(), env), Clock(NOON)
    async with open_instance(settings, clock) as instance:
        app = create_app(settings, discover(), clock=clock)
        to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        life = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
        await to_app.put({"type": "lifespan.startup"})
        assert (await from_app.get())["type"] == "lifespan.startup.complete"
        await until(lambda: app._response_cache._record_cache.fresh_until > 0)  # noqa: SLF001  when it has begun to follow
        yield AsgiClient(app, instance, clock)
        await to_app.put({"type": "lifespan.shutdown"})
        await life
