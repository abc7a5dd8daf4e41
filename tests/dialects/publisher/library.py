"""A library with known records: made in this process, with its own clock."""

import asyncio
import sqlite3
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from tests import pictures
from tests.core.conftest import NOBODY
from tintype.app import build_services, close_services
from tintype.catalogue import CATALOGUE, accounts
from tintype.catalogue.tables import EPOCH
from tintype.cli.library import prepare_library
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person, issue_token, list_tokens, revoke_token
from tintype.core.library.ingest import examine, record_image, stage
from tintype.dialects.publisher.endpoints import Role
from tintype.model import Account, Caller, Person, Status, names

ACCOUNT = "publisher"
START = datetime(2019, 2, 27, 11, 19, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Piece:
    """An image of the library: the hours are counted from START."""

    filename: str
    person: str = "Rishit Patel"
    status: str = "active"
    size: tuple[int, int] = (64, 48)
    created: int = 0
    modified: int = 0
    editor: str = ""


LOGOS = [Piece("logo.png") for _ in range(12)]
"""Alike in everything that can be sorted by."""

PIECES = [
    *LOGOS,
    Piece("XML & char in tag.PNG", "Mitul Patel", created=3, modified=40, editor="Zoë"),
    Piece("""<b>"quoted" 'n' ]]>.png""", "mitul patel", created=7, modified=8),
    Piece("Ünïcödé crème.jpg", "Zoë", created=2, modified=2, size=(400, 100)),
    Piece("Отель Ёлка.jpeg", "Ирина", "archived", created=9, modified=30, size=(100, 500)),
    Piece("ОТЕЛЬ.jpg", "Ирина", created=1, modified=50, size=(1022, 845)),
    Piece("100%_off.png", "Zoë", created=4, modified=4),
    Piece("100 percent.webp", created=5, modified=5, size=(201, 10)),
    Piece("a_b.gif", "Ann", created=6, modified=6, size=(32, 32)),
    Piece("axb.gif", "ann", "archived", created=6, modified=6),
    Piece("O'Hara; DROP TABLE images.JPG", "Ann", "archived", created=8, modified=9, size=(650, 427)),
    Piece("fox 🦊 [x]*?.png", created=10, modified=10, size=(2000, 5)),
    Piece("tab\t line\n return\r bell\a escape\x1b end.png", "Ann\x02\r\n<&>", created=11, modified=11),
    Piece("edge \ufffe\uffff\x85\u2028 of XML.png", created=12, modified=12),
    Piece("scan.tif", created=13, modified=13, size=(300, 200)),
    Piece("q.avif", created=14, modified=14, size=(240, 240)),
    Piece("ZEBRA.png", created=15, modified=15),
    Piece("apple.png", created=16, modified=16),
]
FOREIGN = [Piece("logo.png"), Piece("secret of others.png", "Stranger", "archived", created=99, modified=99)]

FORMATS = {"jpg": "jpeg", "jpeg": "jpeg", "tif": "tiff"}


@dataclass(frozen=True)
class Library:
    """The library, served: bytes and pieces by image id, a token a role, some tokens that are refused."""

    base_url: str
    data: Path
    http: httpx.Client
    originals: dict[int, bytes]
    pieces: dict[int, Piece]
    tokens: dict[str, str]
    foreign_token: str
    refused: dict[str, str] = field(default_factory=dict)

    def get(self, query: str = "", *, token: str | None = None, **headers: str) -> httpx.Response:
        """Ask for the list; the query goes out exactly as it is written here."""
        url = httpx.URL(self.base_url + "/api/2/images").copy_with(query=query.encode() or None)
        return self.http.get(url, headers={"Authorization": token or self.tokens["editor"], **headers})

    def listed(self, query: str = "", *, token: str | None = None) -> dict[str, Any]:
        """The list, which must be there, as a client reads it from JSON."""
        answer = self.get(query, token=token)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def all(self) -> list[dict[str, Any]]:
        """What the list says of all images."""
        return list(self.listed("limit=1000")["image"])


def make(data: Path) -> dict[str, Any]:
    """Fill a new data folder; the answer is what a `Library` knows besides its address."""
    return asyncio.run(_Maker(data).make())


def fold(text: str) -> str:
    """Text without case and accents, as the contract of the search wants it compared."""
    bare = [char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) != "Mn"]
    return "".join(bare).casefold()


class _Maker:
    def __init__(self, data: Path) -> None:
        self._settings = prepare_library(data)
        self._catalogue = data.resolve() / CATALOGUE
        self._now = START
        self._seed = 0

    async def make(self) -> dict[str, Any]:
        services = build_services(self._settings, lambda: self._now)
        try:
            kept = [await self._keep(services, ACCOUNT, piece) for piece in PIECES]
            for piece in FOREIGN:
                await self._keep(services, "others", piece)
            return {
                "originals": {number: data for number, data, _ in kept},
                "pieces": {number: piece for number, _, piece in kept},
                "tokens": {role.value: await _token(services, ACCOUNT, role=role) for role in Role},
                "foreign_token": await _token(services, "others", role=Role.EDITOR),
                "refused": await _refused(services),
            }
        finally:
            await close_services(services)

    async def _keep(self, services: Services, account: str, piece: Piece) -> tuple[int, bytes, Piece]:
        self._seed += 1
        extension = piece.filename.rpartition(".")[2].lower()
        data = pictures.encode(pictures.photo(*piece.size, self._seed), FORMATS.get(extension, extension))
        self._now = START + timedelta(hours=piece.created)
        owner, person = await self._member(services, account, piece.person)
        caller = Caller(owner, person, UUID(int=0), "test", "", frozenset())
        status = Status[piece.status.upper()]
        async with stage(services, _once(data), len(data)) as staged:
            info = await examine(services, caller, staged)
            image = await record_image(services, caller, staged, info, piece.filename, status=status)
        _, editor = await self._member(services, account, piece.editor or piece.person)
        self._edit(image.number, editor.id, START + timedelta(hours=piece.modified))
        if image.filename != piece.filename:
            self._rename(image.number, piece.filename)
        return image.number, data, piece

    async def _member(self, services: Services, account: str, name: str) -> tuple[Account, Person]:
        """Also somebody whose name would be refused now: an older library may have one."""
        owner, _ = await get_or_create_person(services, account, "Administrator")
        return owner, await services.catalogue.write(accounts.get_or_create_person, owner.id, name, self._now)

    def _edit(self, number: int, editor: int, modified: datetime) -> None:
        """Stand in for an edit, which no dialect offers."""
        instant = (modified - EPOCH) // timedelta(microseconds=1)
        with sqlite3.connect(self._catalogue) as connection:
            values = (editor, instant, number)
            connection.execute("UPDATE images SET modified_by = ?, modified_at = ? WHERE number = ?", values)
        connection.close()

    def _rename(self, number: int, filename: str) -> None:
        """Give an image a name that would be cleaned now: an older library may have one."""
        name = filename.rpartition(".")[0]
        with sqlite3.connect(self._catalogue) as connection:
            values = (filename, name, names.fold(name), number)
            connection.execute(
                "UPDATE images SET filename = ?, name = ?, folded = ? WHERE number = ?", values
            )
        connection.close()


async def _refused(services: Services) -> dict[str, str]:
    """Tokens that were good once, or are good elsewhere."""
    hour = timedelta(hours=1)
    revoked = await _token(services, "leavers", role=Role.EDITOR)
    for token in await list_tokens(services, "leavers"):
        await revoke_token(services, token.id, NOBODY)
    return {
        # The clock here stands in 2019.
        "expired": await _token(services, ACCOUNT, role=Role.EDITOR, lifetime=hour),
        "revoked": revoked,
        "another dialect's": await _token(services, ACCOUNT, dialect="native"),
    }


async def _token(services: Services, account: str, *, dialect: str = "publisher", **options: Any) -> str:  # noqa: ANN401  those of grant
    owner, person = await get_or_create_person(services, account, "Token holder")
    return (await issue_token(services, owner, person, dialect, actor=NOBODY, **options))[-1]


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
