"""Images, as recorded in the catalogue."""

from datetime import datetime
from enum import IntEnum
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Format
from tintype.model.caller import Person


class Status(IntEnum):
    """Whether an image is in use, as the number that the catalogue stores."""

    ACTIVE = 1
    ARCHIVED = 2


class Image(Struct, frozen=True):
    """One catalogue record.

    `width` and `height` are in pixels after EXIF orientation is applied, `bytes` is the size of the
    original, `sha256` its lower-case hexadecimal digest. `name` is `filename` without its extension;
    `extension` keeps the spelling of the upload if it matches the format. `thumbhash` (base64) and `colour`
    (`#rrggbb`) are the placeholder shown while the picture loads: None in records older than placeholders;
    `colour` is also None if all pixels are transparent.
    """

    id: UUID
    number: int
    account_id: UUID
    filename: str
    name: str
    extension: str
    format: Format
    sha256: str
    bytes: int
    width: int
    height: int
    frames: int
    has_alpha: bool
    status: Status
    version: int
    created_by: Person
    created_at: datetime
    modified_by: Person
    modified_at: datetime
    thumbhash: str | None = None
    colour: str | None = None


class LinkTarget(Struct, frozen=True):
    """The fields of an image's current version that are needed to build links to it."""

    id: UUID
    number: int
    version: int
    width: int
    height: int
    format: Format
    has_alpha: bool = True


class NewImage(Struct, frozen=True):
    """The fields of an image to be recorded; the catalogue assigns the others."""

    id: UUID
    filename: str
    name: str
    extension: str
    format: Format
    sha256: str
    bytes: int
    width: int
    height: int
    frames: int
    has_alpha: bool
    status: Status
    thumbhash: str | None = None
    colour: str | None = None
