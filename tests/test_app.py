"""Everything put together."""

from pathlib import Path

from tintype.app import CATALOGUE, create_app
from tintype.catalogue import schema
from tintype.dialects import discover
from tintype.settings import load


async def test_the_application_is_put_together_without_a_warning(tmp_path: Path) -> None:
    # Warnings are errors in tests; in the service nobody would see them until what they warn of is gone.
    schema.migrate(tmp_path / CATALOGUE)
    assert callable(create_app(load(tmp_path, discover(), {}), discover()))
