"""A service for these tests, and its clients."""

from collections.abc import Iterator

import httpx
import pytest

from tests.dialects.smartsheet import client
from tests.running import Running, running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that lets its clients ask as often as they like: an upload counts as ten requests."""
    data = tmp_path_factory.mktemp("smartsheet") / "library"
    with running(data, "serve", {"TINTYPE_SMARTSHEET_REQUESTS": "0"}) as started:
        yield started


@pytest.fixture(scope="session")
def http(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.base_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def sheets(service: Running, http: httpx.Client) -> client.Client:
    return client.Client(http, service.token("smartsheet", "sheets"))


@pytest.fixture(scope="session")
def stranger(service: Running, http: httpx.Client) -> client.Client:
    """A client of another account."""
    return client.Client(http, service.token("smartsheet", "other sheets"))
