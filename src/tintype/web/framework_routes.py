"""The framework's routes for the endpoints of a dialect: it matches paths and methods, and nothing else."""

from typing import Any

from litestar import Request, Response
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from tintype.web.api import Endpoint, Gate, PublicEndpoint, S
from tintype.web.context import from_scope
from tintype.web.responses import from_raw
from tintype.web.unsigned_limits import client_ip, client_network


def route(gate: Gate[S], endpoint: Endpoint[S], proxies: int) -> HTTPRouteHandler:
    """The route of one endpoint; `proxies` is the number of trusted proxies in front."""

    async def respond(request: Request[Any, Any, State]) -> Response[Any]:
        origin = client_ip(request.scope, proxies)
        response = await gate.respond(
            endpoint, from_scope(request.scope), request.receive, request.path_params, origin
        )
        return from_raw(response)

    # The status is the response's own.
    return HTTPRouteHandler(list(endpoint.paths), http_method=endpoint.method, status_code=200)(respond)


def public_route(gate: Gate[S], endpoint: PublicEndpoint[S], proxies: int) -> HTTPRouteHandler:
    """The route of an endpoint without a caller; otherwise as `route`."""

    async def respond(request: Request[Any, Any, State]) -> Response[Any]:
        scope = request.scope
        network, origin = client_network(scope, proxies), client_ip(scope, proxies)
        return from_raw(
            await gate.respond_to_anyone(endpoint, from_scope(scope), request.receive, network, origin)
        )

    # The status is the response's own.
    return HTTPRouteHandler(list(endpoint.paths), http_method=endpoint.method, status_code=200)(respond)
