"""The first page: what runs here, and in a demo its library and how to ask for it."""

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
from tintype.model import Caller, Image
from tintype.web.context import Context

SHOWN = 60
"""Pictures on the first page of a demo."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Request(Struct, frozen=True):
    """A request that can be pasted into a terminal, as it was documented."""

    title: str
    command: str


class Showcase(Struct, frozen=True):
    """What the first page of a demo shows: as whom it looks, and what it suggests to try."""

    caller: Caller
    requests: Callable[[str, Image], Sequence[Request]]


class Thumbnail(Struct, frozen=True):
    """A picture of the gallery; without a URL where no link can be made."""

    image: Image
    url: str | None


class Page(Struct, frozen=True):
    """What the page is made from."""

    dialects: tuple[str, ...]
    thumbnail: Callable[[Image], str] | None
    showcase: Showcase | None = None


def welcome(services: Services, page: Page) -> HTTPRouteHandler:
    """The route of the first page."""
    template = jinja2.Environment(
        loader=jinja2.PackageLoader("tintype.console"), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template("welcome.html")
    given = {
        "services": Provide(lambda: services, sync_to_thread=False),
        "page": Provide(lambda: page, sync_to_thread=False),
        "template": Provide(lambda: template, sync_to_thread=False),
    }
    return get("/", dependencies=given)(_show)


async def _show(
    services: Given[Services],
    page: Given[Page],
    template: Given[jinja2.Template],
    context: Given[Context],
) -> Response[str]:
    shown: list[Image] = []
    requests: Sequence[Request] = ()
    if page.showcase is not None:
        shown = await newest_images(services, page.showcase.caller, None, SHOWN)
        requests = page.showcase.requests(context.base_url, shown[-1]) if shown else ()
    html = template.render(
        version=__version__,
        base_url=context.base_url,
        dialects=page.dialects,
        demo=page.showcase is not None,
        thumbnails=[_thumbnail(page, image, context.base_url) for image in shown],
        requests=requests,
    )
    return Response(html, media_type="text/html", headers=_HEADERS)


def _thumbnail(page: Page, image: Image, base_url: str) -> Thumbnail:
    return Thumbnail(image, None if page.thumbnail is None else base_url + page.thumbnail(image))
