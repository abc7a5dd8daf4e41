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

from tintype.model import Error, Kind
from tintype.storage import durable

MAX_AGE_SECONDS = 0.9
"""How old the keys in memory may be when a link is verified: a retired key opens nothing after a second."""
KEY_BYTES = 32
"""Bytes of a key: as many as SHA-256 puts out, as RFC 2104 advises."""

log = structlog.get_logger("tintype")


class Key(Struct, frozen=True):
    """A secret for signing links; `id` is written into each link."""

    id: str
    secret: bytes
    created_at: datetime


class Signature(Struct, frozen=True):
    """A signature as it stands in a link: which key, and 43 base64url characters of HMAC-SHA256."""

    key: str
    mac: str


def sign(key: Key, parts: Sequence[str]) -> Signature:
    """Sign the parts of a link: HMAC-SHA256 (RFC 2104) over the parts, each led by its length in bytes."""
    return Signature(key.id, _mac(key, parts))


def verify(keys: Sequence[Key], parts: Sequence[str], signature: Signature) -> bool:
    """Whether one of the keys made this signature of these parts. Takes the same time for every wrong one."""
    matching = [key for key in keys if key.id == signature.key]
    return any(hmac.compare_digest(_bytes(_mac(key, parts)), _bytes(signature.mac)) for key in matching)


class Keyring:
    """The keys in a file, oldest first: all of them verify, the newest signs.

    What another process added or removed counts here as soon as somebody calls `reload`. A file that vanishes
    or breaks meanwhile changes nothing: the keys read last stay, and `fault` says what is wrong.

    Args:
        path: the file.
        required: False opens it without keys too, for work that most likely signs nothing.

    Raises:
        Error: INTERNAL when the file is missing or holds no keys; if they are not required, whoever asks for
            one.
    """

    def __init__(self, path: Path, *, required: bool = True) -> None:
        self._path = path
        self._keys: tuple[Key, ...] = ()
        self._file_identity: tuple[int, int] | None = None
        self._loaded_at = time.monotonic()
        self._reload_lock = threading.Lock()
        self.fault = ""
        self.generation = 0
        """Differs after any key came or went, and so tells whether a verified link is still verified."""
        try:
            self._keys, self._file_identity = _read(path), _file_identity(path)
        except Error as unusable:
            if required:
                raise
            self.fault = str(unusable)

    @classmethod
    def make(cls, path: Path) -> "Keyring":
        """The keys in a file, which is made with one key, readable by its owner only, if it is missing."""
        with durable.exclusive_lock(path.parent):
            # Another process may have started at the same moment, and have been first.
            if not path.exists():
                _write(path, (_new_key(),))
        return cls(path)

    def sign(self, parts: Sequence[str]) -> Signature:
        """Sign with the newest key."""
        return sign(self.all()[-1], parts)

    def verify(self, parts: Sequence[str], signature: Signature) -> bool:
        """Whether one of the keys in memory made this signature of these parts."""
        return verify(self._keys, parts, signature)

    def is_stale(self) -> bool:
        """Whether the keys in memory are so old that `reload` is due before a link is verified."""
        return time.monotonic() > self._loaded_at + MAX_AGE_SECONDS

    def all(self) -> tuple[Key, ...]:
        """All keys, oldest first; there is one at least."""
        if not self._keys:
            raise Error(Kind.INTERNAL, self.fault)
        return self._keys

    def rotate(self) -> Key:
        """Add a key; it signs from now on."""
        key = _new_key()
        with durable.exclusive_lock(self._path.parent):
            self._store((*_read(self._path), key))
        return key

    def retire(self, key_id: str) -> bool:
        """Remove a key, so that links signed with it open no more; the last key stays. False: not removed."""
        with durable.exclusive_lock(self._path.parent):
            present = _read(self._path)
            kept = tuple(key for key in present if key.id != key_id)
            if len(kept) == len(present) or not kept:
                return False
            self._store(kept)
        return True

    def reload(self) -> bool:
        """Read the file again if it is another than the one read last; it blocks on the disk.

        Returns:
            Whether other keys than before were found.
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
        """Go on with the keys in memory; the log hears of it once."""
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
    """Make new keys where they are missing or broken; a broken file is kept as `….broken`.

    Returns:
        False when the keys are there and whole: they stay.
    """
    with durable.exclusive_lock(path.parent):
        try:
            _read(path)
        except Error:
            if path.exists():
                path.replace(path.with_name(f"{path.name}.broken"))
            _write(path, (_new_key(),))
            return True
        return False


def _mac(key: Key, parts: Sequence[str]) -> str:
    message = b"".join(len(part).to_bytes(4) + part for part in map(_bytes, parts))
    # Not hmac.digest(), which lets other threads in while it works: to have its turn back takes the event
    # loop a hundred times as long as the digest.
    digest = hmac.new(key.secret, message, "sha256").digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """UTF-8, of what came with a link too: lone surrogates there can match nothing, but must not raise."""
    return text.encode("utf-8", "surrogatepass")


def _new_key() -> Key:
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
    return Error(
        Kind.INTERNAL,
        f"{what} Without its keys no signed link that was given out opens: restore it from a backup, "
        "or make new keys with `tintype serve --new-keys`.",
    )


def _file_identity(path: Path) -> tuple[int, int]:
    """What differs between any two files that were put at this path."""
    info = path.stat()
    return info.st_ino, info.st_mtime_ns
