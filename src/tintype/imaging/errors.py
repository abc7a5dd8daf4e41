"""The error of this package: an image is refused."""

import enum


class Reason(enum.StrEnum):
    """Why an image is refused."""

    UNSUPPORTED = "unsupported"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_LARGE_SIDE = "too-large-side"
    TOO_MANY_FRAMES = "too-many-frames"
    OUTPUT_TOO_LARGE = "output-too-large"
    TOO_COSTLY = "too-costly"


class ImageRefused(Exception):  # it is a verdict on a picture, not a fault of ours
    """An image is not accepted, or can't be rendered; `str()` is a sentence for people."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["ImageRefused"], tuple[Reason, str]]:
        """Pickle with both arguments, for worker processes."""
        return type(self), (self.reason, self.sentence)


class OutOfMemory(ImageRefused):
    """The memory limit was exceeded; a higher one might suffice."""


def out_of_memory() -> OutOfMemory:
    """The error for an image that exceeded the memory limit of this process."""
    return OutOfMemory(Reason.TOO_COSTLY, "The picture takes more memory than the limit.")


def too_much_memory(limit: int, needed: int | None = None) -> ImageRefused:
    """The error for an image that takes more than `limit` bytes of memory: `needed`, if that is known."""
    takes = "more memory" if needed is None else f"about {megabytes(needed)} of memory, more"
    sentence = f"The picture takes {takes} than the limit of {megabytes(limit)}."
    return ImageRefused(Reason.TOO_COSTLY, sentence)


def too_much_time(limit: float) -> ImageRefused:
    """The error for an image that takes more than `limit` seconds."""
    sentence = f"The picture takes more time than the limit of {limit:g} seconds."
    return ImageRefused(Reason.TOO_COSTLY, sentence)


def too_complex() -> ImageRefused:
    """The error for an image that exceeds a limit of its decoder."""
    return ImageRefused(Reason.TOO_COSTLY, "The picture is too complex to be drawn.")


def damaged() -> ImageRefused:
    """The error for an image that can't be decoded completely."""
    return ImageRefused(
        Reason.DAMAGED, "The picture is damaged or cut short: it can't be decoded to its end."
    )


def not_accepted(what: str) -> ImageRefused:
    """The error for a valid file of a kind that isn't read: `what`, such as "TIFF with a depth"."""
    return ImageRefused(Reason.UNSUPPORTED, f"{what} isn't accepted.")


def size_in_words(width: int, height: int) -> str:
    """Width and height for people, with a multiplication sign between them."""
    return f"{width} \N{MULTIPLICATION SIGN} {height}"


def megabytes(count: int) -> str:
    """Bytes for people, in megabytes, rounded up."""
    return f"{-(-count // 1_000_000):,} MB"
