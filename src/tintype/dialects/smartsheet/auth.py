"""The caller of a request."""

from tintype.core.access.auth import authenticate as authenticate_token
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Caller
from tintype.web.api import ApiRequest
from tintype.web.authorization import bearer_token


async def authenticate(request: ApiRequest[Settings]) -> Caller:
    """The caller of a bearer token; access tokens and OAuth 2 tokens are sent in the same way."""
    token = bearer_token(request.context.headers.get("authorization", ""))
    return await authenticate_token(request.services, "smartsheet", token)
