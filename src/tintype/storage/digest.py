"""SHA-256 digests, as originals are named by them."""

import hashlib
import re
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def is_digest(name: str) -> bool:
    """Whether this is how an original is named."""
    return _DIGEST.match(name) is not None


def digest_of(path: Path) -> str:
    """The digest of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
