"""The first page: the version and the dialects; in a demo also its images and example requests."""

from collections.abc import Callable, Sequence
from typing import Any

import jinja2
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from tintype import __version__
from tintype.core import Services
from tintype.core.library.browse import newest_images
from tintype.imaging import spec
from tintype.imaging.extras import is_installed
from tintype.model import Caller, Image, Status
from tintype.web.context import from_scope

MAX_IMAGES = 60
"""The most images on the first page of a demo."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class ExampleRequest(Struct, frozen=True):
    """A command that sends a request, to be pasted into a terminal."""

    title: str
    command: str


class Showcase(Struct, frozen=True):
    """What the first page of a demo shows: the images of `caller`, and example requests about one of them."""

    caller: Caller
    requests: Callable[[str, Image], Sequence[ExampleRequest]]


class Thumbnail(Struct, frozen=True):
    """An image of the gallery; `url` is None when it has no link that opens."""

    image: Image
    url: str | None

    @property
    def is_archived(self) -> bool:
        """Whether the image is archived: then no link of it opens."""
        return self.image.status is Status.ARCHIVED


class Page(Struct, frozen=True):
    """The content of the page.

    Attributes:
        dialects: the names of the dialects that are served.
        thumbnail: makes the path of a link to a small rendition; None when no dialect can.
        showcase: the content of a demo; None outside a demo.
    """

    dialects: tuple[str, ...]
    thumbnail: Callable[[Image], str] | None
    showcase: Showcase | None = None


def welcome(services: Services, page: Page) -> HTTPRouteHandler:
    """The route of the first page."""
    template = jinja2.Environment(
        loader=jinja2.PackageLoader("tintype.console"), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template("welcome.html")

    async def show(request: Request[Any, Any, State]) -> Response[str]:
        html = template.render(await _content(services, page, from_scope(request.scope).base_url))
        return Response(html, media_type="text/html", headers=_HEADERS)

    return get("/")(show)


async def _content(services: Services, page: Page, base_url: str) -> dict[str, object]:
    """The variables of the template."""
    images: list[Image] = []
    requests: Sequence[ExampleRequest] = ()
    if page.showcase is not None:
        images = await newest_images(services, page.showcase.caller, None, MAX_IMAGES)
        requests = page.showcase.requests(base_url, images[-1]) if images else ()
    return {
        "version": __version__,
        "base_url": base_url,
        "dialects": page.dialects,
        "demo": page.showcase is not None,
        "thumbnails": [_thumbnail(page, image, base_url) for image in images],
        "requests": requests,
    }


def _thumbnail(page: Page, image: Image, base_url: str) -> Thumbnail:
    thumbnail = Thumbnail(image, None)
    if page.thumbnail is None or thumbnail.is_archived or not is_installed(spec(image.format)):
        return thumbnail
    return Thumbnail(image, base_url + page.thumbnail(image))
