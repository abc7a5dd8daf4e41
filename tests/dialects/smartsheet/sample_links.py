"""Sample links of this dialect, for the tests that every dialect must pass."""

from datetime import UTC, datetime

from tests.dialects.linking import Subject
from tintype.core.runtime.signing import Keyring
from tintype.dialects.smartsheet.links import Link, Size, expiry, write


def signed(subject: Subject, keyring: Keyring) -> list[str]:
    """Signed links to an image."""
    ends = expiry(datetime.now(UTC), 3600)
    links = [Link(subject.id, subject.version, ends, size) for size in (None, Size(30, 20), Size(9, 9))]
    return [write(link, keyring.sign(link.parts())) for link in links]
