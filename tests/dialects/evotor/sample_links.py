"""Sample links of this dialect, for the tests that every dialect must pass."""

from tests.dialects.linking import Subject
from tintype.core.runtime.signing import Keyring
from tintype.dialects.evotor.links import Link, write


def signed(subject: Subject, keyring: Keyring) -> list[str]:
    """Signed links to an image."""
    link = Link(subject.id, subject.version)
    return [write(link, keyring.sign(link.parts()))]
