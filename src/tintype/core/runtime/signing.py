"""Signed links: keys, signatures, and their check."""

import hmac
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from tintype.model import Error, Internal
from tintype.storage import durable

MAX_AGE_SECONDS = 0.9
"""The maximum age of the keys in memory when a link is verified: a retired key is refused after a second."""
KEY_BYTES = 32
"""Bytes of a key: the output size of SHA-256, as RFC 2104 recommends."""

log = structlog.get_logger("tintype")


class Key(Struct, frozen=True):
    """A secret that signs links; each link contains its `id`."""

    id: str
    secret: bytes
    created_at: datetime


class Signature(Struct, frozen=True):
    """The signature in a link: the id of its key, and HMAC-SHA256 in 43 base64url characters."""

    key: str
    mac: str


def sign(key: Key, parts: Sequence[str]) -> Signature:
    """Sign the parts of a link: HMAC-SHA256 (RFC 2104) over them, each prefixed by its length in bytes."""
    return Signature(key.id, _mac(key, parts))


def verify(keys: Sequence[Key], parts: Sequence[str], signature: Signature) -> bool:
    """Whether one of the keys made this signature of these parts. Compares in constant time."""
    matching = [key for key in keys if key.id == signature.key]
    return any(hmac.compare_digest(_bytes(_mac(key, parts)), _bytes(signature.mac)) for key in matching)


class Keyring:
    """The keys in a file, oldest first: all of them verify, the newest signs.

    Changes by another process take effect here with the next `reload`. If the file is then missing or
    unreadable, the keys read before stay in use, and `fault` says what is wrong.

    Args:
        path: the file.
        required: False also opens it without keys, for commands that usually sign nothing.

    Raises:
        Internal: when the file is missing or has no keys; if they are not required, only `sign` and `all`
            raise it.
    """

    def __init__(self, path: Path, *, required: bool = True) -> None:
        self._path = path
        self._keys: tuple[Key, ...] = ()
        self._file_identity: tuple[int, int] | None = None
        self._loaded_at = time.monotonic()
        self._reload_lock = threading.Lock()
        self.fault = ""
        self.generation = 0
        """Bumped when a key was added or removed: links verified under an older one are verified again."""
        try:
            self._keys, self._file_identity = _read(path), _file_identity(path)
        except Error as unusable:
            if required:
                raise
            self.fault = str(unusable)

    @classmethod
    def make(cls, path: Path) -> "Keyring":
        """Open the keys in a file; if it is missing, create it with one key, readable by its owner only."""
        with durable.exclusive_lock(path.parent):
            # Another process that starts at the same time may have created it.
            if not path.exists():
                _write(path, (new_key(),))
        return cls(path)

    def sign(self, parts: Sequence[str]) -> Signature:
        """Sign with the newest key."""
        return sign(self.all()[-1], parts)

    def verify(self, parts: Sequence[str], signature: Signature) -> bool:
        """Whether one of the keys in memory made this signature of these parts."""
        return verify(self._keys, parts, signature)

    def is_stale(self) -> bool:
        """Whether the keys in memory are so old that they must be reloaded before a link is verified."""
        return time.monotonic() > self._loaded_at + MAX_AGE_SECONDS

    def all(self) -> tuple[Key, ...]:
        """All keys, oldest first, at least one.

        Raises:
            Internal: when there are none.
        """
        if not self._keys:
            raise Internal(self.fault)
        return self._keys

    def add(self, key: Key) -> None:
        """Add a key, unless it is there; it signs from now on."""
        with durable.exclusive_lock(self._path.parent):
            current = _read(self._path)
            if key not in current:
                self._store((*current, key))

    def remove(self, key_id: str) -> bool:
        """Remove a key, if it is there, which invalidates the links that it signed.

        Returns:
            False when it is the only one, which stays.
        """
        with durable.exclusive_lock(self._path.parent):
            current = _read(self._path)
            remaining = tuple(key for key in current if key.id != key_id)
            if remaining and remaining != current:
                self._store(remaining)
        return bool(remaining)

    def reload(self) -> bool:
        """Read the file again if it was replaced since; blocks on the disk.

        Returns:
            Whether the keys changed.
        """
        now = time.monotonic()
        with self._reload_lock:
            try:
                stamp = _file_identity(self._path)
                is_changed = stamp != self._file_identity
                if is_changed:
                    self._set_keys(_read(self._path), stamp)
                self.fault = ""
            except (OSError, Error) as failed:
                is_changed = False
                self._report_fault(str(failed))
            self._loaded_at = now
        return is_changed

    def _report_fault(self, fault: str) -> None:
        """Keep the keys in memory, and log the fault once."""
        if not self.fault:
            log.error("link-keys-unreadable", reason=fault)
        self.fault = fault

    def _store(self, keys: tuple[Key, ...]) -> None:
        _write(self._path, keys)
        self._set_keys(keys, _file_identity(self._path))

    def _set_keys(self, keys: tuple[Key, ...], stamp: tuple[int, int]) -> None:
        self._keys, self._file_identity = keys, stamp
        self.generation += 1


def replace_broken_keys(path: Path) -> bool:
    """Create new keys where the file is missing or unreadable; an unreadable one is renamed to `….broken`.

    Returns:
        False when the keys are readable; they are left as they are.
    """
    with durable.exclusive_lock(path.parent):
        try:
            _read(path)
        except Error:
            if path.exists():
                path.replace(path.with_name(f"{path.name}.broken"))
            _write(path, (new_key(),))
            return True
        return False


def _mac(key: Key, parts: Sequence[str]) -> str:
    message = b"".join(len(part).to_bytes(4) + part for part in map(_bytes, parts))
    # Not hmac.digest(): it releases the GIL, and waiting to get it back takes a hundred times as long as the
    # digest itself.
    digest = hmac.new(key.secret, message, "sha256").digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """UTF-8; lone surrogates, which a request may contain, match nothing but must not raise."""
    return text.encode("utf-8", "surrogatepass")


def new_key() -> Key:
    """A new key; it signs nothing until it is added."""
    return Key(secrets.token_hex(4), secrets.token_bytes(KEY_BYTES), datetime.now(UTC))


def _write(path: Path, keys: tuple[Key, ...]) -> None:
    with durable.storage_errors():
        durable.write_private(path, msgspec.json.encode(keys))


def _read(path: Path) -> tuple[Key, ...]:
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=tuple[Key, ...])
    except FileNotFoundError as missing:
        raise _unusable(f"{path} is missing.") from missing
    except msgspec.DecodeError as broken:
        raise _unusable(f"{path} holds no keys: {broken}.") from broken
    if not keys:
        raise _unusable(f"{path} holds no keys.")
    return keys


def _unusable(what: str) -> Error:
    return Internal(
        f"{what} Without its keys no signed link that was given out opens: restore it from a backup, "
        "or make new keys with `tintype serve --new-keys`.",
    )


def _file_identity(path: Path) -> tuple[int, int]:
    """What distinguishes any two files that were written to this path."""
    info = path.stat()
    return info.st_ino, info.st_mtime_ns
