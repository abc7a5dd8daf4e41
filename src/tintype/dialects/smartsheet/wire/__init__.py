"""The smartsheet wire format: camelCase JSON; errors have a number and a reference."""

from tintype.dialects.smartsheet.wire.cells import (
    Upload,
    encode_added,
    encode_row,
    format_violations,
    parse_exclude,
    parse_id,
    parse_placement,
    parse_upload,
    require_accepted_format,
    require_length,
    upload_errors,
)
from tintype.dialects.smartsheet.wire.common import log_fields, render_error, require_headers
from tintype.dialects.smartsheet.wire.image_urls import (
    ImageUrl,
    RequestedImage,
    ValidItem,
    encode_response,
    parse_request,
    parse_valid_items,
)

__all__ = [
    "ImageUrl",
    "RequestedImage",
    "Upload",
    "ValidItem",
    "encode_added",
    "encode_response",
    "encode_row",
    "format_violations",
    "log_fields",
    "parse_exclude",
    "parse_id",
    "parse_placement",
    "parse_request",
    "parse_upload",
    "parse_valid_items",
    "render_error",
    "require_accepted_format",
    "require_headers",
    "require_length",
    "upload_errors",
]
