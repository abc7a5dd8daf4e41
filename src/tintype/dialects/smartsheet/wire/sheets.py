"""Sheets, columns and lists, as far as they follow from the images in cells."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tintype.core.library.containers import Container, Page
from tintype.dialects.smartsheet.wire.cells import Row, make_row, parse_id
from tintype.dialects.smartsheet.wire.common import invalid_value, too_many_parameters
from tintype.model import Caller, NotFound
from tintype.web.query import parse_query

DEFAULT_PAGE_SIZE = 100
"""The vendor's, for lists."""
MAX_PAGE = 1_000_000


class Column(Struct, frozen=True, rename="camel"):
    """A column; its title is its id, as nothing else is known of it."""

    id: int
    index: int
    title: str
    type: str
    primary: bool
    version: int = 0


class Sheet(Struct, frozen=True, rename="camel"):
    """A sheet; its name is its id. Without columns and rows in a list."""

    id: int
    name: str
    access_level: str
    version: int | UnsetType = UNSET
    total_row_count: int | UnsetType = UNSET
    columns: list[Column] | UnsetType = UNSET
    rows: list[Row] | UnsetType = UNSET


class SheetQuery(Struct, frozen=True):
    """What is asked of a sheet. `columns`: ids; None: all."""

    page: Page
    rows: list[str] | None
    columns: frozenset[str] | None
    exclude: frozenset[str]


def parse_sheet_query(query: str, *, max_rows: int) -> SheetQuery:
    """Parse the parameters of a sheet; those that change nothing here are ignored (`include`, `level`…).

    Raises:
        InvalidField: when a parameter is not valid.
    """
    parameters = parse_query(query, too_many_parameters)
    columns = _ids(parameters, "columnIds")
    rows = _ids(parameters, "rowIds")
    if rows is not None and len(rows) > max_rows:
        raise invalid_value(f"{len(rows)} ids", "rowIds")
    exclude = frozenset(word.strip() for word in parameters.get("exclude", "").split(","))
    page = _page(parameters, default=max_rows, most=max_rows)
    return SheetQuery(page, rows, None if columns is None else frozenset(columns), exclude)


def parse_page(query: str, *, most: int) -> Page:
    """The page of a list that is asked for: `page`, `pageSize`, `includeAll`.

    Raises:
        InvalidField: when a parameter is not valid.
    """
    parameters = parse_query(query, too_many_parameters)
    whole = parameters.get("includeAll", "").lower() == "true"
    return _page(parameters, default=most if whole else min(DEFAULT_PAGE_SIZE, most), most=most)


def encode_sheet(id: str, found: Container, asked: SheetQuery) -> bytes:
    """Encode a sheet with its rows; rows without a cell in the columns asked for have none."""
    sheet = Sheet(
        id=int(id),
        name=id,
        access_level="EDITOR",
        version=found.newest,
        total_row_count=found.holders,
        columns=[column for column in _columns(found.slots) if _is_asked(str(column.id), asked)],
        rows=[_row(cells, asked) for cells in found.pages],
    )
    return msgspec.json.encode(sheet)


def encode_columns(slots: Sequence[str], page: Page) -> bytes:
    """Encode a page of the columns of a sheet."""
    columns = _columns(slots)
    return _encode_list(columns[page.offset : page.offset + page.limit], len(columns), page)


def encode_column(id: str, slots: Sequence[str]) -> bytes:
    """Encode one column.

    Raises:
        NotFound: when no cell of the sheet is in it.
    """
    for column in _columns(slots):
        if str(column.id) == id:
            return msgspec.json.encode(column)
    raise NotFound("There is nothing at this path.")


def encode_sheets(ids: Sequence[str], total: int, page: Page) -> bytes:
    """Encode a page of the list of sheets."""
    return _encode_list([Sheet(int(id), id, "EDITOR") for id in ids], total, page)


def encode_user(caller: Caller) -> bytes:
    """Encode the person whose token it is. No e-mail address is known here."""
    first, _, last = caller.person.name.partition(" ")
    user = {
        "id": caller.person.id,
        "firstName": first,
        "lastName": last,
        "locale": "en_US",
        "timeZone": "UTC",
        "account": {"id": caller.account.number, "name": caller.account.name},
    }
    return msgspec.json.encode(user)


def encode_server_info() -> bytes:
    """Encode the constants of the service: it formats no cells."""
    return msgspec.json.encode({"supportedLocales": ["en_US"], "formats": {}})


def _columns(slots: Sequence[str]) -> list[Column]:
    ordered = sorted(slots, key=int)
    return [Column(int(slot), at, slot, "TEXT_NUMBER", at == 0) for at, slot in enumerate(ordered)]


def _row(cells: Sequence[Any], asked: SheetQuery) -> Row:
    row = make_row(cells[0][0], cells, with_images="image" not in asked.exclude)
    shown = [cell for cell in row.cells if _is_asked(str(cell.column_id), asked)]
    return msgspec.structs.replace(row, cells=shown)


def _is_asked(column: str, asked: SheetQuery) -> bool:
    return asked.columns is None or column in asked.columns


def _encode_list(data: Sequence[Struct], total: int, page: Page) -> bytes:
    body = {
        "pageNumber": page.offset // page.limit + 1,
        "pageSize": page.limit,
        "totalPages": -(-total // page.limit),
        "totalCount": total,
        "data": data,
    }
    return msgspec.json.encode(body)


def _page(parameters: Mapping[str, str], *, default: int, most: int) -> Page:
    limit = min(_number(parameters, "pageSize", default), most)
    return Page((_number(parameters, "page", 1) - 1) * limit, limit)


def _number(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_PAGE)) and int(text) >= 1):
        raise invalid_value(text, name)
    return int(text)


def _ids(parameters: Mapping[str, str], name: str) -> list[str] | None:
    """The ids in a list with commas; None without the parameter."""
    text = parameters.get(name, "")
    if not text:
        return None
    try:
        return [parse_id(each.strip()) for each in text.split(",")]
    except NotFound:
        raise invalid_value(text, name) from None
