"""Every dialect delivers only images published through it, and accepts one spelling of a signed link."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest

from tests import pictures
from tests.dialects import conformance, linking
from tests.dialects.conformance import DIALECTS, Endpoint
from tests.dialects.linking import Reply, Subject, fetch, respelled
from tests.running import Running, run_cli, running
from tests.web.asgi_client import open_client
from tintype.app import LINK_KEYS
from tintype.core.runtime.signing import Keyring
from tintype.dialects import AnyDialect
from tintype.model import Kind

ACCOUNT = "gallery"
PROMISED_SECONDS = 1.0
BOTH = 12
"""Connections that are sure to come to both workers: all but one in 2,048 times."""
NAMES = [dialect.name for dialect in DIALECTS]

every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=NAMES)
either = pytest.mark.parametrize(
    "dialect", [each for each in DIALECTS if each.links], ids=lambda dialect: dialect.name
)

Soon = Callable[[Sequence[str], Reply], None]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two workers, and an account that has an image and no token."""
    folder = tmp_path_factory.mktemp("publication")
    (folder / "Corners.PNG").write_bytes(pictures.encode(pictures.corners(60, 40), "png"))
    run_cli(folder / "library", "import", "--account", ACCOUNT, str(folder / "Corners.PNG"))
    env = {"TINTYPE_WEB_WORKERS": "2", "TINTYPE_LIMITS_NEW_RENDITIONS": "100000"}
    with running(folder / "library", "serve", env) as started:
        yield started


@pytest.fixture(scope="module")
def keyring(service: Running) -> Keyring:
    return Keyring(service.data / LINK_KEYS)


@pytest.fixture(scope="module")
def image(service: Running) -> Subject:
    return linking.subject(service.data, ACCOUNT)


@pytest.fixture(scope="module")
def ghost(image: Subject) -> Subject:
    """An image that there isn't."""
    return replace(image, id=uuid4(), number=image.number + 1000)


@pytest.fixture
def soon(service: Running) -> Soon:
    """Claims that within a second from now both workers answer links so, though they are asked all along."""

    def assert_soon(links: Sequence[str], expected: Reply) -> None:
        until = time.monotonic() + PROMISED_SECONDS
        while time.monotonic() < until:
            fetch(service.base_url, links[0])
        assert {fetch(service.base_url, link) for link in links for _ in range(BOTH)} == {expected}

    return assert_soon


def statuses(service: Running, links: Sequence[str], times: int = BOTH) -> set[int]:
    return {fetch(service.base_url, link).status for link in links for _ in range(times)}


@every_dialect
def test_what_is_not_published_answers_as_what_is_not_there(
    service: Running, keyring: Keyring, image: Subject, ghost: Subject, soon: Soon, dialect: AnyDialect
) -> None:
    service.publish(ACCOUNT, *(name for name in NAMES if name != dialect.name))
    links, nowhere = (linking.sample_links(dialect, each, keyring) for each in (image, ghost))
    soon(links[:1], fetch(service.base_url, nowhere[0]))
    for link, none in zip(links, nowhere, strict=True):
        for headers in ({}, {"If_None_Match": "*"}, {"Range": "bytes=0-9"}):
            for method in ("GET", "HEAD"):
                found = fetch(service.base_url, link, method, **headers)
                assert found.status == 404
                assert found == fetch(service.base_url, none, method, **headers)


@every_dialect
def test_what_is_published_opens_until_it_is_not_any_more(
    service: Running, keyring: Keyring, image: Subject, ghost: Subject, soon: Soon, dialect: AnyDialect
) -> None:
    service.publish(ACCOUNT, dialect.name)
    links, nowhere = (linking.sample_links(dialect, each, keyring) for each in (image, ghost))
    # Three times and more at each worker: by then it is hot.
    assert statuses(service, links, 2 * BOTH) == {200}
    service.publish(ACCOUNT)
    soon(links, fetch(service.base_url, nowhere[0]))
    service.publish(ACCOUNT, dialect.name)
    assert statuses(service, links) == {200}


@either
def test_where_links_are_signed_plain_ones_open_nothing(
    service: Running, keyring: Keyring, image: Subject, ghost: Subject, soon: Soon, dialect: AnyDialect
) -> None:
    service.publish(ACCOUNT, dialect.name)
    plain, signed = linking.plain(dialect, image), linking.signed(dialect, image, keyring)
    assert statuses(service, [*plain, *signed], 2 * BOTH) == {200}
    service.cli("account", "links", ACCOUNT, dialect.name, "signed")
    soon(plain, fetch(service.base_url, linking.plain(dialect, ghost)[0]))
    assert statuses(service, signed) == {200}
    service.cli("account", "links", ACCOUNT, dialect.name, "default")
    assert statuses(service, [*plain, *signed]) == {200}


@every_dialect
def test_a_signed_link_has_one_spelling(
    service: Running, keyring: Keyring, image: Subject, dialect: AnyDialect
) -> None:
    service.publish(ACCOUNT, dialect.name)
    if dialect.links:
        service.cli("account", "links", ACCOUNT, dialect.name, "signed")
    for link in linking.signed(dialect, image, keyring):
        others = respelled(link)
        assert link not in others
        # Hot in both workers, so that no spelling finds what is ready for another.
        assert statuses(service, [link], 2 * BOTH) == {200}
        refused = {400, 403, 404}
        assert {other for other in others if fetch(service.base_url, other).status not in refused} == set()


@pytest.mark.parametrize("dialect", conformance.WITH_API, ids=lambda dialect: dialect.name)
def test_an_api_that_would_hand_out_dead_links_refuses(service: Running, dialect: AnyDialect) -> None:
    own = conformance.admission(service, dialect)
    content, headers = msgspec.json.encode(own.fields), {"Content-Type": "application/json", **own.headers}

    def ask(endpoint: Endpoint) -> httpx.Response:
        url = service.base_url + endpoint.path
        return httpx.request(endpoint.method, url, content=content, headers=headers, timeout=60)

    for endpoint in conformance.endpoints(dialect):
        service.publish("demo", *(name for name in NAMES if name != dialect.name))
        conformance.assert_says(dialect, Kind.FORBIDDEN, ask(endpoint))
        service.publish("demo", dialect.name)
        assert ask(endpoint).status_code not in {401, 403}


@every_dialect
async def test_dialects_that_are_not_served_are_not_there(tmp_path: Path, dialect: AnyDialect) -> None:
    async with open_client(tmp_path, TINTYPE_WEB_DIALECTS=dialect.name) as client:
        for each in DIALECTS:
            for endpoint in conformance.endpoints(each):
                answer = await client.request(endpoint.path, endpoint.method)
                assert (answer.status == 404) == (each is not dialect)
                # Of others not even their voice is left.
                assert each is dialect or answer.headers["content-type"] == "application/problem+json"
