"""Sheets and columns, as far as they follow from the images in cells; the caller; the service."""

from tintype.core.library.containers import Page, list_containers, read_container
from tintype.dialects.smartsheet import wire
from tintype.dialects.smartsheet.endpoints import READ, Request, checked_headers
from tintype.dialects.smartsheet.wire import sheets
from tintype.model import Caller
from tintype.web.api import endpoint, public_endpoint
from tintype.web.dialect_routes import RawResponse
from tintype.web.responses import json_response

SHEET = "/2.0/sheets/{sheet:str}"
KIND = "cell"


@endpoint("GET", SHEET, scope=READ)
async def get_sheet(request: Request, caller: Caller) -> RawResponse:
    """A sheet: its columns and rows that have images."""
    checked_headers(request.context)
    settings, id = request.settings, wire.parse_id(request.path_params["sheet"])
    asked = sheets.parse_sheet_query(request.context.query, max_rows=settings.max_rows)
    found = await read_container(
        request.services,
        caller,
        KIND,
        id,
        page=asked.page,
        holders=asked.rows,
        max_slots=settings.max_columns,
    )
    return json_response(sheets.encode_sheet(id, found, asked))


@endpoint("GET", "/2.0/sheets", scope=READ)
async def list_sheets(request: Request, caller: Caller) -> RawResponse:
    """The sheets that have images."""
    checked_headers(request.context)
    page = sheets.parse_page(request.context.query, most=request.settings.max_rows)
    total, ids = await list_containers(request.services, caller, KIND, page)
    return json_response(sheets.encode_sheets(ids, total, page))


@endpoint("GET", SHEET + "/columns", scope=READ)
async def list_columns(request: Request, caller: Caller) -> RawResponse:
    """The columns of a sheet that have images."""
    checked_headers(request.context)
    page = sheets.parse_page(request.context.query, most=request.settings.max_columns)
    return json_response(sheets.encode_columns(await _columns(request, caller), page))


@endpoint("GET", SHEET + "/columns/{column:str}", scope=READ)
async def get_column(request: Request, caller: Caller) -> RawResponse:
    """One of them."""
    checked_headers(request.context)
    id = wire.parse_id(request.path_params["column"])
    return json_response(sheets.encode_column(id, await _columns(request, caller)))


@endpoint("GET", "/2.0/users/me", scope=READ)
async def get_user(request: Request, caller: Caller) -> RawResponse:
    """The person whose token it is."""
    checked_headers(request.context)
    return json_response(sheets.encode_user(caller))


@public_endpoint("GET", "/2.0/serverinfo")
async def get_server_info(request: Request) -> RawResponse:
    """Constants. The vendor's Python client sends no token for them."""
    checked_headers(request.context)
    return json_response(sheets.encode_server_info())


async def _columns(request: Request, caller: Caller) -> list[str]:
    found = await read_container(
        request.services,
        caller,
        KIND,
        wire.parse_id(request.path_params["sheet"]),
        page=Page(0, 1),
        max_slots=request.settings.max_columns,
    )
    return list(found.slots)
