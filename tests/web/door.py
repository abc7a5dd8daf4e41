"""The application in this process, asked without a server in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.core.conftest import Clock, Town, founded
from tests.core.following import until
from tintype.app import create_app
from tintype.dialects import discover
from tintype.dialects.native import links
from tintype.imaging import Recipe
from tintype.model import Image
from tintype.settings import load
from tintype.web.asgi import App

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class Answer:
    status: int
    """0 when nothing was sent."""
    headers: dict[str, str]
    body: bytes
    path: str = ""
    """The file that the server is told to send."""

    def file(self) -> bytes:
        return Path(self.path).read_bytes()

    def picture(self) -> bytes:
        """The bytes, from wherever they are sent."""
        return self.body or self.file()


@dataclass
class Door:
    """The application in this process, asked without a server in between."""

    app: App
    town: Town
    clock: Clock
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the clients of all requests have gone away."""

    async def ask(self, link: str, method: str = "GET", **headers: str) -> Answer:
        return await self.send(link, method, headers)

    async def send(self, link: str, method: str, headers: dict[str, str], content: bytes = b"") -> Answer:
        path, _, query = link.partition("?")
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        body = iter([{"type": "http.request", "body": content, "more_body": False}])

        async def receive() -> dict[str, Any]:
            if (message := next(body, None)) is not None:
                return message
            await self.gone.wait()
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
            return Answer(0, {}, b"")
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], told, whole, sent[1].get("path", ""))

    async def ask_twice(self, link: str) -> Answer:
        """The second answer: what is asked for again is kept."""
        await self.ask(link)
        return await self.ask(link)

    def link(self, image: Image, recipe: Recipe | None = None, expires: int | None = None) -> str:
        link = links.Link(image.id, image.version, recipe and recipe.normal(), expires)
        return links.write(link, self.town.services.keyring.sign(link.parts()))


@asynccontextmanager
async def opened(folder: Path, **env: str) -> AsyncIterator[Door]:
    """The application on a new data folder, started as a server starts it; and its services."""
    settings, clock = load(folder, discover(), env), Clock(NOON)
    async with founded(settings, clock) as town:
        app = create_app(settings, discover(), clock=clock)
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        life = asyncio.create_task(app({"type": "lifespan"}, told.get, said.put))
        await told.put({"type": "lifespan.startup"})
        assert (await said.get())["type"] == "lifespan.startup.complete"
        await until(lambda: app._response_cache._record_cache.fresh_until > 0)  # noqa: SLF001  when it has begun to follow
        yield Door(app, town, clock)
        await told.put({"type": "lifespan.shutdown"})
        await life
