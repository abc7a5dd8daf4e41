"""Everything a use-case works with, built once per process and passed down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from tintype.catalogue import Database
from tintype.core.runtime.deferred import DeferredEncodes
from tintype.core.runtime.query_cache import QueryCache
from tintype.core.runtime.record_cache import RecordCache
from tintype.core.runtime.signing import Keyring
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.core.runtime.uploads import Uploads
from tintype.core.runtime.workers import Workers
from tintype.imaging import Limits, OutputLimits
from tintype.imaging.sandbox.pool import RendererPool
from tintype.model import PlacementKind, Quotas
from tintype.storage import Blobs, Renditions, Reserve, Staging

Clock = Callable[[], datetime]
"""Returns the time, in UTC; tests replace it."""


_INPUT, _OUTPUT = Limits(), OutputLimits()


class ImageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken in, and what is made of it."""

    max_bytes: Annotated[int, Meta(ge=1)] = 100 * 1024 * 1024
    """The largest original, in bytes."""
    max_pixels: Annotated[int, Meta(ge=1)] = _INPUT.max_pixels
    """The most pixels of one frame of an original."""
    max_whole_pixels: Annotated[int, Meta(ge=1)] = _INPUT.max_whole_pixels
    """The same for formats of which a whole frame is decoded at once: WebP, GIF, AVIF, HEIC, JXL and SVG,
    interlaced PNG, progressive JPEG. Formats whose decoder takes more memory may have fewer: AVIF half."""
    max_side: Annotated[int, Meta(ge=1)] = _INPUT.max_side
    """The longest side of an original, in pixels."""
    max_frames: Annotated[int, Meta(ge=1)] = _INPUT.max_frames
    """The most frames of an animated original."""
    max_total_pixels: Annotated[int, Meta(ge=1)] = _INPUT.max_total_pixels
    """The most pixels of all frames of an original together."""
    max_output_side: Annotated[int, Meta(ge=1)] = _OUTPUT.max_side
    """The longest side a rendition may be enlarged to, in pixels."""
    max_output_pixels: Annotated[int, Meta(ge=1)] = _OUTPUT.max_pixels
    """The most pixels a rendition may be enlarged to."""
    max_output_frames: Annotated[int, Meta(ge=1)] = _OUTPUT.max_frames
    """The most frames of an animated rendition; the others are left out."""
    max_output_total_pixels: Annotated[int, Meta(ge=1)] = _OUTPUT.max_total_pixels
    """The most pixels of all frames of an animated rendition together; frames beyond them are left out."""
    max_output_enlarged_pixels: Annotated[int, Meta(ge=1)] = _OUTPUT.max_enlarged_pixels
    """The same if its frames are larger than the original's; not fewer than all frames of that have."""
    max_svg_bytes: Annotated[int, Meta(ge=1)] = _INPUT.max_svg_bytes
    """The largest SVG, in bytes: its parser builds a tree in memory that is many times as large."""
    max_placements: Annotated[int, Meta(ge=1)] = 1000
    """The most places, such as products, that one image may be attached to."""

    def input_limits(self) -> Limits:
        """The limits on originals."""
        return Limits(
            max_pixels=self.max_pixels,
            max_whole_pixels=self.max_whole_pixels,
            max_side=self.max_side,
            max_frames=self.max_frames,
            max_total_pixels=self.max_total_pixels,
            max_svg_bytes=self.max_svg_bytes,
        )

    def output_limits(self) -> OutputLimits:
        """The limits on renditions."""
        return OutputLimits(
            max_side=self.max_output_side,
            max_pixels=self.max_output_pixels,
            max_frames=self.max_output_frames,
            max_total_pixels=self.max_output_total_pixels,
            max_enlarged_pixels=self.max_output_enlarged_pixels,
        )


class QuotaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one account may hold and do, unless `tintype account quota` says otherwise; 0: no limit."""

    max_bytes: Annotated[int, Meta(ge=0)] = 1024**4
    """The most bytes of an account's originals."""
    max_images: Annotated[int, Meta(ge=0)] = 10_000_000
    """The most images of an account."""
    max_uploads: Annotated[int, Meta(ge=0)] = 64
    """Uploads of an account that may be under way at once, in each worker process."""
    max_pixel_seconds: Annotated[int, Meta(ge=0)] = 600
    """Seconds of render slots that an account may use per minute, in each worker process: for its uploads,
    and for renditions that are not charged to an address.
    """

    def quotas(self) -> Quotas:
        """The default quotas."""
        return Quotas(self.max_bytes, self.max_images, self.max_uploads, self.max_pixel_seconds)


class RenditionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The cache of what was made."""

    max_bytes: Annotated[int, Meta(ge=1)] = 10 * 1024**3
    """The most bytes of cached renditions on disk. The least recently used are removed before it is
    reached.
    """


@dataclass(frozen=True, slots=True)
class Services:
    """What the use-cases share. One per process.

    `placement_kinds` are those of all dialects, by name.
    """

    catalogue: Database
    originals: Blobs
    staging: Staging
    renditions: Renditions
    reserve: Reserve
    workers: Workers
    renderers: RendererPool
    deferred: DeferredEncodes
    keyring: Keyring
    record_cache: RecordCache
    query_cache: QueryCache
    clock: Clock
    images: ImageSettings
    unsigned: UnsignedLimits
    quotas: Quotas
    uploads: Uploads
    placement_kinds: Mapping[str, PlacementKind]
