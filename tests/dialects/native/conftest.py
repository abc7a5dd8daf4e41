"""Clients of the native dialect, in a separate account."""

from collections.abc import Iterator

import httpx
import pytest

from tests.running import Running

ACCOUNT = "native tests"


@pytest.fixture(scope="session")
def client(demo: Running) -> Iterator[httpx.Client]:
    """A client with a token that may do everything."""
    with as_caller(demo, demo.token("native", ACCOUNT, person="Zoë Ørsted")) as found:
        yield found


@pytest.fixture(scope="session")
def reader(demo: Running) -> Iterator[httpx.Client]:
    """A client of the same account that may only read."""
    with as_caller(demo, demo.token("native", ACCOUNT, scope=["images:read"])) as found:
        yield found


@pytest.fixture(scope="session")
def anyone(demo: Running) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=demo.base_url) as found:
        yield found


def as_caller(service: Running, token: str) -> httpx.Client:
    return httpx.Client(base_url=service.base_url, headers={"Authorization": f"Bearer {token}"})
