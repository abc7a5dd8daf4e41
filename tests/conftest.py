"""The service as tests meet it: a real process, real files, real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.removed import names_removed
from tests.running import Running, running

# One profile for all: a loaded machine is slow at any moment, which says nothing of what is tested.
settings.register_profile(
    "tintype",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("tintype")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the tests that need a dialect whose folder was removed; None: as pytest decides."""
    return names_removed(collection_path) or None


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running `tintype demo`, shared: a test that needs a place of its own makes up its own names."""
    with running(tmp_path_factory.mktemp("demo") / "library", "demo") as service:
        yield service


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start `tintype serve` on a data folder (None: a new one) with settings as `TINTYPE_…="…"`."""
    with ExitStack() as stack:

        def start(data: Path | None = None, **env: str) -> Running:
            return stack.enter_context(running(data or tmp_path / "library", "serve", env))

        yield start
