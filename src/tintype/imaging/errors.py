"""The one way this package says no."""

import enum


class Reason(enum.StrEnum):
    """Why a picture is refused, for the caller to choose an answer by."""

    UNSUPPORTED = "unsupported"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_LARGE_SIDE = "too-large-side"
    TOO_MANY_FRAMES = "too-many-frames"
    OUTPUT_TOO_LARGE = "output-too-large"
    TOO_COSTLY = "too-costly"


class ImageRefused(Exception):  # noqa: N818  # it is a verdict on a picture, not a fault of ours
    """A picture that isn't taken in or isn't made; `str()` is a sentence fit for a person."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["ImageRefused"], tuple[Reason, str]]:
        """Pickle with both arguments, so that it survives the way back from a worker process."""
        return type(self), (self.reason, self.sentence)


COSTLY = "The picture takes more time or memory to draw than is given to one."


class OutOfMemory(ImageRefused):
    """The memory that was given didn't suffice; more might."""


def out_of_memory() -> OutOfMemory:
    """The refusal of a picture that there was no memory for."""
    return OutOfMemory(Reason.TOO_COSTLY, COSTLY)


def too_costly() -> ImageRefused:
    """The refusal of a picture for the memory or the time that it takes."""
    return ImageRefused(Reason.TOO_COSTLY, COSTLY)


def damaged() -> ImageRefused:
    """The refusal of a picture that can't be decoded from its beginning to its end."""
    return ImageRefused(
        Reason.DAMAGED, "The picture is damaged or cut short: it can't be decoded to its end."
    )


def size_in_words(width: int, height: int) -> str:
    """A size as people write it: the two sides with a multiplication sign between them."""
    return f"{width} \N{MULTIPLICATION SIGN} {height}"
