"""Delivery links of every discovered dialect: something is wanted, or an error says that nothing is."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.target import Make, Target, either, mutated_text, only, repeated
from tintype.core.runtime.signing import Keyring
from tintype.dialects import AnyDialect, LinkContext, discover
from tintype.model import Kind
from tintype.web.dialect_routes import DeliveryRequest, LinkParser
from tintype.web.dialect_routes import RequestTarget as LinkTarget
from tintype.web.signatures import append, detach

KEYRING = Keyring.make(Path(tempfile.mkdtemp()) / "keys.json")
CONTEXT = LinkContext(KEYRING, lambda: datetime(2026, 1, 1, tzinfo=UTC))
REFUSALS = (Kind.NOT_FOUND, Kind.INVALID, Kind.FORBIDDEN, Kind.EXPIRED_LINK)
TAILS = [
    "/57a971a5-a335-48f4-8cd1-595245d1a876?Mode=Fit&Width=200&Height=150",
    "/ABEiM0RVZneImaq7zN3u_w?v=1&mode=fit&w=200&h=150&exp=1798761600&kid=1f2e3d4c&sig=" + "A" * 43,
    "/ABEiM0RVZneImaq7zN3u_w/3/1f2e3d4c/" + "A" * 43,
    "/flag_2014.gif?kid=1f2e3d4c&sig=" + "A" * 43,
]


def opened(link_parser: LinkParser) -> Callable[[str], None]:
    def check(text: str) -> None:
        with only(*REFUSALS):
            assert isinstance(link_parser(LinkTarget(text)), DeliveryRequest)

    return check


def of(dialect: AnyDialect) -> list[Target]:
    return [
        Target(f"links of {dialect.name}", tails(prefix), opened(link_parser))
        for prefix, link_parser in dialect.link_parsers(CONTEXT, dialect.settings()).items()
    ]


def tails(prefix: str) -> Make[str]:
    long = repeated("&", "a=1", "?", "%", "/", "kid=", "&sig=", most=30_000)
    make = either(mutated_text(*TAILS), long)
    return lambda dice: prefix + make(dice)


def signed(address: str) -> None:
    """An address that we sign is read back as it was, and what isn't signed stays as it is."""
    with only(Kind.NOT_FOUND, Kind.INVALID):
        target, is_signed = detach(KEYRING, "any", LinkTarget(address))
        assert (target.text, is_signed) == (address, False)
        assert detach(KEYRING, "any", LinkTarget(append(KEYRING, "any", address))) == (target, True)


TARGETS = (
    *(target for dialect in discover() for target in of(dialect)),
    Target("signatures behind addresses", mutated_text(*TAILS), signed),
)
