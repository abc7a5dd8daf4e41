"""Files copied with their digest: what arrives is what was meant, or nothing arrives."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

CHUNK = 1024 * 1024


class DigestMismatch(Exception):  # noqa: N818  it is a finding about a file
    """The bytes of a file are not those that its digest says."""


def copy_verified(source: Path, temporary: Path, target: Path, sha256: str) -> None:
    """Copy a file, readable by its owner only. Its bytes survive a power cut; sync its folder for its name.

    Args:
        source: what to copy.
        draft: where it is written; on the file system of the target.
        target: where it then is, whole or not at all.
        sha256: the digest that it must have.

    Raises:
        Damaged: when it has another; nothing is left then.
    """
    try:
        _copy(source, temporary, sha256)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _copy(source: Path, temporary: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb", buffering=0) as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[writer.write(view) :]
        os.fsync(writer.fileno())
    if digest.hexdigest() != sha256:
        raise DigestMismatch(str(source))
