"""Settings of the server: addresses, connections, time limits."""

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from tintype.web.hosts import Hosts


class WebSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the service is reached."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    """The port to listen on; 0 picks a free one."""
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    """Worker processes. Rate limits are counted in each of them."""
    stop_seconds: Annotated[int, Meta(ge=1)] = 30
    """How long a stop waits for requests under way before it ends them."""
    public_url: str = ""
    """The address in links, with the base path, such as https://images.example.com/context; empty: the
    address that the client reached the service by."""
    base_path: str = ""
    """A path that all of the service lies under, such as /context; empty: none."""
    hosts: tuple[str, ...] = ()
    """The hosts that requests may be for, such as ["images.example.com", "*.example.org", "10.0.0.0/8"],
    besides that of `public_url`; empty: any. Health is told to all."""
    dialects: tuple[str, ...] = ()
    """The dialects that are served, such as ["mews", "native"]; empty: all of them. Of the others there is
    nothing, neither endpoints nor links."""
    metrics: bool = False
    """Whether `/metrics` is served, to anybody: the counters of the worker process that answers."""
    connections: Annotated[int, Meta(ge=1)] = 8192
    """Connections that each worker process has open at once; more wait until one of them ends."""
    connections_per_address: Annotated[int, Meta(ge=0)] = 1024
    """How many of them one address (of IPv6 its first 64 bits) may have; beyond it those that did least are
    ended. 0: no limit. Not counted where `[limits] proxies` says that they are a proxy's."""
    first_byte_seconds: Annotated[float, Meta(gt=0)] = 10.0
    """How long a connection may be open without a first byte."""
    head_seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 30.0
    """How long a client may take for the head of a request, from the opening of its connection or the end of
    the answer before; so this is also how long a connection stays open between two requests."""
    refusals_per_second: Annotated[int, Meta(ge=0)] = 100
    """Answers of status 429 and 503 that leave each worker process in a second. More wait for their turn,
    three seconds at the most: clients that ask again at once take no time from others. 0: no limit."""
    drain_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024 * 1024
    """How much of an unread request body is read and dropped before the response is sent. A server that
    responds and closes while the client still sends resets the connection, and many clients then never see
    the response."""
    stranger_drain_bytes: Annotated[int, Meta(ge=0)] = 1024 * 1024
    """The same for requests without a valid token."""
    body_idle_seconds: Annotated[float, Meta(gt=0)] = 30.0
    """How long a request body may stall before it counts as aborted."""
    body_seconds: Annotated[float, Meta(gt=0)] = 3600.0
    """How long a request body may be waited for in all before it counts as aborted."""
    min_rate: Annotated[int, Meta(ge=0)] = 1024
    """Bytes a second that a request body has to come at, and an answer has to be read at, on average over
    `rate_seconds`; 0: at any rate."""
    rate_seconds: Annotated[float, Meta(gt=0)] = 30.0
    """How long a client may be slower than that."""

    def __post_init__(self) -> None:
        """Raise ValueError (the setting's name, what is wrong) for an invalid host or public address."""
        try:
            Hosts(self.hosts)
        except ValueError as wrong:
            raise ValueError("hosts", str(wrong).removesuffix(".")) from None
        if self.public_url and not _is_web_address(self.public_url):
            allowed = "it begins with https:// or http:// and a host, such as https://images.example.com"
            raise ValueError("public_url", allowed)

    def served_hosts(self) -> Hosts:
        """The hosts that are served."""
        public = urlsplit(self.public_url).hostname
        return Hosts((*self.hosts, public) if self.hosts and public else self.hosts)

    def base(self) -> str:
        """The base path with a slash before it and none behind it; empty if there is none."""
        inner = self.base_path.strip("/")
        return f"/{inner}" if inner else ""


def _is_web_address(url: str) -> bool:
    try:
        address = urlsplit(url)
    except ValueError:  # such as a bracket that is not closed
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname)
