"""Every dialect follows the common rules and survives hostile requests."""

import itertools
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialects import conformance
from tests.dialects.conformance import DIALECTS, FITTING, METHODS, WITH_API, Endpoint, Pass
from tests.errors import RENDERED, an_error, errors
from tests.running import Running, running
from tintype.core.runtime.signing import Keyring
from tintype.dialects import AnyDialect, LinkContext
from tintype.model import Error, Kind
from tintype.web.dialect_routes import RequestTarget
from tintype.web.errors import STATUS, to_error

every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
every_api = pytest.mark.parametrize("dialect", WITH_API, ids=lambda dialect: dialect.name)
moderately = settings(max_examples=40)

NOW = datetime(2030, 1, 1, tzinfo=UTC)

HOSTILE_HEADERS: list[dict[bytes, bytes]] = [
    {b"Accept": b"\xff\xfe\x80"},
    {b"Accept": b";;;q=,/,*/;q=nan,application/xml;q=1e999,application/json;q=-1"},
    {b"Accept": b"text/html"},
    {b"Accept": b"*/*," * 2000},
    {b"Authorization": b"Bearer " + b"x" * 8192},
    {b"Authorization": b"x" * 8192},
    {b"Authorization": b"Bearer"},
    {b"Authorization": b"Bearer \xe9\xff"},
    {b"Authorization": b"Basic Og=="},
    {b"X-Authorization": b"\x80" * 100},
    {b"Content-Type": b"\xff/\xfe; charset=\xfd"},
    {b"Content-Type": b"multipart/form-data; boundary=" + b"x" * 5000},
    {b"Content-Type": b'multipart/form-data; boundary="\xff'},
    {b"Content-Type": b"application/json; charset=no-such-charset"},
    {b"Content-Disposition": b"attachment; filename*=no-such-charset''%FF; filename=\xff"},
    {b"Smartsheet-Integration-Source": b"\xff,,,"},
    {b"Host": b"\xff:99999999"},
    {b"Host": b""},
    {b"Cookie": b"=;=;\xff"},
    {b"Range": b"bytes=-" + b"9" * 4000},
    {b"If-Modified-Since": b"Thu, 99 Foo 99999 99:99:99 GMT"},
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that lets everybody ask as often as they like."""
    env = {f"TINTYPE_{dialect.name.upper()}_REQUESTS": "0" for dialect in WITH_API}
    env["TINTYPE_IMAGES_MAX_BYTES"] = str(conformance.MAX_ORIGINAL)
    with running(tmp_path_factory.mktemp("conformance") / "library", "serve", env) as started:
        yield started


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that answers one request of each token."""
    env = {f"TINTYPE_{dialect.name.upper()}_REQUESTS": "1" for dialect in WITH_API}
    with running(tmp_path_factory.mktemp("limited") / "library", "serve", env) as started:
        yield started


@pytest.fixture(scope="module")
def http(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.base_url, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def passes(service: Running) -> dict[str, Pass]:
    """What lets a request in, by dialect."""
    return {dialect.name: conformance.admission(service, dialect) for dialect in WITH_API}


@pytest.fixture(scope="module")
def link_context(tmp_path_factory: pytest.TempPathFactory) -> LinkContext:
    """What signed links are checked with, at a fixed time."""
    return LinkContext(Keyring.make(tmp_path_factory.mktemp("keys") / "link-keys.json"), lambda: NOW)


# The record and the folder.


def test_there_are_dialects() -> None:
    assert DIALECTS


@every_dialect
def test_folders_have_the_same_files(dialect: AnyDialect) -> None:
    present = {path.stem for path in conformance.folder(dialect).iterdir()}
    required = conformance.FILES | (conformance.API_FILES if dialect.api else set())
    assert required <= present
    assert dialect.api is not None or present.isdisjoint(conformance.API_FILES)


@every_dialect
def test_the_name_is_the_folders(dialect: AnyDialect) -> None:
    assert conformance.module(dialect, "links").__name__ == f"tintype.dialects.{dialect.name}.links"
    assert dialect.settings is conformance.module(dialect, "settings").Settings
    if dialect.api is not None:
        assert dialect.render_error is conformance.module(dialect, "wire").render_error


@every_dialect
def test_every_link_grammar_has_the_same_three_names(dialect: AnyDialect) -> None:
    assert {"Link", "write", "parse"} <= set(vars(conformance.module(dialect, "links")))


@every_dialect
def test_every_setting_is_explained(dialect: AnyDialect) -> None:
    assert conformance.undocumented(dialect) == []


@every_dialect
def test_every_default_is_a_finite_number_above_zero(dialect: AnyDialect) -> None:
    defaults = msgspec.to_builtins(dialect.settings())
    if dialect.api is not None:
        assert {"requests", "window_seconds", "max_body_bytes"} <= set(defaults)
    for name, value in defaults.items():
        if isinstance(value, str):
            # One of several words, no bound.
            continue
        assert isinstance(value, int | float), name
        assert math.isfinite(value), name
        # A pace may be without a limit where the vendor names none; nothing else may.
        assert value > 0 or (name == "requests" and value == 0), name


@every_dialect
def test_a_misspelt_setting_is_refused(dialect: AnyDialect) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"no_such_setting": 1}, dialect.settings)


@every_dialect
def test_every_path_lies_under_a_prefix(dialect: AnyDialect, link_context: LinkContext) -> None:
    paths = [endpoint.path for endpoint in conformance.endpoints(dialect)]
    if dialect.api is not None:
        paths += [path for public in dialect.api.public_endpoints for path in public.paths]
    link_parsers = dialect.link_parsers(link_context, dialect.settings())
    assert bool(paths) == (dialect.api is not None)
    assert link_parsers
    assert [
        path for path in [*paths, *link_parsers] if not conformance.lies_under(dialect.prefixes, path)
    ] == []


def test_no_two_dialects_claim_the_same_paths() -> None:
    for one, other in itertools.permutations(DIALECTS, 2):
        assert [prefix for prefix in one.prefixes if conformance.lies_under(other.prefixes, prefix)] == []


@every_api
def test_an_endpoint_of_a_dialect_with_scopes_requires_one(dialect: AnyDialect) -> None:
    api = conformance.api(dialect)
    if api.scopes:
        assert [each.paths for each in api.endpoints if each.scope is None] == []


@every_api
def test_what_is_served_ahead_of_the_framework_is_posted_to_plain_paths(dialect: AnyDialect) -> None:
    raw = [each for each in conformance.api(dialect).endpoints if each.raw]
    assert {each.method for each in raw} <= {"POST"}
    assert [path for path in conformance.raw_paths(dialect) if "{" in path] == []


# The voice.


def test_every_kind_of_error_has_fitting_statuses() -> None:
    assert set(FITTING) == set(STATUS) == set(RENDERED)


@every_dialect
@pytest.mark.parametrize("accept", ["", "application/json", "application/xml", "image/*", "\xff;q=\xfe"])
@pytest.mark.parametrize("kind", RENDERED)
def test_the_voice_says_every_error(dialect: AnyDialect, kind: Kind, accept: str) -> None:
    sentence = "A sentence with <\"&'>, \x00, 🦊."
    for error in errors(kind, sentence):
        rendered = dialect.render_error(error, conformance.asked(accept))
        assert rendered.status in FITTING[kind]
        assert conformance.names(rendered.media_type, rendered.body)
        assert all(text.isascii() and text.isprintable() for text in rendered.headers.values())


@every_dialect
def test_the_voice_says_when_to_come_back(dialect: AnyDialect) -> None:
    for kind in (Kind.TOO_MANY_REQUESTS, Kind.OVERLOADED, Kind.INSUFFICIENT_STORAGE):
        rendered = dialect.render_error(an_error(kind), conformance.asked())
        expected = "30" if kind is Kind.INSUFFICIENT_STORAGE else "7"
        assert {name.lower(): value for name, value in rendered.headers.items()}["retry-after"] == expected


@every_dialect
def test_nothing_of_the_inside_gets_out(dialect: AnyDialect) -> None:
    context = conformance.asked()
    raised = RuntimeError("secret: /srv/tintype/catalogue.sqlite3")
    rendered = dialect.render_error(to_error(raised, context), context)
    assert rendered.status == 500
    assert not [
        word for word in (b"secret", b"sqlite", b"Traceback", b"RuntimeError") if word in rendered.body
    ]


# Over the wire.


@every_api
def test_without_a_token_nobody_comes_in(dialect: AnyDialect, http: httpx.Client) -> None:
    for endpoint in conformance.endpoints(dialect):
        response = _ask(http, endpoint, b"{}")
        assert response.status_code == 401, endpoint
        conformance.assert_says(dialect, Kind.NO_TOKEN, response)


@every_api
def test_a_token_of_another_dialect_lets_nobody_in(
    dialect: AnyDialect, http: httpx.Client, passes: dict[str, Pass]
) -> None:
    others = [passes[other.name].headers for other in WITH_API if other.name != dialect.name]
    for endpoint, headers in itertools.product(conformance.endpoints(dialect), others):
        assert _ask(http, endpoint, b"{}", headers).status_code == 401, (endpoint, headers)


@every_api
def test_a_token_without_the_scope_is_refused_before_the_body_is_read(
    dialect: AnyDialect, service: Running
) -> None:
    scopes = conformance.api(dialect).scopes
    for scope in scopes if len(scopes) > 1 else ():
        own = conformance.admission(service, dialect, [other for other in scopes if other != scope])
        # No body is sent: it would be asked for with "100 Continue".
        headers = {**own.headers, "Content-Length": "7", "Expect": "100-continue"}
        for endpoint in conformance.refusing(dialect, scope=scope):
            conformance.assert_says(
                dialect, Kind.FORBIDDEN, conformance.sent_without_body(service.base_url, endpoint, headers)
            )


@every_api
def test_a_token_of_a_role_that_may_not_is_refused(
    dialect: AnyDialect, service: Running, http: httpx.Client
) -> None:
    for role in conformance.api(dialect).roles:
        own = conformance.admission(service, dialect, roles=[role])
        for endpoint in conformance.refusing(dialect, role=role):
            conformance.assert_says(dialect, Kind.FORBIDDEN, _ask(http, endpoint, b"{}", own.headers))


@every_api
def test_endpoints_name_some_of_the_roles_that_there_are(dialect: AnyDialect) -> None:
    api = conformance.api(dialect)
    for each in api.endpoints:
        assert each.roles is None or set() < each.roles < set(api.roles)


@every_api
def test_every_endpoint_counts_against_the_limit_of_its_token(dialect: AnyDialect, limited: Running) -> None:
    own = conformance.admission(limited, dialect)
    body = msgspec.json.encode(own.fields)
    with httpx.Client(base_url=limited.base_url, timeout=60) as http:
        for endpoint in conformance.endpoints(dialect):
            for _ in range(2):
                response = _ask(http, endpoint, body, own.headers)
            conformance.assert_says(dialect, Kind.TOO_MANY_REQUESTS, response)
            assert int(response.headers["Retry-After"]) > 0


@every_api
def test_with_a_token_everybody_comes_in(
    dialect: AnyDialect, http: httpx.Client, passes: dict[str, Pass]
) -> None:
    """Otherwise the claims here about what happens behind the door would claim nothing."""
    own = passes[dialect.name]
    for endpoint in conformance.endpoints(dialect):
        response = _ask(http, endpoint, msgspec.json.encode(own.fields), own.headers)
        assert response.status_code not in {401, 403}, endpoint


@every_dialect
@pytest.mark.parametrize("path", ["/no-such-thing", "/no/such/thing", "//", "/%00", "/%ff", "/" + "x" * 4000])
def test_an_unknown_path_is_not_found_in_the_dialects_voice(
    dialect: AnyDialect, http: httpx.Client, link_context: LinkContext, path: str
) -> None:
    for prefix in dialect.prefixes:
        conformance.assert_says(dialect, Kind.NOT_FOUND, http.get(prefix + path))
    for prefix in dialect.link_parsers(link_context, dialect.settings()):
        response = http.get(prefix + path)
        # Where links are signed, one that we never wrote may sound like one that was changed.
        kind = Kind.FORBIDDEN if response.status_code == 403 else Kind.NOT_FOUND
        conformance.assert_says(dialect, kind, response)


@every_api
def test_a_wrong_method_is_refused_in_the_dialects_voice(dialect: AnyDialect, http: httpx.Client) -> None:
    known = conformance.endpoints(dialect)
    for path in {endpoint.path for endpoint in known}:
        right = {endpoint.method for endpoint in known if endpoint.path == path}
        for method in [*METHODS, "PURGE"]:
            if method not in right:
                conformance.assert_says(dialect, Kind.METHOD_NOT_ALLOWED, http.request(method, path))


@every_api
def test_endpoints_without_the_framework_say_their_methods(dialect: AnyDialect, http: httpx.Client) -> None:
    ends = ("", "/") if dialect.trailing_slash else ("",)
    for path in [path + end for path in conformance.raw_paths(dialect) for end in ends]:
        allowed = http.options(path)
        assert (allowed.status_code, allowed.content) == (204, b"")
        for answer in (allowed, http.get(path), http.request("PURGE", path)):
            assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


@every_api
def test_every_answer_has_a_request_id_of_its_own(
    dialect: AnyDialect, http: httpx.Client, passes: dict[str, Pass]
) -> None:
    own = passes[dialect.name]
    answers = [http.get(prefix + path) for prefix in dialect.prefixes for path in ("", "/", "/x")]
    for endpoint in conformance.endpoints(dialect):
        answers += [http.request(method, endpoint.path) for method in (*METHODS, "HEAD", "OPTIONS")]
        answers.append(_ask(http, endpoint, msgspec.json.encode(own.fields), own.headers))
    ids = [answer.headers.get("Request-Id") for answer in answers]
    assert None not in ids
    assert len(set(ids)) == len(ids)


@every_api
@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "image/png"])
def test_a_huge_body_is_refused_with_an_answer(
    dialect: AnyDialect,
    service: Running,
    passes: dict[str, Pass],
    content_type: str,
    chunked: bool,  # noqa: FBT001  a parameter
) -> None:
    for endpoint in conformance.endpoints(dialect):
        for own in (passes[dialect.name], Pass()):
            if endpoint.method in {"POST", "PUT", "PATCH"}:
                headers = {"Content-Type": content_type, **own.headers}
                chunks = {"Transfer-Encoding": "chunked"} if chunked else {}
                # Who names no token in the head is a stranger, and no more of his body is read.
                size = conformance.TOO_MUCH if own.headers else conformance.TOO_MUCH_OF_A_STRANGER
                response = conformance.posted_stubbornly(
                    service.base_url, endpoint, headers | chunks, size, chunked=chunked
                )
                # What the path names is made up, and may be missed before the body is read.
                kind = {401: Kind.NO_TOKEN, 404: Kind.NOT_FOUND}.get(response.status_code, Kind.TOO_LARGE)
                conformance.assert_says(dialect, kind, response)


@every_api
@pytest.mark.parametrize("deep", conformance.TOO_DEEP, ids=lambda deep: repr(deep[:12]))
def test_json_that_is_far_too_deep_is_refused(
    dialect: AnyDialect, http: httpx.Client, passes: dict[str, Pass], deep: bytes
) -> None:
    for endpoint in conformance.endpoints(dialect):
        response = _ask(http, endpoint, deep, passes[dialect.name].headers)
        assert response.status_code < 500, (endpoint, response.text)


@every_api
@given(data=st.data())
@moderately
def test_no_body_brings_the_service_down(
    dialect: AnyDialect, http: httpx.Client, passes: dict[str, Pass], data: st.DataObject
) -> None:
    own = passes[dialect.name]
    endpoint = data.draw(st.sampled_from(conformance.endpoints(dialect)))
    body = data.draw(conformance.hostile_bodies(own.fields))
    content_type = data.draw(
        st.sampled_from(["application/json", "multipart/form-data; boundary=x", "image/png", "text/plain"])
    )
    response = http.request(
        endpoint.method, endpoint.path, content=body, headers={**own.headers, "Content-Type": content_type}
    )
    assert response.status_code < 500, response.text


@every_api
@given(data=st.data())
@moderately
def test_no_path_and_no_query_brings_the_service_down(
    dialect: AnyDialect, http: httpx.Client, passes: dict[str, Pass], data: st.DataObject
) -> None:
    own = passes[dialect.name]
    template = data.draw(st.sampled_from(conformance.templates(dialect)))
    path = data.draw(conformance.hostile_paths(template.path))
    query = _encoded(data.draw(conformance.hostile_queries(dialect)))
    endpoint = Endpoint(template.method, f"{path}?{query}")
    response = _ask(http, endpoint, msgspec.json.encode(own.fields), own.headers)
    assert response.status_code < 500, response.text
    assert response.headers["Request-Id"]


@every_api
@pytest.mark.parametrize("hostile", HOSTILE_HEADERS, ids=lambda each: repr(each)[:50])
def test_no_header_brings_the_service_down(
    dialect: AnyDialect, http: httpx.Client, passes: dict[str, Pass], hostile: dict[bytes, bytes]
) -> None:
    own = passes[dialect.name]
    admitted = {name.encode(): value.encode() for name, value in own.headers.items()}
    for endpoint in conformance.endpoints(dialect):
        for headers in (hostile, admitted | hostile):
            content = msgspec.json.encode(own.fields)
            response = http.request(
                endpoint.method, endpoint.path, content=content, headers=list(headers.items())
            )
            assert response.status_code < 500, (endpoint, response.text)


# Links.


@every_dialect
@given(data=st.data())
@settings(max_examples=300)
def test_no_link_makes_the_grammar_stumble(
    dialect: AnyDialect, link_context: LinkContext, data: st.DataObject
) -> None:
    link_parsers = dialect.link_parsers(link_context, dialect.settings())
    prefix = data.draw(st.sampled_from(sorted(link_parsers)))
    path, query = (
        data.draw(conformance.hostile_links(prefix)),
        data.draw(conformance.hostile_queries(dialect)),
    )
    # It is read, or refused in the one vocabulary of errors.
    with suppress(Error):
        link_parsers[prefix](RequestTarget(f"{quote(path, errors='surrogatepass')}?{_encoded(query)}"))


@every_dialect
@given(data=st.data())
@moderately
def test_no_link_brings_the_service_down(
    dialect: AnyDialect, http: httpx.Client, link_context: LinkContext, data: st.DataObject
) -> None:
    prefix = data.draw(st.sampled_from(sorted(dialect.link_parsers(link_context, dialect.settings()))))
    path = quote(data.draw(conformance.hostile_links(prefix)), errors="surrogatepass")
    response = http.get(f"{path}?{_encoded(data.draw(conformance.hostile_queries(dialect)))}")
    assert 400 <= response.status_code < 500, response.text
    assert conformance.names(response.headers["Content-Type"], response.content)
    assert response.headers["Request-Id"]


def _ask(
    http: httpx.Client, endpoint: Endpoint, body: bytes, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """A request to an endpoint; where one is usual with a body, as JSON."""
    if endpoint.method in {"GET", "DELETE"}:
        return http.request(endpoint.method, endpoint.path, headers=headers)
    sent = {"Content-Type": "application/json", **(headers or {})}
    return http.request(endpoint.method, endpoint.path, content=body, headers=sent)


def _encoded(query: Mapping[str, str]) -> str:
    return urlencode(query, errors="surrogatepass")
