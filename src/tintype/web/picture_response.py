"""The response with a picture, and its header fields."""

from datetime import UTC
from email.utils import format_datetime
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from tintype.core.delivery.render import Picture
from tintype.core.delivery.variant import Variants
from tintype.core.runtime.record_cache import CachedImage
from tintype.imaging import Format, spec
from tintype.web.context import Context
from tintype.web.dialect_routes import DeliveryRequest
from tintype.web.response_cache import CachePolicy, Pairs

METHODS = ("GET", "HEAD", "OPTIONS")

_CORS_ORIGIN = {"access-control-allow-origin": "*"}

_CORS_EXPOSE = {
    "access-control-expose-headers": "Content-Length, Content-Range, ETag, Last-Modified, Request-Id",
    "cross-origin-resource-policy": "cross-origin",
}

CORS = _CORS_ORIGIN | _CORS_EXPOSE
"""Any page may show and read pictures: the link is the permission, cookies are not used."""

_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


class PictureResponse(Struct, frozen=True):
    """A request for an existing picture, and what its response depends on."""

    context: Context
    key_generation: int
    requested: DeliveryRequest
    record: CachedImage
    cache_policy: CachePolicy
    variants: Variants | None
    """None: the original as it is."""
    tag: str
    formats: frozenset[Format] | None
    """The modern formats that the client accepts; None where the response doesn't vary with them."""

    @property
    def etag(self) -> str:
        """The ETag: the quoted tag."""
        return f'"{self.tag}"'


def with_stand_in(answer: PictureResponse, picture: Picture) -> PictureResponse:
    """The response with a stand-in, not to be cached: the next request may get the better picture."""
    return replace(answer, cache_policy=CachePolicy(0, public=False, expires=None), tag=picture.tag)


def is_canonical(answer: PictureResponse) -> bool:
    """Whether the link is in canonical form, with the extension in the image's case."""
    requested = answer.requested
    return requested.canonical and requested.extension in {None, answer.record.image.extension}


def validator_headers(answer: PictureResponse) -> Pairs:
    """The fields of every response except Cache-Control; a 304 has no others (RFC 9110, 15.4.5)."""
    varying = {} if answer.formats is None else {"vary": "Accept"}
    return header_pairs({"etag": answer.etag, **varying, **_CORS_ORIGIN})


def representation_headers(answer: PictureResponse, picture: Picture, length: int) -> Pairs:
    """The other fields of a response with the picture, or `length` bytes of it."""
    image, name = answer.record.image, quote(answer.record.image.filename, safe="")
    # Pages embed it either way; opened by itself it is downloaded, so that its scripts don't run.
    disposition = (
        "attachment"
        if answer.requested.recipe is None and spec(image.format).can_contain_scripts
        else "inline"
    )
    fields = {
        "last-modified": format_datetime(image.modified_at.astimezone(UTC), usegmt=True),
        "accept-ranges": "bytes",
        **_CORS_EXPOSE,
        **_SECURITY_HEADERS,
        "content-disposition": f"{disposition}; filename*=UTF-8''{name}",
        "content-type": picture.media_type,
        "content-length": str(length),
    }
    return header_pairs(fields)


def header_pairs(fields: dict[str, str]) -> Pairs:
    """Header fields as in ASGI."""
    return [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
