"""Rows, and images in their cells."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from msgspec import Struct

from tintype.dialects.smartsheet.errors import (
    AltTextTooLong,
    BodyMissing,
    InvalidHeader,
    SizeMismatch,
    UploadTooLarge,
)
from tintype.dialects.smartsheet.filenames import parse_filename
from tintype.dialects.smartsheet.wire.common import (
    format_time,
    invalid_value,
    too_many_parameters,
)
from tintype.imaging import Format, ImageInfo, Reason, spec
from tintype.imaging.sandbox.messages import Examined
from tintype.model import (
    Image,
    IncompleteBody,
    Internal,
    InvalidImage,
    Placement,
    TooLarge,
)
from tintype.model.ids import short
from tintype.web.conditions import Headers
from tintype.web.errors import no_such_path
from tintype.web.query import parse_query

ACCEPTED = (Format.JPEG, Format.PNG, Format.WEBP, Format.GIF, Format.AVIF, Format.TIFF)
"""The formats that can be put into a cell, whatever others are installed."""
MAX_ID = 2**63 - 1

_ID = re.compile(r"[0-9]{1,19}\Z")


class CellImage(Struct, frozen=True, rename="camel"):
    """The image of a cell; its sides are in pixels, after EXIF rotation."""

    id: str
    height: int
    width: int
    alt_text: str


class Cell(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One cell of a row."""

    column_id: int
    value: str
    display_value: str
    formula: str
    image: CellImage | None = None


class Row(Struct, frozen=True, rename="camel"):
    """The part of a row that this service knows: the cells that have an image."""

    id: int
    sheet_id: int
    row_number: int
    expanded: bool
    created_at: str
    modified_at: str
    cells: list[Cell]


class Result(Struct, frozen=True, rename="camel"):
    """The response to a change."""

    message: str
    result_code: int
    result: Row
    version: int


class Upload(Struct, frozen=True):
    """The metadata of an upload."""

    filename: str
    alt_text: str


def parse_placement(sheet: str, row: str, column: str | None = None) -> Placement:
    """The placement of a cell, or of all cells of a row when `column` is None.

    Raises:
        NotFound: when an id is not an integer of at most 63 bits.
    """
    slot = "" if column is None else parse_id(column)
    return Placement("cell", parse_id(sheet), parse_id(row), slot)


def parse_upload(headers: Headers, query: str, *, max_alt_text: int) -> Upload:
    """Parse the metadata of an upload. `overrideValidation` has no effect, but must be a boolean.

    Raises:
        InvalidHeader: when there is no file name.
        AltTextTooLong, InvalidField: when a parameter is not valid.
    """
    name = parse_filename(headers.get("content-disposition", ""))
    if not name:
        raise InvalidHeader("Content-Disposition")
    parameters = parse_query(query, too_many_parameters)
    alt_text = parameters.get("altText", "")
    if len(alt_text) > max_alt_text:
        raise AltTextTooLong(str(max_alt_text))
    override = parameters.get("overrideValidation", "false")
    # The vendor's Python client sends True and False.
    if override.lower() not in {"true", "false"}:
        raise invalid_value(override, "overrideValidation")
    return Upload(name, alt_text)


def require_length(headers: Headers, size: int) -> None:
    """Check that Content-Length is the number of bytes received.

    Raises:
        BodyMissing, SizeMismatch: when it is missing or different.
    """
    content_length = headers.get("content-length", "")
    if size == 0 and content_length in {"", "0"}:
        raise BodyMissing
    if content_length != str(size):
        raise SizeMismatch


def require_accepted_format(examined: Examined) -> ImageInfo:
    """The info of a picture whose format needs no optional package: extras do not change this API.

    Raises:
        InvalidImage: when it needs one, or was refused.
    """
    if examined.format is None:
        raise InvalidImage(Reason.UNSUPPORTED, f"The file isn't a picture of a known type. {_accepted()}")
    for broken in format_violations(examined.format):
        raise InvalidImage(Reason.UNSUPPORTED, broken)
    if examined.refused is not None:
        raise InvalidImage(examined.refused.reason, examined.refused.sentence)
    if examined.info is None:
        raise Internal("Nothing was found of the picture.")
    return examined.info


def format_violations(format: Format) -> Iterator[str]:
    """A sentence if pictures of this format can't be put into a cell."""
    if format not in ACCEPTED:
        yield f"{spec(format).name} pictures aren't accepted. {_accepted()}"


@contextmanager
def upload_errors() -> Iterator[None]:
    """Give errors of the upload body the vendor's more specific codes."""
    try:
        yield
    except TooLarge as error:
        raise UploadTooLarge(error.message) from error
    except IncompleteBody as error:
        raise SizeMismatch from error


def parse_exclude(query: str) -> frozenset[str]:
    """The values of `exclude`, the parts that the response leaves out; unknown values are ignored."""
    return frozenset(
        word.strip() for word in parse_query(query, too_many_parameters).get("exclude", "").split(",")
    )


def encode_row(at: Placement, cells: Sequence[tuple[Placement, Image]], exclude: frozenset[str]) -> bytes:
    """Encode a row.

    Raises:
        NotFound: when no cell of it has an image: only such rows are known here.
    """
    if not cells:
        raise no_such_path()
    return msgspec.json.encode(make_row(at, cells, with_images="image" not in exclude))


def encode_added(at: Placement, image: Image, cells: Sequence[tuple[Placement, Image]]) -> bytes:
    """Encode the row, with all its cells that have an image, after an image was put into one of them.

    The changed cell is first, because clients read `cells[0]`. The version is the image's number, which grows
    with every change as a sheet's version does.
    """
    others = [(place, other) for place, other in cells if place.slot != at.slot]
    row = make_row(at, [(at, image), *others], with_images=True)
    return msgspec.json.encode(Result("SUCCESS", 0, row, image.number))


def parse_id(text: str) -> str:
    """An id in its canonical form.

    Raises:
        NotFound: when it is not an integer of at most 63 bits.
    """
    if not _ID.match(text) or int(text) > MAX_ID:
        raise no_such_path()
    return str(int(text))


def _accepted() -> str:
    *others, last = [spec(format).name for format in ACCEPTED]
    return f"Accepted are {', '.join(others)} and {last}."


def make_row(at: Placement, cells: Sequence[tuple[Placement, Image]], *, with_images: bool) -> Row:
    """A row with these cells, at least one."""
    images = [image for _, image in cells]
    return Row(
        id=int(at.holder),
        sheet_id=int(at.container),
        # The order of rows is not known here, so every row has the number 1.
        row_number=1,
        expanded=True,
        created_at=format_time(min(image.created_at for image in images)),
        modified_at=format_time(max(image.modified_at for image in images)),
        cells=[_cell(each, image, with_image=with_images) for each, image in cells],
    )


def _cell(at: Placement, image: Image, *, with_image: bool) -> Cell:
    name = image.filename
    shown = CellImage(short(image.id), image.height, image.width, at.alt_text or name) if with_image else None
    return Cell(int(at.slot), name, name, _formula(image), shown)


def _formula(image: Image) -> str:
    """The formula of a cell with an image; a quote within a string is doubled, as in any spreadsheet."""
    name = '"' + image.filename.replace('"', '""') + '"'
    return f'=SYS_CELLIMAGE({name},"{short(image.id)}",{image.height},{image.width},{name})'
