"""Clients of the running demo."""

from collections.abc import Iterator

import httpx
import pytest

from tests.dialects.evotor.client import Client, new_name
from tests.running import Running


@pytest.fixture(scope="session")
def http(demo: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.base_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def token(demo: Running) -> str:
    """A token of its own for each module: 1000 requests a minute."""
    return demo.token("evotor", "shopkeepers")


@pytest.fixture(scope="module")
def stranger(demo: Running) -> str:
    """The token of another account."""
    return demo.token("evotor", "strangers")


@pytest.fixture
def evotor(http: httpx.Client, token: str) -> Client:
    """At a product that has no image, in a store that is nobody's yet."""
    return Client(http, token, new_name(), new_name())
