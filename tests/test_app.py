"""Everything put together."""

from pathlib import Path

from tintype.app import LINK_KEYS, create_app
from tintype.catalogue import CATALOGUE, schema
from tintype.core.runtime.signing import Keyring
from tintype.dialects import discover
from tintype.settings import load


async def test_the_application_is_put_together_without_a_warning(tmp_path: Path) -> None:
    # Warnings are errors in tests; in the service nobody would see them until what they warn of is gone.
    schema.migrate(tmp_path / CATALOGUE)
    Keyring.make(tmp_path / LINK_KEYS)
    assert callable(create_app(load(tmp_path, discover(), {}), discover()))
