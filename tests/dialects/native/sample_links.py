"""Sample links of this dialect, for the tests that every dialect must pass."""

from datetime import UTC, datetime

from tests.dialects.linking import Subject
from tintype.core.runtime.signing import Keyring
from tintype.dialects.native.links import Link, write
from tintype.imaging import Mode, Recipe


def signed(subject: Subject, keyring: Keyring) -> list[str]:
    """Signed links to an image, that end or don't."""
    recipes = [None, Recipe(width=30).normal(), Recipe(mode=Mode.COVER_EXACT, width=40, height=20, auto=True)]
    ends = [None, int(datetime.now(UTC).timestamp()) + 3600]
    links = [Link(subject.id, subject.version, recipe, end) for recipe in recipes for end in ends]
    return [write(link, keyring.sign(link.parts())) for link in links]
