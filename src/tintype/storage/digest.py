"""SHA-256 digests, which originals are named by."""

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def is_digest(name: str) -> bool:
    """Whether this is a SHA-256 digest in lower-case hexadecimal, the name of an original."""
    return _DIGEST.match(name) is not None


def digest_of(path: Path) -> str:
    """The SHA-256 digest of a file, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return digest_of_file(file)


def digest_of_file(file: BinaryIO) -> str:
    """The SHA-256 digest of the rest of an open file, in lower-case hexadecimal."""
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it has readinto
