"""One library for all of these tests, served by a real process."""

from collections.abc import Iterator

import httpx
import pytest

from tests.dialects.publisher.library import Library, make
from tests.running import running


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    data = tmp_path_factory.mktemp("publisher") / "library"
    made = make(data)
    with running(data, "serve") as service, httpx.Client(timeout=60) as http:
        yield Library(service.base_url, data, http, **made)
