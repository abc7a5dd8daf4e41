"""What this process remembers of images, so that a picture asked for again needs no catalogue."""

import time
from collections import OrderedDict
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from tintype.model import Image, Publications

FRESH_SECONDS = 0.9
"""How long memory counts after the catalogue was asked for changes: what is deleted, replaced or archived by
any process is delivered for a second at the most."""


class CacheSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is remembered between requests."""

    images: Annotated[int, Meta(ge=0)] = 10_000
    """Images whose records each worker process remembers; 0: none, and every delivery asks the catalogue."""
    answers: Annotated[int, Meta(ge=0)] = 20_000
    """Tokens, images of batches and links to them that each worker process remembers until anything in the
    catalogue changes; 0: none."""


class CachedImage:
    """An image as the catalogue told it, and what its account publishes through.

    It holds until something of either changes, or it is forgotten.
    """

    __slots__ = ("holds", "image", "publications")

    def __init__(self, image: Image, publications: Publications, *, holds: bool) -> None:
        self.image = image
        self.publications = publications
        self.holds = holds


class RecordCache:
    """The images asked for last, by id and by number: at most `most`.

    They count only until `fresh_until` (on the monotonic clock), which whoever follows the catalogue's
    changes puts off again and again. While nobody does, nothing is remembered.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[UUID, CachedImage] = OrderedDict()
        self._ids: dict[int, UUID] = {}
        self.fresh_until = 0.0
        self.generation = 0
        """Differs after anything was forgotten, and so tells whether what was read before may be kept."""

    def known(self, key: UUID | int) -> CachedImage | None:
        """What is remembered of an image, by id or number."""
        id = self._ids.get(key) if isinstance(key, int) else key
        found = self._known.get(id) if id is not None else None
        if found is None or time.monotonic() >= self.fresh_until:
            return None
        self._known.move_to_end(found.image.id)
        return found

    def remember(self, image: Image, publications: Publications, generation: int) -> CachedImage:
        """Remember an image; not if anything was forgotten since the generation when it was asked for."""
        found = self.known(image.id)
        if found is not None and (found.image, found.publications) == (image, publications):
            # Nobody who asks for what isn't delivered takes away what answers rest on.
            return found
        holds = generation == self.generation and self._most > 0 and time.monotonic() < self.fresh_until
        known = CachedImage(image, publications, holds=holds)
        if holds:
            self._drop(image.id)
            self._known[image.id] = known
            self._ids[image.number] = image.id
            if len(self._known) > self._most:
                self._drop(next(iter(self._known)))
        return known

    def forget(self, id: UUID) -> None:
        """Forget an image: what was read of it up to now counts no more."""
        self.generation += 1
        self._drop(id)

    def forget_all(self) -> None:
        """Forget every image."""
        self.generation += 1
        for id in list(self._known):
            self._drop(id)

    def trust(self, asked: float) -> None:
        """All changes up to `asked` (on the monotonic clock) are known by now."""
        self.fresh_until = asked + FRESH_SECONDS

    def _drop(self, id: UUID) -> None:
        known = self._known.pop(id, None)
        if known is not None:
            known.holds = False
            del self._ids[known.image.number]
