"""Placements of images, and the kinds of them that dialects have."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from tintype.model.image import Image, NewImage


class Placement(Struct, frozen=True):
    """Where an image is attached, in the words of the dialect that attached it.

    `holder` is the thing that has images, `container` what it lies in, `slot` one of its places for an image.

    At most one image is attached to a placement: `(kind, container, holder, slot)` is unique within an
    account, with UUIDs compared without case. Accounts are independent: the same ids in another account are
    another placement.
    """

    kind: str
    container: str
    holder: str
    slot: str = ""
    alt_text: str = ""


class PlacementKind(Struct, frozen=True):
    """One kind of placements, by the rules of the dialect that has it.

    Attributes:
        require_valid: raises an error unless the ids of a placement are such as the dialect has.
        violations: a sentence for each rule that an image attached there would break.
    """

    require_valid: Callable[[Placement], object]
    violations: Callable[[Image | NewImage], Iterable[str]]
