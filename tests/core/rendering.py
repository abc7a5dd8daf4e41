"""Renditions as a request has them made: the variant chosen, then found or made."""

from collections.abc import Set as AbstractSet

from tintype.core.delivery import render
from tintype.core.delivery.render import Client, Picture
from tintype.core.delivery.variant import choose_variants
from tintype.core.services import Services
from tintype.imaging import Format, Recipe
from tintype.model import Image


async def rendition(
    services: Services,
    image: Image,
    recipe: Recipe,
    accepted: AbstractSet[Format] = frozenset(),
    client: Client | None = None,
) -> Picture:
    """The rendition for a client that accepts these modern formats; by default the image's account pays."""
    variants = choose_variants(image, recipe, accepted)
    return await render.rendition(services, image, variants, client or Client(image.account_id))


def rendition_tag(image: Image, recipe: Recipe, accepted: AbstractSet[Format] = frozenset()) -> str:
    """The tag of the best rendition for such a client."""
    return choose_variants(image, recipe, accepted).best.tag(image)
