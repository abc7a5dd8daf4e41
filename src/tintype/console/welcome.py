"""The first page: the version and the dialects; in a demo also its images and example requests."""

from collections.abc import Callable, Sequence

import jinja2
from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from tintype import __version__
from tintype.core import Services
from tintype.core.library.browse import newest_images
from tintype.model import Caller, Image, Status
from tintype.web.context import Context

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
    dependencies = {
        "services": Provide(lambda: services, sync_to_thread=False),
        "page": Provide(lambda: page, sync_to_thread=False),
        "template": Provide(lambda: template, sync_to_thread=False),
    }
    return get("/", dependencies=dependencies)(_show)


async def _show(
    services: Given[Services],
    page: Given[Page],
    template: Given[jinja2.Template],
    context: Given[Context],
) -> Response[str]:
    images: list[Image] = []
    requests: Sequence[ExampleRequest] = ()
    if page.showcase is not None:
        images = await newest_images(services, page.showcase.caller, None, MAX_IMAGES)
        requests = page.showcase.requests(context.base_url, images[-1]) if images else ()
    html = template.render(
        version=__version__,
        base_url=context.base_url,
        dialects=page.dialects,
        demo=page.showcase is not None,
        thumbnails=[_thumbnail(page, image, context.base_url) for image in images],
        requests=requests,
    )
    return Response(html, media_type="text/html", headers=_HEADERS)


def _thumbnail(page: Page, image: Image, base_url: str) -> Thumbnail:
    thumbnail = Thumbnail(image, None)
    if page.thumbnail is None or thumbnail.is_archived:
        return thumbnail
    return Thumbnail(image, base_url + page.thumbnail(image))
