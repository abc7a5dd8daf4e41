"""Errors of every kind, with every detail that a kind can have."""

from collections.abc import Iterator

from tintype.imaging import Reason
from tintype.model import (
    Error,
    InsufficientStorage,
    Invalid,
    InvalidField,
    InvalidImage,
    Kind,
    MethodNotAllowed,
    RangeNotSatisfiable,
    RetryableError,
    TooLarge,
)

SENTENCE = "A sentence."
RENDERED = sorted(set(Kind) - {Kind.CLIENT_GONE})
"""The kinds that are sent to clients: nothing is sent to one that has gone."""


def classes() -> dict[Kind, type[Error]]:
    """The class of each kind, of those in the model."""
    return {each.kind: each for each in subclasses(Error) if "kind" in vars(each)}


def subclasses(parent: type[Error]) -> Iterator[type[Error]]:
    """All classes below one, of the model and of dialects."""
    for each in parent.__subclasses__():
        yield each
        yield from subclasses(each)


def an_error(kind: Kind, sentence: str = SENTENCE) -> Error:
    """An error of a kind."""
    return next(iter(errors(kind, sentence)))


def errors(kind: Kind, sentence: str = SENTENCE) -> list[Error]:  # noqa: PLR0911  a kind has its own details
    """Errors of a kind, with all sorts of details."""
    kept = classes()[kind]
    if issubclass(kept, RetryableError):
        return [
            InsufficientStorage(sentence) if kept is InsufficientStorage else kept(sentence, retry_after=7)
        ]
    match kind:
        case Kind.INVALID:
            return [Invalid(sentence), InvalidField("Field", sentence)]
        case Kind.INVALID_IMAGE:
            return [InvalidImage(reason, sentence) for reason in Reason]
        case Kind.TOO_LARGE:
            return [TooLarge(sentence), TooLarge(sentence, part="body")]
        case Kind.RANGE_NOT_SATISFIABLE:
            return [RangeNotSatisfiable(123)]
        case Kind.METHOD_NOT_ALLOWED:
            return [MethodNotAllowed(sentence, ()), MethodNotAllowed(sentence, ("GET", "HEAD"))]
    return [kept(sentence)]
