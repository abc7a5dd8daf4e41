"""The secret of an OAuth app: what is stored of it, and how an app proves that it has it.

Clients prove it by sending SHA-256(secret + "|" + code), which nobody can check who has only a digest of the
secret. But a secret and its "|" are exactly one block of SHA-256: what is stored is the state of the function
after that block. From the state follows the hash of any code, but not the secret.
"""

import hmac
import secrets
import struct
from math import isqrt

BLOCK = 64
"""Bytes of a block of SHA-256."""

_MASK = 2**32 - 1
_State = tuple[int, ...]


def new_secret() -> str:
    """A new secret: a block long with the separator, and 378 random bits."""
    return secrets.token_urlsafe(BLOCK)[: BLOCK - 1]


def state_of(secret: str) -> str:
    """What is stored of a secret, in hexadecimal."""
    return _hex(_compress(_initial_state(), f"{secret}|".encode()))


def has_secret(state: str, secret: str) -> bool:
    """Whether this is the secret."""
    return len(secret) == BLOCK - 1 and secret.isascii() and hmac.compare_digest(state_of(secret), state)


def has_hash(state: str, code: str, given: str) -> bool:
    """Whether `given` is SHA-256(secret + "|" + code) in hexadecimal, in either case."""
    expected = hash_after(state, code.encode("utf-8", "replace"))
    return hmac.compare_digest(expected.encode(), given.lower().encode("utf-8", "replace"))


def hash_after(state: str, data: bytes) -> str:
    """SHA-256 of the block that led to the state and then the data, in hexadecimal (FIPS 180-4, 5.1.1)."""
    words = struct.unpack(">8I", bytes.fromhex(state))
    zeros = -(len(data) + 9) % BLOCK
    padded = data + b"\x80" + bytes(zeros) + struct.pack(">Q", 8 * (BLOCK + len(data)))
    for start in range(0, len(padded), BLOCK):
        words = _compress(words, padded[start : start + BLOCK])
    return _hex(words)


def _compress(state: _State, block: bytes) -> _State:
    """The function of one block (FIPS 180-4, 6.2.2)."""
    words = list(struct.unpack(">16I", block))
    for t in range(16, BLOCK):
        s0 = _rotate(words[t - 15], 7) ^ _rotate(words[t - 15], 18) ^ words[t - 15] >> 3
        s1 = _rotate(words[t - 2], 17) ^ _rotate(words[t - 2], 19) ^ words[t - 2] >> 10
        words.append((words[t - 16] + s0 + words[t - 7] + s1) & _MASK)
    a, b, c, d, e, f, g, h = state
    for constant, word in zip(_CONSTANTS, words, strict=True):
        s1 = _rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)
        t1 = h + s1 + (e & f ^ ~e & g) + constant + word
        s0 = _rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)
        t2 = s0 + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (t1 + t2) & _MASK, a, b, c, (d + t1) & _MASK, e, f, g
    return tuple((one + other) & _MASK for one, other in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def _rotate(word: int, bits: int) -> int:
    return (word >> bits | word << 32 - bits) & _MASK


def _hex(state: _State) -> str:
    return struct.pack(">8I", *state).hex()


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _initial_state() -> _State:
    """The fractions of the square roots of the first 8 primes (FIPS 180-4, 5.3.3)."""
    return tuple(isqrt(prime << 64) & _MASK for prime in _primes(8))


def _cube_root(number: int) -> int:
    """The cube root, rounded down; Newton's method from above."""
    root = 1 << -(-number.bit_length() // 3)
    while (closer := (2 * root + number // root**2) // 3) < root:
        root = closer
    return root


_CONSTANTS = tuple(_cube_root(prime << 96) & _MASK for prime in _primes(64))
"""The fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2)."""
