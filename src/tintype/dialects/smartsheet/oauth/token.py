"""`POST /2.0/token`: tokens for a code or a refresh token; `DELETE`: the caller's token is revoked."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import structs

from tintype.core.access import oauth
from tintype.core.access.oauth import redeem_code, refresh, revoke_own_token
from tintype.dialects.smartsheet.auth import authenticate
from tintype.dialects.smartsheet.errors import InvalidClient, InvalidGrant
from tintype.dialects.smartsheet.oauth import wire
from tintype.dialects.smartsheet.settings import Settings
from tintype.dialects.smartsheet.wire import log_fields, require_headers
from tintype.web.api import ApiRequest, public_endpoint
from tintype.web.bodies import read
from tintype.web.dialect_routes import RawResponse
from tintype.web.responses import json_response

PATH = "/2.0/token"

Request = ApiRequest[Settings]


@public_endpoint("POST", PATH)
async def issue(request: Request) -> RawResponse:
    """Tokens for an app, which proves who it is in the request; an Authorization header is ignored."""
    _check_headers(request)
    body = await read(request, request.settings.max_body_bytes)
    asked = wire.parse_token_request(request.context.query, body)
    request.context.notes["app"] = asked.proof.client_id[:100]
    exchange = redeem_code if asked.grant_type == "authorization_code" else refresh
    with _vendor_errors():
        issued = await exchange(
            request.services,
            "smartsheet",
            asked.proof,
            asked.secret,
            asked.redirect_url,
            wire.lifetimes(request.settings),
            request.origin,
        )
    return wire.encode_tokens(issued)


@public_endpoint("DELETE", PATH)
async def revoke(request: Request) -> RawResponse:
    """Revoke the token that the request is made with. No scope is needed, so it is not behind the gate."""
    _check_headers(request)
    caller = structs.replace(await authenticate(request), origin=request.origin)
    request.context.set_caller(caller)
    everything = wire.parse_form(request.context.query).get("deleteAllForApiClient", "")
    await revoke_own_token(request.services, caller, all_of_app=everything.lower() == "true")
    return json_response(b'{"message":"SUCCESS","resultCode":0}')


def _check_headers(request: Request) -> None:
    require_headers(request.context.headers)
    request.context.notes.update(log_fields(request.context.headers))


@contextmanager
def _vendor_errors() -> Iterator[None]:
    """Give errors the words that clients look for."""
    try:
        yield
    except oauth.InvalidClient as error:
        raise InvalidClient(error.message) from error
    except oauth.InvalidGrant as error:
        raise InvalidGrant(error.message) from error
