"""The front door, plain ASGI: health, pictures, and behind them the dialects' endpoints."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
import uuid_utils

from tintype.core import Services
from tintype.model import Error, Kind
from tintype.web.access_log import AccessLog, LogFields
from tintype.web.context import Context, Scope, open_context
from tintype.web.delivery import CORS, Delivery, Send
from tintype.web.dialect_routes import DialectRoutes, RawResponse, Receive, find_routes
from tintype.web.errors import problem, to_error
from tintype.web.health import HEALTH_PATHS, health
from tintype.web.logs import MAX_VALUE
from tintype.web.metrics import METRICS_PATH, metrics
from tintype.web.refusals import REFUSED, Refusals
from tintype.web.request_body import RequestBody
from tintype.web.response_cache import CacheResult
from tintype.web.settings import WebSettings

Application = Callable[[Any, Any, Any], Awaitable[None]]

LINGER_SECONDS = 1.0
"""How long a connection stays open after an answer, when the client still sends what nobody reads."""
_NOSNIFF = (b"x-content-type-options", b"nosniff")
MAX_PATH = 1024
"""Characters of the longest path of an endpoint: the framework remembers the paths it found one for."""

_FORWARDING_HEADERS = ("x-forwarded-for", "forwarded")
_ADVICE = "If a proxy of yours is in front, set TINTYPE_LIMITS_PROXIES to 1 (docs/nginx.md)."

log = structlog.get_logger("tintype")


class App:
    """The ASGI application.

    Args:
        endpoints: the framework's application.
        all_routes: what each dialect has.
        settings: where the service is reached.
        delivery: answers delivery links.
        lines: the log of requests.
        proxies: how many there are in front.
    """

    def __init__(
        self,
        services: Services,
        endpoints: Application,
        all_routes: Sequence[DialectRoutes],
        settings: WebSettings,
        delivery: Delivery,
        lines: AccessLog,
        proxies: int,
    ) -> None:
        self._services = services
        self._endpoints = endpoints
        self._mounts = all_routes
        self._settings = settings
        self._delivery = delivery
        self._response_cache = delivery.response_cache
        self._lines = lines
        self._refusals = Refusals(settings.refusals_per_second)
        self._base = settings.base()
        self._hosts = settings.served_hosts()
        self._warns_of_proxies = not proxies
        self._direct = {
            path: answer for routes in all_routes for path, answer in routes.raw_endpoints.items()
        }
        self._links = {prefix: routes for routes in all_routes for prefix in routes.link_parsers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            answered = self._response_cache.find(scope)
            if answered is None:
                await self._serve(scope, receive, send)
            else:
                await self._send_ready(scope, send, answered)
        elif scope["type"] == "lifespan":
            await self._endpoints(scope, receive, send)

    async def _send_ready(self, scope: Scope, send: Send, answered: CacheResult) -> None:
        began = time.perf_counter()
        ready, status, pairs, body = answered
        request_id = uuid_utils.uuid7().hex
        headers = [*pairs, (b"request-id", request_id.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(body)
        if self._lines.tells_pictures:
            told = _log_fields(request_id, scope["method"], ready.path, status, began)
            self._lines.add(told, time.time())

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._inside(scope["path"])
        context = open_context(scope, path or "", self._settings.public_url, self._base)
        scope = scope | {"tintype.context": context, "path": context.path}
        watch = _RequestTracker(context, receive, send, self._settings, self._refusals)
        self._warn_of_proxies(context)
        try:
            await self._route(context, scope, receive, watch, known=path is not None)
        except Exception as raised:  # noqa: BLE001  the last place where anything unforeseen can be answered
            await self._answer_error(raised, context, watch)
        finally:
            if self._lines.tells_pictures or not (watch.is_picture and watch.status < HTTPStatus.BAD_REQUEST):
                told = _log_fields(
                    context.request_id, context.method, context.path, watch.status, context.started
                )
                told |= {"account": context.account, "token": context.token, **context.notes}
                self._lines.add(told, time.time())

    def _warn_of_proxies(self, context: Context) -> None:
        """Say once that what a proxy tells is not believed: all who come through it count as one."""
        found = next((name for name in _FORWARDING_HEADERS if name in context.headers), None)
        if self._warns_of_proxies and found:
            self._warns_of_proxies = False
            log.warning("proxy-not-believed", header=found, advice=_ADVICE)

    async def _route(
        self, context: Context, scope: Scope, receive: Receive, watch: "_RequestTracker", *, known: bool
    ) -> None:
        plain = await self._plain(context, scope)
        if plain is not None:
            await _send_response(watch.send, plain, head=context.method == "HEAD")
            return
        prefix = self._link_prefix(context.path)
        if prefix is not None:
            watch.is_picture = True
            await self._delivery.deliver(context, scope, receive, watch.send, self._links[prefix], prefix)
            return
        if not known or _has_encoded_slash(scope) or self._is_crooked(context.path):
            raise Error(Kind.NOT_FOUND, "There is nothing at this path.")
        raw_endpoints = self._direct.get(context.path) if context.method == "POST" else None
        if raw_endpoints is not None:
            await _send_response(watch.send, await raw_endpoints(context, watch.receive))
            return
        # Without the query: the framework would remember it, and everything here reads the context's.
        await self._endpoints(scope | {"query_string": b""}, watch.receive, watch.send)

    async def _plain(self, context: Context, scope: Scope) -> RawResponse | None:
        """The answer where no dialect has a say: health, a host that is not served, metrics."""
        if context.path in HEALTH_PATHS:
            return await health(self._services, context.path)
        refusal = self._hosts.refusal(scope["headers"])
        if refusal is not None:
            status, why = refusal
            return problem(Error(Kind.MALFORMED, why), context, status)
        if context.path == METRICS_PATH and self._settings.metrics:
            return await metrics(self._services)
        return None

    def _inside(self, path: str) -> str | None:
        """The path below the base path; None if it lies outside. Health is answered on both sides."""
        if not self._base or path in HEALTH_PATHS:
            return path
        if path == self._base or path.startswith(self._base + "/"):
            return path[len(self._base) :] or "/"
        return None

    def _link_prefix(self, path: str) -> str | None:
        return next((prefix for prefix in self._links if path.startswith(prefix + "/")), None)

    def _is_crooked(self, path: str) -> bool:
        """Whether the framework would overlook in a path what its dialect does not, or remember much."""
        routes = find_routes(self._mounts, path)
        ends_with_slash = path != "/" and path.endswith("/") and not (routes and routes.trailing_slash)
        return ends_with_slash or "//" in path or len(path) > MAX_PATH

    async def _answer_error(self, raised: Exception, context: Context, watch: "_RequestTracker") -> None:
        error = to_error(raised, context)
        if watch.status:
            # The answer has begun: nothing but breaking off tells the client that it is not whole.
            raise raised
        routes = find_routes(self._mounts, context.path)
        answer = (routes.render_error if routes else problem)(error, context)
        if self._link_prefix(context.path):
            answer = _as_delivery(answer)
        await _send_response(watch.send, answer, head=context.method == "HEAD")


class _RequestTracker:
    """Sees a request and its answer go by: what is left of the body is dropped before the answer begins."""

    def __init__(
        self, context: Context, receive: Receive, send: Send, settings: WebSettings, refusals: Refusals
    ) -> None:
        self._context = context
        self._refusals = refusals
        self._incoming = RequestBody(context, receive, settings)
        self._send = send
        self.receive = self._incoming.receive
        self._lingers = False
        self.status = 0
        self.is_picture = False

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await self._incoming.drain()
            self.status = message["status"]
            if self.status in REFUSED:
                await self._refusals.wait()
            headers = [*message.get("headers", ()), (b"request-id", self._context.request_id.encode())]
            if not self.is_picture or self.status >= HTTPStatus.BAD_REQUEST:
                headers.append(_NOSNIFF)
            if not self._incoming.is_at_its_end():
                headers.append((b"connection", b"close"))
            self._lingers = self._incoming.is_cut_off()
            if self._lingers:
                headers = [field for field in headers if field[0] != b"content-length"]
            message = message | {"headers": headers}
        elif self._lingers and not message.get("more_body"):
            # What follows closes the connection, and resets it if more was sent: who looks at answers while
            # it sends has the time to see this one. Its length is not said, or it would end here.
            await self._send(message | {"more_body": True})
            await asyncio.sleep(LINGER_SECONDS)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)


def _log_fields(request_id: str, method: str, path: str, status: int, began: float) -> LogFields:
    """The fields of every line about a request. Who asks for a picture is nobody's caller."""
    return {
        "request_id": request_id,
        # Cut here, and not only when they are written: lines are gathered.
        "method": method[:MAX_VALUE],
        "path": path[:MAX_VALUE],
        "status": status,
        "ms": round((time.perf_counter() - began) * 1000, 2),
        "account": None,
        "token": None,
    }


def _has_encoded_slash(scope: Scope) -> bool:
    """Whether a slash in the path was written as %2F: then it is no border between two parts of it."""
    return b"%2f" in scope.get("raw_path", b"").lower()


def _as_delivery(answer: RawResponse) -> RawResponse:
    headers = answer.headers | CORS | {"cache-control": "no-store"}
    return RawResponse(answer.status, answer.body, answer.media_type, headers)


async def _send_response(send: Send, answer: RawResponse, *, head: bool = False) -> None:
    headers = {"content-type": answer.media_type, "content-length": str(len(answer.body)), **answer.headers}
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
