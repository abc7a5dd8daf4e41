"""Delivery links of the native dialect, all signed. Pure.

`/v1/media/<id, 22 characters>?v=1&mode=fit&w=200&h=150&exp=1798761600&kid=1f2e3d4c&sig=<43 characters>`

The parameters of the recipe are between `v` and `exp`. Without a recipe the link delivers the original.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from tintype.core.runtime.signing import Signature
from tintype.imaging import Recipe, parse_params
from tintype.imaging.recipe.params import READERS
from tintype.model import Error, ExpiredLink, Forbidden, no_such_image
from tintype.model.ids import parse_short, short
from tintype.web.dialect_routes import DeliveryRequest, RequestTarget
from tintype.web.query import Query

PREFIX = "/v1/media"

_NUMBER = re.compile(r"[1-9][0-9]{0,17}\Z")


class Link(Struct, frozen=True):
    """The parsed link.

    Attributes:
        image: the id of the image.
        version: the version of the image that the link was made for.
        recipe: the recipe of the rendition, in its canonical form; None: the original.
        expires: Unix time in seconds when the link stops working; None: never.
    """

    image: UUID
    version: int
    recipe: Recipe | None = None
    expires: int | None = None

    def parts(self) -> tuple[str, ...]:
        """The signed values: the dialect, the image, and every parameter as it is spelled."""
        return ("native", str(self.image), *(f"{name}={value}" for name, value in self.parameters()))

    def parameters(self) -> Iterator[tuple[str, str]]:
        """The parameters in their order, without the signature and without absent values."""
        yield "v", str(self.version)
        if self.recipe is not None:
            yield from self.recipe.params().items()
        if self.expires is not None:
            yield "exp", str(self.expires)

    def delivery_request(self, max_age: int, now: datetime) -> DeliveryRequest:
        """The delivery request of this link; no cache keeps the response longer than the link is valid.

        Args:
            max_age: seconds that a cache may keep the response.
            now: the current time.

        Raises:
            ExpiredLink: when the link has expired.
        """
        left = max_age if self.expires is None else self.expires - int(now.timestamp())
        if self.expires is not None and left <= 0:
            raise ExpiredLink("This link has expired.")
        public = self.expires is None
        return DeliveryRequest(
            self.image,
            self.recipe,
            version=self.version,
            max_age=min(max_age, left),
            public=public,
            expires=self.expires,
        )


def write(link: Link, signature: Signature) -> str:
    """The path and query of a link."""
    signed = (("kid", signature.key), ("sig", signature.mac))
    query = "&".join(f"{name}={value}" for name, value in (*link.parameters(), *signed))
    return f"{PREFIX}/{short(link.image)}?{query}"


def parse(target: RequestTarget) -> tuple[Link, Signature]:
    """Parse a link into its values and its signature, which is not verified here.

    Raises:
        NotFound: when the path has no image id.
        Forbidden: when the link is not exactly what `write` produces.
    """
    image, query = parse_short(target.path.removeprefix(PREFIX + "/")), target.query()
    if image is None:
        raise no_such_image()
    link = Link(
        image,
        version=_number(query, "v"),
        recipe=_recipe(query),
        expires=_number(query, "exp") if "exp" in query else None,
    )
    signature = Signature(query.get("kid", ""), query.get("sig", ""))
    if write(link, signature) != target.text:
        # One spelling for each rendition, so that no cache stores it twice.
        raise invalid_signature()
    return link, signature


def invalid_signature() -> Error:
    """The error for a link whose signature is missing or does not match."""
    return Forbidden("This link was not signed by this service, or was changed since.")


def _recipe(query: Query) -> Recipe | None:
    words = {name: query[name] for name in READERS if name in query}
    if not words:
        return None
    try:
        return parse_params(words)
    except ValueError:
        raise invalid_signature() from None


def _number(query: Query, name: str) -> int:
    text = query.get(name, "")
    if not _NUMBER.match(text):
        raise invalid_signature()
    return int(text)
