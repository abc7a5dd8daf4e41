"""An example: a dialect that only delivers, by links that anybody can write, or signed ones."""

from tintype.dialects import Dialect, LinkContext
from tintype.dialects.thumbs import links
from tintype.dialects.thumbs.settings import Settings
from tintype.web.dialect_routes import DeliveryRequest, LinkParser, RequestTarget
from tintype.web.signatures import detach


def link_parsers(link_context: LinkContext, settings: Settings) -> dict[str, LinkParser]:
    """One parser, for plain links and for signed ones."""

    def parse_link(target: RequestTarget) -> DeliveryRequest:
        address, is_signed = detach(link_context.keyring, links.SIGNED_FOR, target)
        link = links.parse(address)
        return DeliveryRequest(
            link.image,
            link.recipe(),
            max_age=settings.max_age_seconds,
            unsigned=not is_signed,
            any_size=not is_signed,
            canonical=links.write(link) == address.text,
        )

    return {links.PREFIX: parse_link}


DIALECT = Dialect(
    name="thumbs",
    prefixes=(links.PREFIX,),
    settings=Settings,
    link_parsers=link_parsers,
    links=lambda settings: settings.links,
)
