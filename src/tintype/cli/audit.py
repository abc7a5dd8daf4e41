"""`tintype audit`: show who changed what, when, and from where."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import rich_click as click

from tintype.catalogue.audit import AuditFilter
from tintype.cli.arguments import printable
from tintype.cli.library import data_option, plain_errors, with_services
from tintype.cli.token import parse_duration
from tintype.core import Services
from tintype.core.access.audit import entries
from tintype.model import AuditEntry
from tintype.model.audit import Event


def parse_since(ctx: click.Context, param: click.Parameter, text: str | None) -> datetime | None:
    """The time of 7d (ago), 2026-01-31 or 2026-01-31T12:00+01:00; without a time zone, UTC."""
    if text is None:
        return None
    try:
        return _moment(ctx, param, text).astimezone(UTC)
    except OverflowError:
        raise click.BadParameter("there is no such time.", ctx, param) from None
    except click.BadParameter:
        raise click.BadParameter(
            "write 7d or 12h (ago), 2026-01-31, or 2026-01-31T12:00+01:00.", ctx, param
        ) from None


def _moment(ctx: click.Context, param: click.Parameter, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC) - (parse_duration(ctx, param, text) or timedelta())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@data_option
@click.option(
    "--since",
    callback=parse_since,
    metavar="TIME",
    help="Only entries since then: 7d (ago), 12h, or a date. [default: all]",
)
@click.option("--account", help="Only entries about this account.")
@click.option("--event", type=click.Choice([event.value for event in Event]), help="Only this event.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@plain_errors
def audit(
    data: Path, since: datetime | None, account: str | None, event: str | None, *, as_json: bool
) -> None:
    """Show the audit log, oldest first: who changed what, when, and from where.

    It records tokens created and revoked, keys added and retired, images deleted and replaced, and changes
    of account settings. Entries are never changed or deleted.
    """
    write = _as_json if as_json else _as_text

    async def work(services: Services) -> None:
        async for entry in entries(services, AuditFilter(since, account, event)):
            click.echo(write(entry))

    with_services(data, work)


def _as_json(entry: AuditEntry) -> str:
    fields = {
        "seq": entry.seq,
        "at": entry.at,
        "event": entry.event,
        "account": entry.account,
        "actor": entry.actor.name,
        "origin": entry.actor.origin,
        "details": entry.details,
    }
    return msgspec.json.encode(fields).decode()


def _as_text(entry: AuditEntry) -> str:
    who = f"{entry.actor.name} from {entry.actor.origin or 'here'}"
    details = msgspec.json.encode(entry.details).decode()
    line = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.event}  {entry.account or '-'}  {who}  {details}"
    # Names come from clients: they must not send escape sequences to the terminal.
    return printable(line)
