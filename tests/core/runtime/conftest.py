import pytest

from tests.core.runtime.seconds import Seconds


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()
