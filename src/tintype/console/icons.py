"""The icon of the service in browsers: SVG, and ICO at the path that browsers ask for on their own."""

from importlib.resources import files

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

_MEDIA_TYPES = {"favicon.svg": "image/svg+xml", "favicon.ico": "image/vnd.microsoft.icon"}
_HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def icons() -> list[HTTPRouteHandler]:
    """The routes of the icons, `/favicon.svg` and `/favicon.ico`."""
    return [_icon(name, media_type) for name, media_type in _MEDIA_TYPES.items()]


def _icon(name: str, media_type: str) -> HTTPRouteHandler:
    content = (files("tintype.console") / "static" / name).read_bytes()

    async def icon() -> Response[bytes]:
        return Response(content, media_type=media_type, headers=_HEADERS)

    return get(f"/{name}")(icon)
