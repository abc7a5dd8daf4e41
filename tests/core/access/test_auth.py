"""Who may come in: tokens made, recognised, expired, revoked; secrets kept nowhere."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.core.conftest import NOBODY, Town
from tintype.core.access.auth import (
    authenticate,
    authenticate_pair,
    get_or_create_person,
    issue_token,
    list_tokens,
    require_role,
    require_scope,
    revoke_token,
)
from tintype.model import Caller, Error, Forbidden, Kind, NotFound, TokenKind


async def make(
    town: Town, dialect: str = "native", *, who: Caller | None = None, pairs: bool = False, **options: object
) -> list[str]:
    who = who or town.anna
    account, person = who.account, who.person
    return await issue_token(
        town.services,
        account,
        person,
        dialect,
        pairs=pairs,
        actor=NOBODY,
        **options,  # type: ignore[arg-type]  # passed on as they are
    )


async def refusal(town: Town, secret: str | None, dialect: str = "native") -> Kind | None:
    try:
        await authenticate(town.services, dialect, secret)
    except Error as error:
        return error.kind
    return None


async def pair_refusal(town: Town, client: str, access: str) -> Kind | None:
    try:
        await authenticate_pair(town.services, "mews", client, access)
    except Error as error:
        return error.kind
    return None


async def test_a_token_lets_in_the_person_it_was_made_for(town: Town) -> None:
    (secret,) = await make(town, role="manager", scopes=frozenset({"read", "write"}))
    caller = await authenticate(town.services, "native", secret)
    assert (caller.account, caller.person) == (town.anna.account, town.anna.person)
    assert (caller.role, caller.scopes, caller.dialect) == (
        "manager",
        frozenset({"read", "write"}),
        "native",
    )


@pytest.mark.parametrize("secret", [None, ""])
async def test_no_token_is_told_apart_from_an_unknown_one(town: Town, secret: str | None) -> None:
    assert await refusal(town, secret) is Kind.NO_TOKEN


@pytest.mark.parametrize(
    "change", [str.upper, str.lower, lambda s: s[:-1], lambda s: s + "A", lambda s: " " + s]
)
async def test_nothing_but_the_secret_itself_opens(town: Town, change: object) -> None:
    (secret,) = await make(town)
    assert callable(change)
    assert await refusal(town, change(secret)) is Kind.UNKNOWN_TOKEN


@pytest.mark.parametrize("secret", ["x", "x" * 100_000, "\0", "\ud800", "' OR 1=1 --", "Ж"])
async def test_whatever_is_sent_as_a_token_is_unknown(town: Town, secret: str) -> None:
    await make(town)
    assert await refusal(town, secret) is Kind.UNKNOWN_TOKEN


async def test_a_token_of_one_dialect_is_unknown_in_another(town: Town) -> None:
    (secret,) = await make(town, "evotor")
    assert await refusal(town, secret, "native") is Kind.UNKNOWN_TOKEN
    assert await refusal(town, secret, "evotor") is None


async def test_a_token_opens_until_the_moment_it_expires(town: Town) -> None:
    (secret,) = await make(town, lifetime=timedelta(seconds=90))
    town.clock.go(seconds=90, microseconds=-1)
    assert await refusal(town, secret) is None
    town.clock.go(microseconds=1)
    assert await refusal(town, secret) is Kind.EXPIRED_TOKEN
    town.clock.go(days=365)
    assert await refusal(town, secret) is Kind.EXPIRED_TOKEN


async def test_a_token_without_a_lifetime_opens_for_ever(town: Town) -> None:
    (secret,) = await make(town)
    town.clock.go(days=36_500)
    assert await refusal(town, secret) is None


async def test_a_revoked_token_is_unknown_even_when_it_has_expired_too(town: Town) -> None:
    (secret,) = await make(town, lifetime=timedelta(seconds=90))
    (token,) = await list_tokens(town.services)
    assert (await revoke_token(town.services, token.id, NOBODY)).id == token.id
    assert await refusal(town, secret) is Kind.UNKNOWN_TOKEN
    town.clock.go(days=1)
    assert await refusal(town, secret) is Kind.UNKNOWN_TOKEN


async def test_revoking_again_keeps_the_first_time(town: Town) -> None:
    await make(town)
    (token,) = await list_tokens(town.services)
    first = town.clock.now
    await revoke_token(town.services, token.id, NOBODY)
    town.clock.go(hours=1)
    await revoke_token(town.services, token.id, NOBODY)
    assert [each.revoked_at for each in await list_tokens(town.services)] == [first]


async def test_revoking_what_does_not_exist_is_missing(town: Town) -> None:
    with pytest.raises(NotFound):
        await revoke_token(town.services, UUID(int=1), NOBODY)


async def test_a_pair_opens_only_together(town: Town) -> None:
    client, access = await make(town, "mews", pairs=True)
    other_client, other_access = await make(town, "mews", who=town.boris, pairs=True)
    assert (await authenticate_pair(town.services, "mews", client, access)).account == town.anna.account
    assert (
        await authenticate_pair(town.services, "mews", other_client, other_access)
    ).account == town.boris.account
    for pair in (
        (client, other_access),
        (other_client, access),
        (access, client),
        (client, client),
        (access, access),
        ("unknown", access),
        (client, "unknown"),
    ):
        assert await pair_refusal(town, *pair) is Kind.UNKNOWN_TOKEN
    for pair in ((client, ""), ("", access), ("", "")):
        assert await pair_refusal(town, *pair) is Kind.NO_TOKEN
    assert await refusal(town, client, "mews") is Kind.UNKNOWN_TOKEN


async def test_revoking_a_client_token_revokes_the_access_tokens_issued_for_it(town: Town) -> None:
    client, access = await make(town, "mews", pairs=True)
    kept = await make(town, "mews", pairs=True)
    token = next(each for each in await list_tokens(town.services) if each.kind is TokenKind.CLIENT)
    await revoke_token(town.services, token.id, NOBODY)
    assert await pair_refusal(town, client, access) is Kind.UNKNOWN_TOKEN
    assert await refusal(town, access, "mews") is Kind.UNKNOWN_TOKEN
    assert await pair_refusal(town, *kept) is None
    assert sum(each.revoked_at is not None for each in await list_tokens(town.services)) == 2


async def test_an_access_token_of_a_pair_expires(town: Town) -> None:
    client, access = await make(town, "mews", pairs=True, lifetime=timedelta(hours=1))
    town.clock.go(hours=1)
    assert await pair_refusal(town, client, access) is Kind.EXPIRED_TOKEN


async def test_secrets_are_nowhere_on_the_disk(town: Town) -> None:
    made = await make(town, label="till") + await make(town, "mews", pairs=True)
    await town.services.catalogue.close()
    kept = b"".join(path.read_bytes() for path in town.data.rglob("*") if path.is_file())
    assert b"till" in kept  # so it is the right place to look
    assert len(set(made)) == 3
    for secret in made:
        assert len(secret) >= 43  # 32 random bytes in base64url
        assert secret.encode() not in kept
        # The last four characters are kept, to tell tokens apart; nothing else of them.
        assert not any(secret[at : at + 8].encode() in kept for at in range(len(secret) - 7))


async def test_the_list_is_everything_but_the_secret(town: Town) -> None:
    (secret,) = await make(town, label="till 3", lifetime=timedelta(days=1))
    await make(town, who=town.boris)
    (token,) = await list_tokens(town.services, "north")
    assert (token.label, token.dialect, token.hint) == ("till 3", "native", secret[-4:])
    assert (token.created_at, token.expires_at) == (town.clock.now, town.clock.now + timedelta(days=1))
    assert secret not in repr(token)
    assert [each.account.name for each in await list_tokens(town.services)] == ["north", "south"]
    with pytest.raises(NotFound, match="nobody's"):
        await list_tokens(town.services, "nobody's")


async def test_an_account_and_its_people_are_made_once(town: Town) -> None:
    assert await get_or_create_person(town.services, "north", "Anna Koch") == (
        town.anna.account,
        town.anna.person,
    )
    account, namesake = await get_or_create_person(town.services, "south", "Anna Koch")
    assert account == town.boris.account
    assert namesake.id != town.anna.person.id
    assert town.anna.account.number != town.boris.account.number


async def test_roles_and_scopes_are_asked_for_by_name(town: Town) -> None:
    (secret,) = await make(town, role="viewer", scopes=frozenset({"read"}))
    caller = await authenticate(town.services, "native", secret)
    require_scope(caller, "read")
    require_role(caller, frozenset({"viewer"}))
    with pytest.raises(Error, match="write"):
        require_scope(caller, "write")
    with pytest.raises(Error, match="scope"):
        require_scope(caller, "")
    for roles in (frozenset({"editor", "manager"}), frozenset[str]()):
        with pytest.raises(Forbidden):
            require_role(caller, roles)
