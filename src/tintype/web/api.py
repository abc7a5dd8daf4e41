"""Endpoints of a dialect's API: what each is declared to require, and how a request gets to it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct, structs

from tintype.core import Services
from tintype.core.access.auth import require_role, require_scope
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.model import Caller, Error
from tintype.web.context import Context
from tintype.web.dialect_routes import RawEndpoint, RawResponse, Receive

S = TypeVar("S", bound=Struct)
"""The settings of a dialect."""
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(slots=True)
class ApiRequest(Generic[S]):
    """A request to an endpoint.

    Attributes:
        services: what use-cases work with.
        settings: the dialect's.
        context: the method, path, query and headers, and what is logged of the request.
        receive: ASGI's, for the body; `web.bodies` reads it.
        path_params: the values of the parameters in the path, decoded.
        raw: the body, once `bodies.read` has read it.
        origin: the client's address, for the audit log.
    """

    services: Services
    settings: S
    context: Context
    receive: Receive
    path_params: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    origin: str = ""


Authenticate = Callable[[ApiRequest[S]], Awaitable[Caller]]
"""Returns the caller of a request, by the vendor's rules. Raises Error."""
Handler = Callable[[ApiRequest[S], Caller], Awaitable[RawResponse]]
"""Answers a request that is authenticated and authorized: parse, one call into core, answer. Raises Error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[S]):
    """One endpoint, as `endpoint` declares it."""

    method: Method
    paths: tuple[str, ...]
    scope: str | None
    roles: frozenset[str] | None
    cost: Callable[[S], int]
    raw: bool
    handle: Handler[S]


def _one(_settings: Struct) -> int:
    return 1


def endpoint(
    method: Method,
    *paths: str,
    scope: str | None,
    roles: frozenset[str] | None = None,
    raw: bool = False,
    cost: Callable[[Any], int] = _one,
) -> Callable[[Handler[S]], Endpoint[S]]:
    """Declare an endpoint, and what is checked before it is called and its body is read.

    The checks are in this order: authentication, the rate limit of the token, scope, role.

    Args:
        method: its method.
        paths: its paths; a parameter is written `{name:str}`.
        scope: the scope that the token must have; None: any token of the dialect will do.
        roles: the roles of which the caller must have one; None: any.
        raw: whether it is served ahead of the framework, which costs more CPU than the rest of a small batch.
            Then its method is POST, its paths have no parameters, and it changes nothing (the audit log would
            lack the client's address).
        cost: how many requests it counts as under the rate limit.
    """

    def declare(handle: Handler[S]) -> Endpoint[S]:
        return Endpoint(
            method=method, paths=paths, scope=scope, roles=roles, cost=cost, raw=raw, handle=handle
        )

    return declare


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEndpoint(Generic[S]):
    """An endpoint without a caller, as `public_endpoint` declares it."""

    method: Method
    paths: tuple[str, ...]
    handle: Callable[[ApiRequest[S]], Awaitable[RawResponse]]


def public_endpoint(
    method: Method, *paths: str
) -> Callable[[Callable[[ApiRequest[S]], Awaitable[RawResponse]]], PublicEndpoint[S]]:
    """Declare an endpoint that is called without authentication; requests are limited by client address."""

    def declare(handle: Callable[[ApiRequest[S]], Awaitable[RawResponse]]) -> PublicEndpoint[S]:
        return PublicEndpoint(method=method, paths=paths, handle=handle)

    return declare


@dataclass(frozen=True, slots=True, kw_only=True)
class Api(Generic[S]):
    """The endpoints of a dialect.

    Attributes:
        endpoints: all of them.
        authenticate: returns the caller of a request.
        rate_limiter: makes the rate limiter of its tokens from the settings.
        roles: every role that its tokens can have.
        pairs: whether a token is a pair of a client token and an access token.
        public_endpoints: those without a caller.
        public_rate_limiter: makes the rate limiter of client addresses there; required with such endpoints.
        oauth: whether OAuth apps can be created for it.
    """

    endpoints: Sequence[Endpoint[S]]
    authenticate: Authenticate[S]
    rate_limiter: Callable[[S], RateLimiter]
    roles: tuple[str, ...] = ()
    pairs: bool = False
    public_endpoints: Sequence[PublicEndpoint[S]] = ()
    public_rate_limiter: Callable[[S], RateLimiter] | None = None
    oauth: bool = False

    @property
    def default_role(self) -> str:
        """The role of a new token: the first, if the dialect has roles."""
        return self.roles[0] if self.roles else ""

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that an endpoint requires; a new token has all of them by default."""
        return frozenset(each.scope for each in self.endpoints if each.scope is not None)


AnyApi = Api[Struct]
"""The API of any dialect; it is only given settings that this dialect's type of settings made."""


class Gate(Generic[S]):
    """Lets requests through to the endpoints of one API, or refuses them."""

    def __init__(self, api: Api[S], services: Services, settings: S) -> None:
        self._api = api
        self._services = services
        self._settings = settings
        self._rate_limiter = api.rate_limiter(settings)
        limiter = api.public_rate_limiter
        self._public_rate_limiter = self._rate_limiter if limiter is None else limiter(settings)

    async def respond(
        self,
        endpoint: Endpoint[S],
        context: Context,
        receive: Receive,
        path_params: Mapping[str, str],
        origin: str = "",
    ) -> RawResponse:
        """The response of an endpoint; `origin` is the client's address, for the audit log.

        Raises:
            Error: what authentication raises; TOO_MANY_REQUESTS; FORBIDDEN without the scope or role; what
                the endpoint raises.
        """
        request = ApiRequest(self._services, self._settings, context, receive, path_params, origin=origin)
        caller = await self._api.authenticate(request)
        context.set_caller(caller)
        self._count(context, caller, endpoint.cost(self._settings))
        if endpoint.scope is not None:
            require_scope(caller, endpoint.scope)
        if endpoint.roles is not None:
            require_role(caller, endpoint.roles)
        if origin:
            caller = structs.replace(caller, origin=origin)
        return await endpoint.handle(request, caller)

    async def respond_to_anyone(
        self, endpoint: PublicEndpoint[S], context: Context, receive: Receive, network: str, origin: str
    ) -> RawResponse:
        """The response of an endpoint without a caller; `network` is what the client's address is counted as.

        Raises:
            Error: TOO_MANY_REQUESTS; what the endpoint raises.
        """
        self._public_rate_limiter.take(network)
        return await endpoint.handle(
            ApiRequest(self._services, self._settings, context, receive, origin=origin)
        )

    def public_endpoints(self) -> Sequence[PublicEndpoint[S]]:
        """The endpoints without a caller."""
        return self._api.public_endpoints

    def routed_endpoints(self) -> list[Endpoint[S]]:
        """The endpoints that the framework routes requests to."""
        return [each for each in self._api.endpoints if not each.raw]

    def raw_endpoints(self) -> dict[str, RawEndpoint]:
        """The endpoints that are served ahead of the framework, by path."""
        return {path: self._raw(each) for each in self._api.endpoints if each.raw for path in each.paths}

    def _raw(self, endpoint: Endpoint[S]) -> RawEndpoint:
        return lambda context, receive: self.respond(endpoint, context, receive, {})

    def _count(self, context: Context, caller: Caller, cost: int) -> None:
        """Count the request. Dialects report the status of the limit, also when it is exceeded."""
        try:
            context.rate_limit_status = self._rate_limiter.take(caller.token_id, cost)
        except Error:
            context.rate_limit_status = self._rate_limiter.status(caller.token_id)
            raise
