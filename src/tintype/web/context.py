"""The context of one request, from the ASGI application to its log line."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import uuid_utils

from tintype.core.runtime.rate_limit import RateLimitStatus
from tintype.model import Caller
from tintype.web.hosts import is_valid

Scope = dict[str, Any]
"""An ASGI connection scope."""


@dataclass(slots=True)
class Context:
    """One request.

    `base_url` is the address that the client used, without a trailing slash; `link` the raw path, with the
    base path, and the raw query; `target` both without the base path; `rate_limit_status` is set by dialects
    that report it; `notes` are additional fields of the log line.
    """

    request_id: str
    base_url: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    link: tuple[bytes, bytes] = (b"", b"")
    target: str = ""
    started: float = field(default_factory=time.perf_counter)
    account: UUID | None = None
    token: UUID | None = None
    rate_limit_status: RateLimitStatus | None = None
    body_is_read: bool = False
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def announces_body(self) -> bool:
        """Whether the headers announce a body."""
        return "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"

    def set_caller(self, caller: Caller) -> None:
        """Set the caller, for the log."""
        self.account = caller.account.id
        self.token = caller.token_id


def open_context(scope: Scope, path: str, public_url: str, base_path: str) -> Context:
    """The context of a request; `path` is the scope's without the base path."""
    headers = _headers(scope)
    return Context(
        request_id=uuid_utils.uuid7().hex,
        base_url=public_url.rstrip("/") or _reached_by(scope, headers) + base_path,
        method=scope["method"],
        path=path,
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        link=(scope["raw_path"], scope["query_string"]),
        target=_target(scope, base_path),
    )


def from_scope(scope: Any) -> Context:  # noqa: ANN401  Litestar's scope and plain ASGI's are both meant
    """The context in a scope that went through `App`."""
    return scope["tintype.context"]  # type: ignore[no-any-return]  # put there by App


def _target(scope: Scope, base_path: str) -> str:
    path: str = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return path.removeprefix(base_path) + (f"?{query}" if query else "")


def _headers(scope: Scope) -> dict[str, str]:
    """The header fields by name; lines of one name are joined by commas (RFC 9110, 5.2)."""
    lines: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        lines.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return {name: ", ".join(values) for name, values in lines.items()}


def _reached_by(scope: Scope, headers: dict[str, str]) -> str:
    host = headers.get("host", "")
    if not is_valid(host.encode("latin-1")):
        # Only health is answered for it; it must not become part of a link.
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}" if port else str(name)
    return f"{scope.get('scheme', 'http')}://{host}"
