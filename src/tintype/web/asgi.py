"""The ASGI application: health, metrics and delivery itself; the framework serves the dialects' endpoints."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
import uuid_utils

from tintype.core import Services
from tintype.model import ClientGone, Malformed
from tintype.web.access_log import AccessLog, LogFields
from tintype.web.context import Context, Scope, open_context
from tintype.web.delivery import Delivery, Send
from tintype.web.dialect_routes import DialectRoutes, RawEndpoint, RawResponse, Receive, find_routes
from tintype.web.errors import (
    CLIENT_CLOSED_REQUEST,
    method_not_allowed,
    no_such_path,
    problem_details,
    to_error,
)
from tintype.web.health import HEALTH_PATHS, health
from tintype.web.logs import MAX_VALUE
from tintype.web.metrics import METRICS_PATH, metrics
from tintype.web.picture_response import CORS
from tintype.web.refusals import THROTTLED_STATUSES, RefusalThrottle
from tintype.web.request_body import RequestBody
from tintype.web.response_cache import CacheResult
from tintype.web.settings import WebSettings

Application = Callable[[Any, Any, Any], Awaitable[None]]

LINGER_SECONDS = 1.0
"""How long a connection stays open after a response when the client is still sending a body."""
_RAW_METHODS = ("OPTIONS", "POST")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
MAX_PATH = 1024
"""The longest path of an endpoint, in characters: the framework caches the paths that it routed."""

_FORWARDING_HEADERS = ("x-forwarded-for", "forwarded")
_PROXY_ADVICE = "If a proxy of yours is in front, set TINTYPE_LIMITS_PROXIES to 1 (docs/nginx.md)."

log = structlog.get_logger("tintype")


class App:
    """The ASGI application.

    Args:
        endpoints: the framework's application.
        all_routes: the routes of each dialect.
        settings: of the server.
        delivery: answers delivery links.
        access_log: the log of requests.
        proxies: the number of trusted proxies in front.
    """

    def __init__(
        self,
        services: Services,
        endpoints: Application,
        all_routes: Sequence[DialectRoutes],
        settings: WebSettings,
        delivery: Delivery,
        access_log: AccessLog,
        proxies: int,
    ) -> None:
        self._services = services
        self._endpoints = endpoints
        self._all_routes = all_routes
        self._settings = settings
        self._delivery = delivery
        self._response_cache = delivery.response_cache
        self._access_log = access_log
        self._throttle = RefusalThrottle(settings.refusals_per_second)
        self._base = settings.base()
        self._hosts = settings.served_hosts()
        self._warns_of_forwarding_headers = not proxies
        self._raw_endpoints = {
            path + end: endpoint
            for routes in all_routes
            for path, endpoint in routes.raw_endpoints.items()
            for end in (("", "/") if routes.trailing_slash else ("",))
        }
        self._links = {prefix: routes for routes in all_routes for prefix in routes.link_parsers}
        self._any_case_links = [prefix for prefix, routes in self._links.items() if routes.any_case_links]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            hit = self._response_cache.find(scope)
            if hit is None:
                await self._serve(scope, receive, send)
            else:
                await self._send_cached(scope, send, hit)
        elif scope["type"] == "lifespan":
            await self._endpoints(scope, receive, send)

    async def _send_cached(self, scope: Scope, send: Send, hit: CacheResult) -> None:
        began = time.perf_counter()
        cached, status, pairs, body = hit
        request_id = uuid_utils.uuid7().hex
        headers = [*pairs, (b"request-id", request_id.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(body)
        if self._access_log.logs_deliveries:
            fields = _log_fields(request_id, scope["method"], cached.path, status, began)
            self._access_log.add(fields, time.time())

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._strip_base_path(scope["path"])
        context = open_context(scope, path or "", self._settings.public_url, self._base)
        scope = scope | {"tintype.context": context, "path": context.path}
        tracker = _RequestTracker(context, receive, send, self._settings, self._throttle)
        self._warn_of_forwarding_headers(context)
        try:
            await self._route(context, scope, receive, tracker, is_inside=path is not None)
        except ClientGone:
            tracker.status = tracker.status or CLIENT_CLOSED_REQUEST
        except Exception as raised:  # noqa: BLE001  the last place where anything unforeseen can be answered
            await self._respond_to_error(raised, context, tracker)
        finally:
            if self._access_log.logs_deliveries or not (
                tracker.is_delivery and tracker.status < HTTPStatus.BAD_REQUEST
            ):
                fields = _log_fields(
                    context.request_id, context.method, context.path, tracker.status, context.started
                )
                fields |= {"account": context.account, "token": context.token, **context.notes}
                self._access_log.add(fields, time.time())

    def _warn_of_forwarding_headers(self, context: Context) -> None:
        """Warn once that a forwarding header is ignored: all clients behind that proxy count as one."""
        header = next((name for name in _FORWARDING_HEADERS if name in context.headers), None)
        if self._warns_of_forwarding_headers and header:
            self._warns_of_forwarding_headers = False
            log.warning("forwarded-header-ignored", header=header, advice=_PROXY_ADVICE)

    async def _route(
        self, context: Context, scope: Scope, receive: Receive, tracker: "_RequestTracker", *, is_inside: bool
    ) -> None:
        response = await self._respond_outside_dialects(context, scope)
        if response is not None:
            await _send_response(tracker.send, response, head=context.method == "HEAD")
            return
        prefix = self._link_prefix(context.path)
        if prefix is not None:
            tracker.is_delivery = True
            await self._delivery.deliver(context, scope, receive, tracker.send, self._links[prefix], prefix)
            return
        if not is_inside or _has_encoded_slash(scope) or self._is_noncanonical(context.path):
            raise no_such_path()
        raw_endpoint = self._raw_endpoints.get(context.path)
        if raw_endpoint is not None:
            await _send_raw(context, raw_endpoint, tracker)
            return
        # Without the query: the framework would cache it, and everything here reads it from the context.
        await self._endpoints(scope | {"query_string": b""}, tracker.receive, tracker.send)

    async def _respond_outside_dialects(self, context: Context, scope: Scope) -> RawResponse | None:
        """The response outside of all dialects: health, metrics, or a host that is not served."""
        if context.path in HEALTH_PATHS:
            return await health(self._services, context.path)
        refusal = self._hosts.refusal(scope["headers"])
        if refusal is not None:
            status, why = refusal
            return problem_details(Malformed(why), context, status)
        if context.path == METRICS_PATH and self._settings.metrics:
            return await metrics(self._services)
        return None

    def _strip_base_path(self, path: str) -> str | None:
        """The path below the base path; None if it lies outside. Health is answered inside and outside."""
        if not self._base or path in HEALTH_PATHS:
            return path
        if path == self._base or path.startswith(self._base + "/"):
            return path[len(self._base) :] or "/"
        return None

    def _link_prefix(self, path: str) -> str | None:
        exact = next((prefix for prefix in self._links if path.startswith(prefix + "/")), None)
        if exact is not None:
            return exact
        folded = path.lower()
        return next(
            (prefix for prefix in self._any_case_links if folded.startswith(prefix.lower() + "/")), None
        )

    def _is_noncanonical(self, path: str) -> bool:
        """Whether the framework would accept a path that its dialect doesn't have, or cache a long one."""
        routes = find_routes(self._all_routes, path)
        ends_with_slash = path != "/" and path.endswith("/") and not (routes and routes.trailing_slash)
        return ends_with_slash or "//" in path or len(path) > MAX_PATH

    async def _respond_to_error(
        self, raised: Exception, context: Context, tracker: "_RequestTracker"
    ) -> None:
        error = to_error(raised, context)
        if tracker.status:
            # The response has begun: only closing the connection tells the client that it is incomplete.
            raise raised
        prefix = self._link_prefix(context.path)
        routes = self._links[prefix] if prefix else find_routes(self._all_routes, context.path)
        response = (routes.render_error if routes else problem_details)(error, context)
        if prefix:
            response = _as_delivery(response)
        await _send_response(tracker.send, response, head=context.method == "HEAD")


class _RequestTracker:
    """Wraps `receive` and `send` of a request: drains its body before the response, adds common headers."""

    def __init__(
        self, context: Context, receive: Receive, send: Send, settings: WebSettings, throttle: RefusalThrottle
    ) -> None:
        self._context = context
        self._throttle = throttle
        self._body = RequestBody(context, receive, settings)
        self._send = send
        self.receive = self._body.receive
        self._lingers = False
        self.status = 0
        self.is_delivery = False

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await self._body.drain()
            self.status = message["status"]
            if self.status in THROTTLED_STATUSES:
                await self._throttle.wait()
            headers = [*message.get("headers", ()), (b"request-id", self._context.request_id.encode())]
            if not self.is_delivery or self.status >= HTTPStatus.BAD_REQUEST:
                headers.append(_NOSNIFF)
            if not self._body.can_keep_alive():
                headers.append((b"connection", b"close"))
            self._lingers = self._body.has_unread_body()
            if self._lingers:
                headers = [field for field in headers if field[0] != b"content-length"]
            message = message | {"headers": headers}
        elif self._lingers and not message.get("more_body"):
            # The server then closes the connection, which resets it if the client is still sending. The delay
            # lets a client that reads while it sends see the response. Without a Content-Length it ends only
            # with the connection.
            await self._send(message | {"more_body": True})
            await asyncio.sleep(LINGER_SECONDS)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)


def _log_fields(request_id: str, method: str, path: str, status: int, began: float) -> LogFields:
    """The fields of every line about a request. Delivery requests have no account or token."""
    return {
        "request_id": request_id,
        # Truncated here, and not only when written: lines are buffered.
        "method": method[:MAX_VALUE],
        "path": path[:MAX_VALUE],
        "status": status,
        "ms": round((time.perf_counter() - began) * 1000, 2),
        "account": None,
        "token": None,
    }


def _has_encoded_slash(scope: Scope) -> bool:
    """Whether the path contains a slash as %2F, which doesn't separate segments."""
    return b"%2f" in scope.get("raw_path", b"").lower()


def _as_delivery(response: RawResponse) -> RawResponse:
    headers = response.headers | CORS | {"cache-control": "no-store"}
    return RawResponse(response.status, response.body, response.media_type, headers)


async def _send_raw(context: Context, endpoint: RawEndpoint, tracker: _RequestTracker) -> None:
    """Respond where POST is the only method; OPTIONS lists the methods (RFC 9110, 9.3.7)."""
    if context.method == "POST":
        await _send_response(tracker.send, await endpoint(context, tracker.receive))
    elif context.method == "OPTIONS":
        headers = [(b"allow", ", ".join(_RAW_METHODS).encode())]
        await tracker.send(
            {"type": "http.response.start", "status": HTTPStatus.NO_CONTENT.value, "headers": headers}
        )
        await tracker.send({"type": "http.response.body", "body": b""})
    else:
        raise method_not_allowed(_RAW_METHODS)


async def _send_response(send: Send, response: RawResponse, *, head: bool = False) -> None:
    headers = {
        "content-type": response.media_type,
        "content-length": str(len(response.body)),
        **response.headers,
    }
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
