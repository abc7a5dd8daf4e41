"""`tintype token`: create, list and revoke tokens."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tintype.cli.arguments import printable
from tintype.cli.library import command_actor, data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person, issue_token, list_tokens, revoke_token
from tintype.dialects import discover
from tintype.model import Token
from tintype.web.api import AnyApi

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(ctx: click.Context, param: click.Parameter, text: str | None) -> timedelta | None:
    """Parse a duration such as 90s, 30m, 12h or 7d."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if match is None:
        raise click.BadParameter("write 90s, 30m, 12h or 7d.", ctx, param)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


@click.group()
def token() -> None:
    """Create, list and revoke tokens.

    A token belongs to one account, one of its persons, and one dialect. Its secret is shown once, when it is
    created; only a digest is stored.
    """


@token.command()
@data_option
@click.option("--dialect", required=True, help="The dialect whose API it is for.")
@click.option("--account", default="default", show_default=True, help="The account; created if it is new.")
@click.option(
    "--person", default="Administrator", show_default=True, help="The person who uploads; created if new."
)
@click.option(
    "--role", help="The role of the person, for dialects with roles. [default: the first of the dialect]"
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="A scope of the token; repeatable. [default: all of the dialect]",
)
@click.option(
    "--expires",
    callback=parse_duration,
    metavar="DURATION",
    help="How long it is valid: 90s, 30m, 12h, 7d. [default: until revoked]",
)
@click.option("--label", default="", help="A note for the list.")
@plain_errors
def create(
    data: Path,
    dialect: str,
    account: str,
    person: str,
    role: str | None,
    scopes: tuple[str, ...],
    expires: timedelta | None,
    label: str,
) -> None:
    """Create a token and print its secret.

    Standard output has only the secret, for scripts. Where a dialect's tokens are pairs it has two lines: the
    client token, and the access token that belongs to it.
    """
    api = _api(dialect)
    allowed = _scopes(dialect, api, scopes)
    held = api.default_role if role is None else _role(dialect, api, role)
    actor = command_actor()

    async def make(services: Services) -> list[str]:
        owner, who = await get_or_create_person(services, account, person)
        return await issue_token(
            services,
            owner,
            who,
            dialect,
            pairs=api.pairs,
            label=label,
            role=held,
            scopes=allowed,
            lifetime=expires,
            actor=actor,
        )

    for line in with_services(data, make):
        click.echo(line)
    click.echo("Save it now: it is not stored and can't be shown again.", err=True)


@token.command("list")
@data_option
@click.option("--account", help="Only tokens of this account.")
@plain_errors
def show(data: Path, account: str | None) -> None:
    """List tokens, without their secrets."""

    async def listed(services: Services) -> list[Token]:
        return await list_tokens(services, account)

    table = Table("id", "account", "person", "dialect", "kind", "role", "scopes", "ends in", "label", "state")
    for each in with_services(data, listed):
        cells = (
            str(each.id),
            each.account.name,
            each.person.name,
            each.dialect,
            each.kind.value,
            each.role,
            " ".join(sorted(each.scopes)),
            each.hint,
            each.label,
            _state(each),
        )
        # As Text, so that brackets in a name are not markup.
        table.add_row(*(Text(printable(cell)) for cell in cells))
    # Wide enough for one line per token in a file or a pipe.
    console = Console()
    (console if console.is_terminal else Console(width=400)).print(table)


@token.command("revoke")
@data_option
@click.argument("token_id", type=click.UUID)
@plain_errors
def revoke(data: Path, token_id: UUID) -> None:
    """Revoke a token at once. TOKEN_ID is the first column of the list."""
    actor = command_actor()

    async def work(services: Services) -> Token:
        return await revoke_token(services, token_id, actor)

    revoked = with_services(data, work)
    click.echo(f"Revoked {revoked.id} ({revoked.dialect}, {revoked.account.name}).")


def _api(dialect: str) -> AnyApi:
    known = {each.name: each.api for each in discover() if each.api is not None}
    if dialect not in known:
        raise click.BadParameter(f"there are {', '.join(known)}.", param_hint="--dialect")
    return known[dialect]


def _scopes(dialect: str, api: AnyApi, requested: tuple[str, ...]) -> frozenset[str]:
    unknown = sorted(set(requested) - api.scopes)
    if unknown:
        has = ", ".join(sorted(api.scopes)) or "no scopes"
        raise click.BadParameter(
            f"{unknown[0]} is not a scope of {dialect}, which has {has}.", param_hint="--scope"
        )
    return frozenset(requested) or api.scopes


def _role(dialect: str, api: AnyApi, requested: str) -> str:
    if requested not in api.roles:
        has = ", ".join(api.roles) or "no roles"
        raise click.BadParameter(
            f"{requested} is not a role of {dialect}, which has {has}.", param_hint="--role"
        )
    return requested


def _state(each: Token) -> str:
    if each.revoked_at is not None:
        return f"revoked {each.revoked_at:%Y-%m-%d %H:%M}"
    if each.expires_at is not None:
        return f"until {each.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    return "valid"
