"""`tintype account`: the settings of one account."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import rich_click as click

from tintype.cli.arguments import printable
from tintype.cli.library import command_actor, data_option, plain_errors, with_services
from tintype.cli.units import format_size, parse_size
from tintype.core import Services
from tintype.core.access.account_summary import AccountSummary, account_summaries, account_summary
from tintype.core.access.metadata_policy import set_strips_metadata, strips_metadata
from tintype.core.access.publication import publish, published, set_links
from tintype.core.access.quotas import set_quotas
from tintype.core.access.size_allowlist import SizeAllowlist, get_allowlist, parse_sizes, set_allowlist
from tintype.dialects import AnyDialect, discover
from tintype.model import Links, Publications, QuotaOverrides

MAX_COUNT = 2**31 - 1
"""The largest count that the catalogue can store, except of bytes."""


@click.group()
def account() -> None:
    """Show and change accounts. They are created by `tintype token create` and `tintype import`."""


@account.command("sizes")
@data_option
@click.argument("name")
@click.argument("sizes", required=False)
@click.option("--any", "anything", is_flag=True, help="Allow all sizes again.")
@plain_errors
def limit_sizes(data: Path, name: str, sizes: str | None, *, anything: bool) -> None:
    """Limit the sizes that unsigned links to images of account NAME can have, or show the limit.

    SIZES are widths and heights in pixels, such as 320x240,640x,x480. Existing renditions in other sizes
    stay until they are purged. Signed links can have any size.
    """
    if anything and sizes:
        raise click.UsageError("Give sizes, or --any, not both.")
    allowlist, actor = parse_sizes(sizes) if sizes else None, command_actor()

    async def work(services: Services) -> SizeAllowlist | None:
        account, present = await get_allowlist(services, name)
        if not sizes and not anything:
            return present
        await set_allowlist(services, account, allowlist, actor)
        return allowlist

    click.echo(with_services(data, work) or "any")


@account.command("publish")
@data_option
@click.argument("name")
@click.argument("dialects", metavar="[DIALECT]...", nargs=-1)
@click.option("--add", is_flag=True, help="Add these dialects.")
@click.option("--remove", is_flag=True, help="Remove these dialects.")
@click.option("--none", "nothing", is_flag=True, help="Publish through no dialect.")
@plain_errors
def publish_images(
    data: Path, name: str, dialects: tuple[str, ...], *, add: bool, remove: bool, nothing: bool
) -> None:
    """Publish the images of account NAME through exactly these dialects, or show the present ones.

    Within a second, links of other dialects stop working, and their APIs refuse the account's tokens.
    Creating a token for a dialect publishes through it; revoking tokens changes nothing here.
    """
    if add + remove + nothing > 1 or (nothing == bool(dialects) and (add or remove or nothing)):
        raise click.UsageError("Give dialects, with --add or --remove or neither; or --none alone.")
    names, actor = {_dialect(each).name for each in dialects}, command_actor()

    async def work(services: Services) -> Publications:
        if not names and not nothing:
            return await published(services, name)
        return await publish(services, name, names, actor, add=add, remove=remove)

    _show_publications(with_services(data, work))


@account.command("links")
@data_option
@click.argument("name")
@click.argument("dialect")
@click.argument("links", metavar="[LINKS]", required=False, type=click.Choice(["plain", "signed", "default"]))
@plain_errors
def set_link_kind(data: Path, name: str, dialect: str, links: str | None) -> None:
    """Set the kind of links of a DIALECT to images of account NAME, or show it.

    LINKS is plain, signed or default (the setting of the dialect). Plain links can be written by anybody who
    knows or guesses an id, in any size. When links are signed, plain ones stop working within a second.
    Some dialects have only signed links.
    """
    spoken, actor = _dialect(dialect), command_actor()
    if spoken.links is None and links is not None:
        raise click.UsageError(f"The links of {spoken.name} are always signed.")

    async def work(services: Services) -> Publications:
        if links is None:
            return await published(services, name)
        kind = None if links == "default" else Links(links)
        return await set_links(services, name, spoken.name, kind, actor)

    publications = with_services(data, work)
    _show_publications({each: publications[each] for each in publications if each == spoken.name})


@account.command("quota")
@data_option
@click.argument("name")
@click.option("--bytes", "size", callback=parse_size, metavar="SIZE", help="The most bytes, such as 10GB.")
@click.option("--images", type=click.IntRange(0, MAX_COUNT), help="The most images.")
@click.option("--uploads", type=click.IntRange(0, MAX_COUNT), help="The most uploads at the same time.")
@click.option(
    "--pixel-seconds", type=click.IntRange(0, MAX_COUNT), help="The most render seconds per minute."
)
@click.option("--default", "reset", is_flag=True, help="Reset the quotas that aren't given to the settings.")
@plain_errors
def set_quota(
    data: Path,
    name: str,
    size: int | None,
    images: int | None,
    uploads: int | None,
    pixel_seconds: int | None,
    *,
    reset: bool,
) -> None:
    """Set the quotas of account NAME, or show them; 0 means no limit.

    A new quota applies from the next request. Existing images stay, even if they exceed it.
    """
    given, actor = QuotaOverrides(size, images, uploads, pixel_seconds), command_actor()

    async def work(services: Services) -> AccountSummary:
        if reset or given != QuotaOverrides():
            await set_quotas(services, name, given, actor, reset=reset)
        return await account_summary(services, name)

    _show_quotas(with_services(data, work))


@account.command("show")
@data_option
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@plain_errors
def show_account(data: Path, name: str, *, as_json: bool) -> None:
    """Show the publications, allowed sizes, quotas and usage of account NAME."""

    async def work(services: Services) -> AccountSummary:
        return await account_summary(services, name)

    summary = with_services(data, work)
    if as_json:
        click.echo(_as_json(summary))
        return
    click.echo(f"{printable(summary.account.name)} ({summary.account.number})")
    click.echo("publishes:")
    _show_publications(summary.publications)
    click.echo(f"sizes: {summary.sizes or 'any'}")
    _show_quotas(summary)


@account.command("list")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@plain_errors
def list_accounts(data: Path, *, as_json: bool) -> None:
    """List the accounts with their images, bytes and publications."""
    for summary in with_services(data, account_summaries):
        if as_json:
            click.echo(_as_json(summary))
        else:
            dialects = ", ".join(summary.publications) or "nothing"
            usage = f"{summary.usage.images} images, {format_size(summary.usage.bytes)}"
            click.echo(f"{printable(summary.account.name)}: {usage}; publishes {dialects}")


def _as_json(summary: AccountSummary) -> str:
    fields = {
        "name": summary.account.name,
        "id": summary.account.id,
        "number": summary.account.number,
        "publications": summary.publications,
        "sizes": summary.sizes,
        "usage": summary.usage,
        "quotas": summary.quotas,
        "set": summary.overrides,
    }
    return msgspec.json.encode(fields).decode()


def _show_quotas(summary: AccountSummary) -> None:
    quotas, usage = summary.quotas, summary.usage
    rows = {
        "bytes": f"{format_size(usage.bytes)} of {_limit(quotas.bytes, format_size)}",
        "images": f"{usage.images} of {_limit(quotas.images)}",
        "uploads": f"{_limit(quotas.uploads)} at once",
        "pixel_seconds": f"{_limit(quotas.pixel_seconds)} a minute",
    }
    for name, text in rows.items():
        origin = "" if getattr(summary.overrides, name) is None else ", set for this account"
        click.echo(f"{name.replace('_', '-')}: {text}{origin}")


def _limit(limit: int, write: Callable[[int], str] = str) -> str:
    return write(limit) if limit else "any"


@account.command("metadata")
@data_option
@click.argument("name")
@click.argument("what", metavar="[WHAT]", required=False, type=click.Choice(["keep", "strip"]))
@plain_errors
def deliver_metadata(data: Path, name: str, what: str | None) -> None:
    """Set whether originals of account NAME are delivered with metadata, or show it.

    WHAT is keep or strip. Stripped originals have no EXIF, GPS, XMP, IPTC and comments; their pixels, colour
    profile and orientation are unchanged. The stored files do not change. Renditions never have metadata.
    """
    actor = command_actor()

    async def work(services: Services) -> bool:
        if what is None:
            return await strips_metadata(services, name)
        await set_strips_metadata(services, name, actor, strips=what == "strip")
        return what == "strip"

    click.echo("strip" if with_services(data, work) else "keep")


def _dialect(name: str) -> AnyDialect:
    known = {dialect.name: dialect for dialect in discover()}
    if name not in known:
        raise click.UsageError(f"{name!r} is no dialect; there are {', '.join(known)}.")
    return known[name]


def _show_publications(publications: Publications) -> None:
    """Print a line for each dialect: its name and the kind of its links."""
    has_both_kinds = {dialect.name for dialect in discover() if dialect.links is not None}
    for name, links in publications.items():
        click.echo(f"{name} {links or 'default' if name in has_both_kinds else 'signed'}")
    if not publications:
        click.echo("nothing")
