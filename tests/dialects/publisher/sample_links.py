"""Sample links of this dialect, for the tests that every dialect must pass."""

from tests.dialects.linking import Subject
from tintype.core.runtime.signing import Keyring
from tintype.dialects.publisher.links import SIGNED_FOR, Link, write
from tintype.web.signatures import append


def plain(subject: Subject) -> list[str]:
    """Plain links to an image."""
    return [write(Link(subject.number, subject.extension, thumbnail)) for thumbnail in (False, True)]


def signed(subject: Subject, keyring: Keyring) -> list[str]:
    """Signed links to it."""
    return [append(keyring, SIGNED_FOR, address) for address in plain(subject)]
