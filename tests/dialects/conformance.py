"""Helpers for the tests that every dialect must pass; a new dialect is discovered by its folder."""

import ast
import http.client
import importlib
import inspect
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import httpx
from defusedxml import ElementTree
from hypothesis import strategies as st
from msgspec import Struct

import tintype
from tests.errors import an_error
from tests.running import Running
from tintype import dialects
from tintype.dialects import AnyDialect
from tintype.model import Kind
from tintype.model.ids import short
from tintype.web import api as web_api
from tintype.web.api import AnyApi
from tintype.web.context import Context

DIALECTS = dialects.discover()
WITH_API = tuple(dialect for dialect in DIALECTS if dialect.api is not None)
FILES = {"__init__", "settings", "links"}
"""The modules of every dialect; a large one may be a folder. A dialect may have others besides."""
API_FILES = {"endpoints", "wire"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MAX_ORIGINAL = 1024 * 1024
TOO_MUCH = 40 * 1024 * 1024
"""Bytes of a body that is over every limit, once the largest original is set to `MAX_ORIGINAL`."""
TOO_MUCH_OF_A_STRANGER = 1024 * 1024 + 64 * 1024
"""Bytes of a body that is over every limit on JSON; hardly more of a stranger's is read."""

TOO_DEEP = (b"[" * 60_000, b'{"a":' * 60_000, b'[{"imageId":' * 5_000, b"[" * 5_000 + b"]" * 5_000)
"""JSON nested further than any parser follows."""

FITTING: dict[Kind, set[int]] = {
    Kind.NO_TOKEN: {401},
    Kind.UNKNOWN_TOKEN: {401},
    Kind.EXPIRED_TOKEN: {401},
    Kind.FORBIDDEN: {403},
    Kind.NOT_FOUND: {404},
    Kind.EXPIRED_LINK: {403, 410},
    Kind.CONFLICT: {400, 409},
    Kind.MALFORMED: {400},
    Kind.INVALID: {400, 422},
    Kind.RANGE_NOT_SATISFIABLE: {416},
    Kind.INVALID_IMAGE: {400, 415, 422},
    Kind.TOO_LARGE: {400, 413},
    Kind.QUOTA_EXCEEDED: {403, 413, 507},
    Kind.TOO_MANY_REQUESTS: {429},
    Kind.OVERLOADED: {503},
    Kind.METHOD_NOT_ALLOWED: {404, 405},
    Kind.NOT_ACCEPTABLE: {400, 406},
    Kind.UNSUPPORTED_TYPE: {400, 415},
    Kind.INSUFFICIENT_STORAGE: {503, 507},
    Kind.ORIGINAL_MISSING: {500},
    Kind.INTERNAL: {500},
}
"""The statuses that can stand for each kind of error."""

_MEDIA_TYPE = re.compile(r"(?:application/(?:[\w.-]+\+)?(json|xml)|text/(plain))(?:;.*)?\Z")


@dataclass(frozen=True)
class Endpoint:
    """One method of one path; what stands in braces in the path is made up."""

    method: str
    path: str


@dataclass(frozen=True)
class Pass:
    """What lets a request in: headers, and fields of the body where a dialect has its tokens there."""

    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


def copy_sources(folder: Path) -> Path:
    """Copy tintype into a folder; what runs with it as PYTHONPATH runs the copy. The copy of its dialects."""
    copy = folder / "tintype"
    shutil.copytree(Path(tintype.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy / "dialects"


def folder(dialect: AnyDialect) -> Path:
    """Where a dialect lies."""
    return Path(inspect.getfile(dialects)).parent / dialect.name


def module(dialect: AnyDialect, name: str) -> ModuleType:
    """One of its files."""
    return importlib.import_module(f"{dialects.__name__}.{dialect.name}.{name}")


def endpoints(dialect: AnyDialect) -> list[Endpoint]:
    """All its endpoints."""
    return [Endpoint(each.method, _filled(each.path)) for each in templates(dialect)]


def templates(dialect: AnyDialect) -> list[Endpoint]:
    """The same, their paths as they were declared."""
    return [] if dialect.api is None else [pair for each in dialect.api.endpoints for pair in _pairs(each)]


def refusing(dialect: AnyDialect, *, scope: str | None = None, role: str | None = None) -> list[Endpoint]:
    """The endpoints that are declared to require the scope, or another role than this."""
    return [
        Endpoint(each.method, _filled(each.path))
        for declared in api(dialect).endpoints
        if (scope is not None and declared.scope == scope)
        or (role is not None and declared.roles is not None and role not in declared.roles)
        for each in _pairs(declared)
    ]


def raw_paths(dialect: AnyDialect) -> list[str]:
    """The paths of the endpoints that are served ahead of the framework."""
    return [path for each in api(dialect).endpoints if each.raw for path in each.paths]


def api(dialect: AnyDialect) -> AnyApi:
    """The API of a dialect that has one."""
    assert dialect.api is not None
    return dialect.api


def admission(
    service: Running, dialect: AnyDialect, scopes: Sequence[str] = (), roles: Sequence[str] = ()
) -> Pass:
    """A new token, by default with all scopes, in every place where one of the dialects looks for it."""
    secrets = service.token(dialect.name, scope=list(scopes), role=list(roles)).splitlines()
    if api(dialect).pairs:
        return Pass(fields={"ClientToken": secrets[0], "AccessToken": secrets[1], "Client": "conformance"})
    return Pass(headers={"Authorization": f"Bearer {secrets[0]}"})


def undocumented(dialect: AnyDialect) -> list[str]:
    """The fields of its settings without a text right below them."""
    tree = ast.parse((folder(dialect) / "settings.py").read_text("utf-8"))
    [settings] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    return [
        ast.unparse(each.target)
        for each, below in zip(settings.body, [*settings.body[1:], None], strict=True)
        if isinstance(each, ast.AnnAssign) and not _is_text(below)
    ]


def words(dialect: AnyDialect) -> list[str]:
    """The texts in its link grammar: names of parameters, modes, prefixes."""
    tree = ast.parse((folder(dialect) / "links.py").read_text("utf-8"))
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return sorted(text for text in texts if 0 < len(text) < 30)


def lies_under(prefixes: tuple[str, ...], path: str) -> bool:
    """Whether a path is one of the prefixes or lies below it."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)


def asked(accept: str = "") -> Context:
    """A request as the application sees it."""
    return Context(
        "0123456789abcdef", "http://localhost", "GET", "/", "", {"accept": accept} if accept else {}
    )


def names(media_type: str, body: bytes) -> list[str]:
    """The names at the top of a body: an object (JSON) or an element (XML), and not an empty one."""
    kind = _MEDIA_TYPE.match(media_type)
    assert kind, media_type
    if kind[2]:
        assert body.strip()
        return ["text"]
    found = json.loads(body) if kind[1] == "json" else [each.tag for each in ElementTree.fromstring(body)]
    assert found
    return list(found)


def assert_says(dialect: AnyDialect, kind: Kind, response: httpx.Response) -> None:
    """The response has the content type, the names (or more) and a status of such an error in the dialect."""
    rendered = dialect.render_error(an_error(kind), asked())
    found = response.headers["Content-Type"]
    assert response.status_code in FITTING[kind], response.text
    assert found == rendered.media_type
    assert set(names(rendered.media_type, rendered.body)) <= set(names(found, response.content))


def posted_stubbornly(
    base_url: str, endpoint: Endpoint, headers: Mapping[str, str], size: int, *, chunked: bool
) -> httpx.Response:
    """The answer to so many bytes, from a client that sends all before it listens, and fails if it can't.

    Not httpx, which passes over a connection that broke while it was sending.
    """
    url = httpx.URL(base_url)
    connection = http.client.HTTPConnection(url.host, url.port, timeout=60)
    block = bytes(64 * 1024)
    blocks = (block for _ in range(size // len(block)))
    length = {} if chunked else {"Content-Length": str(size)}
    try:
        connection.request(
            endpoint.method, endpoint.path, blocks, {**headers, **length}, encode_chunked=chunked
        )
        answer = connection.getresponse()
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
    finally:
        connection.close()


def sent_without_body(base_url: str, endpoint: Endpoint, headers: Mapping[str, str]) -> httpx.Response:
    """The first answer to a head, whose body is not sent."""
    url = httpx.URL(base_url)
    connection = http.client.HTTPConnection(url.host, url.port, timeout=60)
    try:
        connection.putrequest(endpoint.method, endpoint.path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
    finally:
        connection.close()


def hostile_bodies(fields: Mapping[str, str]) -> st.SearchStrategy[bytes]:
    """Bodies of all sorts: JSON of wrong types (objects have the given fields too), multipart, bytes."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    values = st.recursive(leaves, _nested, max_leaves=12)
    known = st.sampled_from(["Images", "ImageId", "ResizeMode", "Client", "imageId", "width", "height"])
    objects = st.dictionaries(known | st.text(max_size=8), values, max_size=5).map(
        lambda made: {**fields, **made}
    )
    json_bodies = (values | objects | st.lists(objects, max_size=3)).map(
        lambda made: json.dumps(made).encode()
    )
    multipart = st.binary(max_size=200).map(
        lambda data: b'--x\r\nContent-Disposition: form-data; name="datafile"; filename="\xff"\r\n\r\n' + data
    )
    return json_bodies | multipart | st.binary(max_size=500)


def hostile_paths(path: str) -> st.SearchStrategy[str]:
    """A path, percent-encoded, with anything where it has braces."""
    made_up = (
        st.text(min_size=1, max_size=40)
        | st.integers().map(str)
        | st.sampled_from(["..", ".", "%", "x" * 3000])
    )
    parts = [
        made_up.map(lambda text: quote(text, safe="")) if part.startswith("{") else st.just(part)
        for part in path.split("/")
    ]
    return st.tuples(*parts).map("/".join)


def hostile_queries(dialect: AnyDialect) -> st.SearchStrategy[dict[str, str]]:
    """Queries with the names that the dialect reads and others, and values that are rarely any good."""
    numbers = st.integers().map(str) | st.sampled_from(["0", "-0", "1", "1e9", "9" * 5000, "\u0664", "NaN"])
    anything = st.text(st.characters(), max_size=60)
    known = [*words(dialect), "limit", "offset", "cursor", "sort", "status", "search", "altText"]
    values = numbers | anything | st.sampled_from(known) | st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True)
    read = st.fixed_dictionaries({}, optional={name: values for name in known if name.isidentifier()})
    others = st.dictionaries(anything, values, max_size=3)
    return st.tuples(others, read).map(lambda both: {**both[0], **both[1]})


def hostile_links(prefix: str) -> st.SearchStrategy[str]:
    """Paths below a prefix of delivery links, not encoded."""
    ids = st.uuids().flatmap(lambda id: st.sampled_from([str(id), id.hex, short(id)]))
    anything = st.text(st.characters(), max_size=60)
    parts = st.lists(ids | anything | st.integers().map(str), max_size=4).map("/".join)
    flags = st.integers().map(lambda number: f"flag_{number}.jpg")
    return (ids | parts | flags).map(lambda rest: f"{prefix}/{rest}")


def _pairs(declared: web_api.Endpoint[Struct]) -> list[Endpoint]:
    return [Endpoint(declared.method, path) for path in declared.paths]


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "1", path)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)


def _is_text(node: ast.stmt | None) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
