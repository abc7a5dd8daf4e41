"""What is fuzzed: made-up values, what has to hold of each, and how values are made out of sound ones.

Where a value is bytes or text that a parser reads, it is a sound one with a few changes, made with a seeded
`random.Random`, which is many times as fast as hypothesis draws. Values of other shapes come from hypothesis.
"""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from types import FrameType
from typing import Any, TypeVar

from hypothesis import strategies as st
from msgspec import Struct

from tintype.model import Error, Kind

T = TypeVar("T")
Make = Callable[[Random], T]
"""Makes a value, the same one with the same dice."""

NEAR = 120
"""Bytes from the beginning, where sizes and offsets are: half of all changes are made there."""
HOW_MANY = (0, 1, 1, 1, 2, 3, 5, 8)
"""Changes of one value."""
NUMBERS = (0, 1, 2, *(2**bits + off for bits in (7, 8, 15, 16, 31, 32, 63, 64) for off in (-1, 0)))


class Target(Struct, frozen=True):
    """A parser.

    Attributes:
        name: as the runner tells it.
        values: what it is given.
        check: gives it a value; whatever it raises is a finding.
        seconds: of processor time that one value may take.
    """

    name: str
    values: Make[Any] | st.SearchStrategy[Any]
    check: Callable[[Any], object]
    seconds: float = 1.0


class TooSlowError(Exception):
    """A value took longer than it may."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TooSlowError when the block takes more processor time, even if it never ends."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def only(*kinds: Kind) -> Iterator[None]:
    """Errors of these kinds may come out; others are findings."""
    try:
        yield
    except Error as error:
        assert error.kind in kinds, f"{error.kind}: {error}"  # noqa: PT017  one of these, or none


def mutated(*samples: bytes) -> Make[bytes]:
    """Sound files with a few changes: bytes overwritten, pieces left out, doubled, put in, cut off."""

    def make(dice: Random) -> bytes:
        data = bytearray(dice.choice(samples))
        for _ in range(dice.choice(HOW_MANY)):
            _change(data, dice)
        return bytes(data)

    return make


def mutated_text(*samples: str) -> Make[str]:
    """Sound texts with a few changes, as they come in a header: each byte a character."""
    make = mutated(*(sample.encode("latin-1") for sample in samples))
    return lambda dice: make(dice).decode("latin-1")


def random_bytes(most: int) -> Make[bytes]:
    """Bytes of no meaning."""
    return lambda dice: dice.randbytes(dice.randrange(most))


def repeated(*pieces: str, most: int) -> Make[str]:
    """Long texts of a few pieces over and over, which make a search look at everything again and again."""

    def make(dice: Random) -> str:
        again = "".join(dice.choice(pieces) for _ in range(dice.randint(1, 3)))
        return dice.choice(pieces) + again * dice.randrange(most // len(again)) + dice.choice(pieces)

    return make


def encoded(make: Make[str]) -> Make[bytes]:
    """The same as bytes."""
    return lambda dice: make(dice).encode("latin-1")


def either(*makes: Make[T]) -> Make[T]:
    """One of these, the first half of the time: the others are rarer, or slower."""
    return lambda dice: dice.choice((makes[0],) * len(makes) + makes)(dice)


def together(*makes: Make[Any]) -> Make[tuple[Any, ...]]:
    """All of these."""
    return lambda dice: tuple(make(dice) for make in makes)


def fields(makes: Mapping[str, Make[T]]) -> Make[dict[str, T]]:
    """Some of these, by name."""
    return lambda dice: {name: make(dice) for name, make in makes.items() if dice.random() < 0.7}


def _change(data: bytearray, dice: Random) -> None:
    at = dice.randint(0, min(NEAR, len(data)) if dice.random() < 0.5 else len(data))
    length = dice.randint(1, 40)
    match dice.randrange(6):
        case 0:
            content = _content(dice)
            data[at : at + len(content)] = content
        case 1:
            data[at:at] = _content(dice)
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + length] * dice.choice((1, 2, 50))
        case 4:
            data[at : at + 1] = dice.randbytes(1)
        case _:
            del data[at:]


def _content(dice: Random) -> bytes:
    width = dice.choice((1, 2, 3, 4, 8))
    number = dice.choice(NUMBERS) if dice.random() < 0.7 else dice.getrandbits(32)
    number %= 2 ** (8 * width)
    big: bytes = number.to_bytes(width)
    return big if dice.random() < 0.5 else big[::-1]
