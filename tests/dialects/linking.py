"""Links of every dialect, in canonical and other spellings; `sample_links.py` in its tests makes them."""

import http.client
import importlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit
from uuid import UUID

from tintype.catalogue import CATALOGUE
from tintype.core.runtime.signing import Keyring
from tintype.dialects import AnyDialect


@dataclass(frozen=True)
class Subject:
    """An image, as far as links name it."""

    id: UUID
    number: int
    version: int
    extension: str


@dataclass(frozen=True)
class Reply:
    """An answer without what differs between any two: the date, the request id."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def subject(data: Path, account: str) -> Subject:
    """The only image of an account."""
    query = """
        SELECT images.id, images.number, version, extension
        FROM images JOIN accounts ON accounts.id = account_id WHERE accounts.name = ?
    """
    with closing(sqlite3.connect(data / CATALOGUE)) as catalogue:
        ((id, number, version, extension),) = catalogue.execute(query, (account,))
    return Subject(UUID(id), number, version, extension)


def plain(dialect: AnyDialect, subject: Subject) -> list[str]:
    """Plain links to an image; none where all are signed."""
    return [] if dialect.links is None else list(_samples(dialect).plain(subject))


def signed(dialect: AnyDialect, subject: Subject, keyring: Keyring) -> list[str]:
    """Signed links to an image."""
    return list(_samples(dialect).signed(subject, keyring))


def sample_links(dialect: AnyDialect, subject: Subject, keyring: Keyring) -> list[str]:
    """Links to an image of every kind that a dialect writes."""
    return [*plain(dialect, subject), *signed(dialect, subject, keyring)]


def _samples(dialect: AnyDialect) -> ModuleType:
    return importlib.import_module(f"tests.dialects.{dialect.name}.sample_links")


def fetch(base_url: str, target: str, method: str = "GET", **headers: str) -> Reply:
    """The answer to a target that is sent to the letter, on a connection of its own: by any worker."""
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, headers=sent)
        answer = connection.getresponse()
        received = {name.lower(): value for name, value in answer.getheaders()}
        body = answer.read().replace(received.pop("request-id").encode(), b"")
        received.pop("date", None)
        return Reply(answer.status, tuple(sorted(received.items())), body)
    finally:
        connection.close()


def respelled(link: str) -> set[str]:
    """Other spellings of a link: what a lenient reader would take for the same."""
    path, mark, query = link.partition("?")
    others = {f"{other}{mark}{query}" for other in _respelled_path(path)}
    if not mark:
        return others | {f"{path}?{added}" for added in ("x=1", "x", "&", "sig=1", "v=1")}
    return others | {f"{path}?{other}" for other in _respelled_query(query)} - {link}


def _respelled_path(path: str) -> set[str]:
    positions = (1, len(path) // 2, len(path) - 1)
    encoded = {path[:at] + f"%{ord(path[at]):02X}" + path[at + 1 :] for at in positions}
    twice = {each.replace("%", "%25") for each in encoded}
    return encoded | twice | {path + "/", "/" + path, path + ";x", path.swapcase(), path + "%00", path + "//"}


def _respelled_query(query: str) -> set[str]:
    parts = query.split("&")
    positions = range(len(parts) + 1)
    orders = [parts[at:] + parts[:at] for at in positions] + [parts[::-1]]
    more = [*parts, "utm_source=mail", "x", "", "=", "sig=", "kid="]
    added = [[*parts[:at], part, *parts[at:]] for part in more for at in positions]
    others = [
        [*parts[:at], other, *parts[at + 1 :]]
        for at in positions[:-1]
        for other in _respelled_part(parts[at])
    ]
    marked = {query + "?", "?" + query, query.swapcase()}
    return marked | {"&".join(each) for each in (*orders, *added, *others)}


def _respelled_part(part: str) -> list[str]:
    """A parameter percent-encoded here and there, in another case, its number padded."""
    name, _, value = part.partition("=")
    encoded = [f"%{ord(name[0]):02x}{name[1:]}={value}", f"{name}=%{ord(value[0]):02X}{value[1:]}"]
    cases = [f"{name.swapcase()}={value}", f"{name.upper()}={value}", f"{name}={value.swapcase()}"]
    padded = [f"{name}=+{value}", f"{name}={value}%20", f"{name}=0{value}", f"{name}%3D{value}"]
    return [*encoded, *cases, *padded]
