"""Sample links of this dialect, for the tests that every dialect must pass."""

from tests.dialects.linking import Subject
from tintype.core.runtime.signing import Keyring
from tintype.dialects.mews.links import SIGNED_FOR, Link, write
from tintype.imaging import Mode
from tintype.web.signatures import append


def plain(subject: Subject) -> list[str]:
    """Plain links to an image."""
    sizes = [(None, None), (30, None), (40, 20)]
    return [write(Link(subject.id, mode, *size)) for mode in (Mode.FIT, Mode.COVER_EXACT) for size in sizes]


def signed(subject: Subject, keyring: Keyring) -> list[str]:
    """Signed links to it."""
    return [append(keyring, SIGNED_FOR, address) for address in plain(subject)]
