"""Who may come in: tokens made, recognised, expired, revoked; secrets kept nowhere."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.core.conftest import NOBODY, Instance
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
    instance: Instance,
    dialect: str = "native",
    *,
    who: Caller | None = None,
    pairs: bool = False,
    **options: object,
) -> list[str]:
    who = who or instance.anna
    account, person = who.account, who.person
    return await issue_token(
        instance.services,
        account,
        person,
        dialect,
        pairs=pairs,
        actor=NOBODY,
        **options,  # type: ignore[arg-type]  # passed on as they are
    )


async def refusal(instance: Instance, secret: str | None, dialect: str = "native") -> Kind | None:
    try:
        await authenticate(instance.services, dialect, secret)
    except Error as error:
        return error.kind
    return None


async def pair_refusal(instance: Instance, client: str, access: str) -> Kind | None:
    try:
        await authenticate_pair(instance.services, "mews", client, access)
    except Error as error:
        return error.kind
    return None


async def test_a_token_lets_in_the_person_it_was_made_for(instance: Instance) -> None:
    (secret,) = await make(instance, role="manager", scopes=frozenset({"read", "write"}))
    caller = await authenticate(instance.services, "native", secret)
    assert (caller.account, caller.person) == (instance.anna.account, instance.anna.person)
    assert (caller.role, caller.scopes, caller.dialect) == (
        "manager",
        frozenset({"read", "write"}),
        "native",
    )


@pytest.mark.parametrize("secret", [None, ""])
async def test_no_token_is_told_apart_from_an_unknown_one(instance: Instance, secret: str | None) -> None:
    assert await refusal(instance, secret) is Kind.NO_TOKEN


@pytest.mark.parametrize(
    "change", [str.upper, str.lower, lambda s: s[:-1], lambda s: s + "A", lambda s: " " + s]
)
async def test_nothing_but_the_secret_itself_opens(instance: Instance, change: object) -> None:
    (secret,) = await make(instance)
    assert callable(change)
    assert await refusal(instance, change(secret)) is Kind.UNKNOWN_TOKEN


@pytest.mark.parametrize("secret", ["x", "x" * 100_000, "\0", "\ud800", "' OR 1=1 --", "Ж"])
async def test_whatever_is_sent_as_a_token_is_unknown(instance: Instance, secret: str) -> None:
    await make(instance)
    assert await refusal(instance, secret) is Kind.UNKNOWN_TOKEN


async def test_a_token_of_one_dialect_is_unknown_in_another(instance: Instance) -> None:
    (secret,) = await make(instance, "evotor")
    assert await refusal(instance, secret, "native") is Kind.UNKNOWN_TOKEN
    assert await refusal(instance, secret, "evotor") is None


async def test_a_token_opens_until_the_moment_it_expires(instance: Instance) -> None:
    (secret,) = await make(instance, lifetime=timedelta(seconds=90))
    instance.clock.go(seconds=90, microseconds=-1)
    assert await refusal(instance, secret) is None
    instance.clock.go(microseconds=1)
    assert await refusal(instance, secret) is Kind.EXPIRED_TOKEN
    instance.clock.go(days=365)
    assert await refusal(instance, secret) is Kind.EXPIRED_TOKEN


async def test_a_token_without_a_lifetime_opens_for_ever(instance: Instance) -> None:
    (secret,) = await make(instance)
    instance.clock.go(days=36_500)
    assert await refusal(instance, secret) is None


async def test_a_revoked_token_is_unknown_even_when_it_has_expired_too(instance: Instance) -> None:
    (secret,) = await make(instance, lifetime=timedelta(seconds=90))
    (token,) = await list_tokens(instance.services)
    assert (await revoke_token(instance.services, token.id, NOBODY)).id == token.id
    assert await refusal(instance, secret) is Kind.UNKNOWN_TOKEN
    instance.clock.go(days=1)
    assert await refusal(instance, secret) is Kind.UNKNOWN_TOKEN


async def test_revoking_again_keeps_the_first_time(instance: Instance) -> None:
    await make(instance)
    (token,) = await list_tokens(instance.services)
    first = instance.clock.now
    await revoke_token(instance.services, token.id, NOBODY)
    instance.clock.go(hours=1)
    await revoke_token(instance.services, token.id, NOBODY)
    assert [each.revoked_at for each in await list_tokens(instance.services)] == [first]


async def test_revoking_what_does_not_exist_is_missing(instance: Instance) -> None:
    with pytest.raises(NotFound):
        await revoke_token(instance.services, UUID(int=1), NOBODY)


async def test_a_pair_opens_only_together(instance: Instance) -> None:
    client, access = await make(instance, "mews", pairs=True)
    other_client, other_access = await make(instance, "mews", who=instance.boris, pairs=True)
    assert (
        await authenticate_pair(instance.services, "mews", client, access)
    ).account == instance.anna.account
    assert (
        await authenticate_pair(instance.services, "mews", other_client, other_access)
    ).account == instance.boris.account
    for pair in (
        (client, other_access),
        (other_client, access),
        (access, client),
        (client, client),
        (access, access),
        ("unknown", access),
        (client, "unknown"),
    ):
        assert await pair_refusal(instance, *pair) is Kind.UNKNOWN_TOKEN
    for pair in ((client, ""), ("", access), ("", "")):
        assert await pair_refusal(instance, *pair) is Kind.NO_TOKEN
    assert await refusal(instance, client, "mews") is Kind.UNKNOWN_TOKEN


async def test_revoking_a_client_token_revokes_the_access_tokens_issued_for_it(instance: Instance) -> None:
    client, access = await make(instance, "mews", pairs=True)
    kept = await make(instance, "mews", pairs=True)
    token = next(each for each in await list_tokens(instance.services) if each.kind is TokenKind.CLIENT)
    await revoke_token(instance.services, token.id, NOBODY)
    assert await pair_refusal(instance, client, access) is Kind.UNKNOWN_TOKEN
    assert await refusal(instance, access, "mews") is Kind.UNKNOWN_TOKEN
    assert await pair_refusal(instance, *kept) is None
    assert sum(each.revoked_at is not None for each in await list_tokens(instance.services)) == 2


async def test_an_access_token_of_a_pair_expires(instance: Instance) -> None:
    client, access = await make(instance, "mews", pairs=True, lifetime=timedelta(hours=1))
    instance.clock.go(hours=1)
    assert await pair_refusal(instance, client, access) is Kind.EXPIRED_TOKEN


async def test_secrets_are_nowhere_on_the_disk(instance: Instance) -> None:
    made = await make(instance, label="till") + await make(instance, "mews", pairs=True)
    await instance.services.catalogue.close()
    kept = b"".join(path.read_bytes() for path in instance.data.rglob("*") if path.is_file())
    assert b"till" in kept  # so it is the right place to look
    assert len(set(made)) == 3
    for secret in made:
        assert len(secret) >= 43  # 32 random bytes in base64url
        assert secret.encode() not in kept
        # The last four characters are kept, to tell tokens apart; nothing else of them.
        assert not any(secret[at : at + 8].encode() in kept for at in range(len(secret) - 7))


async def test_the_list_is_everything_but_the_secret(instance: Instance) -> None:
    (secret,) = await make(instance, label="till 3", lifetime=timedelta(days=1))
    await make(instance, who=instance.boris)
    (token,) = await list_tokens(instance.services, "north")
    assert (token.label, token.dialect, token.hint) == ("till 3", "native", secret[-4:])
    assert (token.created_at, token.expires_at) == (
        instance.clock.now,
        instance.clock.now + timedelta(days=1),
    )
    assert secret not in repr(token)
    assert [each.account.name for each in await list_tokens(instance.services)] == ["north", "south"]
    with pytest.raises(NotFound, match="nobody's"):
        await list_tokens(instance.services, "nobody's")


async def test_an_account_and_its_people_are_made_once(instance: Instance) -> None:
    assert await get_or_create_person(instance.services, "north", "Anna Koch") == (
        instance.anna.account,
        instance.anna.person,
    )
    account, namesake = await get_or_create_person(instance.services, "south", "Anna Koch")
    assert account == instance.boris.account
    assert namesake.id != instance.anna.person.id
    assert instance.anna.account.number != instance.boris.account.number


async def test_roles_and_scopes_are_asked_for_by_name(instance: Instance) -> None:
    (secret,) = await make(instance, role="viewer", scopes=frozenset({"read"}))
    caller = await authenticate(instance.services, "native", secret)
    require_scope(caller, "read")
    require_role(caller, frozenset({"viewer"}))
    with pytest.raises(Error, match="write"):
        require_scope(caller, "write")
    with pytest.raises(Error, match="scope"):
        require_scope(caller, "")
    for roles in (frozenset({"editor", "manager"}), frozenset[str]()):
        with pytest.raises(Forbidden):
            require_role(caller, roles)
