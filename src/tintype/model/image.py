"""One catalogue record, and where it hangs."""

from datetime import datetime
from enum import IntEnum
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Format
from tintype.model.caller import Person


class Status(IntEnum):
    """Whether an image is in use; the numbers are those of the publisher contract."""

    ACTIVE = 1
    ARCHIVED = 2


class Image(Struct, frozen=True):
    """One catalogue record.

    `width` and `height` are pixels as a person sees them (EXIF orientation applied), `bytes` the size
    of the original, `sha256` its lower-case hexadecimal digest. `name` is `filename` without its
    extension; `extension` keeps the spelling of the upload where it fits the format. `thumbhash` (base64)
    and `colour` (`#rrggbb`) can be shown until the picture is there; images recorded before there were any
    have none, and a picture of nothing but transparent pixels has no colour.
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
    """What a link to an image is made of: the facts of its present version, without its names."""

    id: UUID
    number: int
    version: int
    width: int
    height: int
    format: Format


class NewImage(Struct, frozen=True):
    """An image about to be recorded: everything but what the catalogue itself gives."""

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


class Placement(Struct, frozen=True):
    """Where an image hangs: a product of a store, a cell of a sheet.

    One image a place: `(kind, container, holder, slot)` is unique within an account. Another account's place
    of the same ids is another place.
    """

    kind: str
    container: str
    holder: str
    slot: str = ""
    alt_text: str = ""
