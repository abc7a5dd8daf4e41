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
    """A path prefix of the whole service, such as /context; empty: none."""
    hosts: tuple[str, ...] = ()
    """The accepted values of the Host header, such as ["images.example.com", "*.example.org", "10.0.0.0/8"],
    besides the host of `public_url`; empty: any. Health checks are answered for all."""
    dialects: tuple[str, ...] = ()
    """The dialects that are served, such as ["mews", "native"]; empty: all. The others have neither endpoints
    nor links.
    """
    metrics: bool = False
    """Whether `/metrics` is served, to anybody: the counters of all worker processes together."""
    connections: Annotated[int, Meta(ge=1)] = 8192
    """Connections that each worker process has open at once; more wait until one of them ends."""
    connections_per_address: Annotated[int, Meta(ge=0)] = 1024
    """How many of them one address (of IPv6 its first 64 bits) may have; beyond it the least active are
    closed. 0: no limit. Not counted when `[limits] proxies` says that they are a proxy's.
    """
    first_byte_seconds: Annotated[float, Meta(gt=0)] = 10.0
    """How long a connection may be open without a first byte."""
    head_seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 30.0
    """How long a client may take for the request line and headers, from the opening of the connection or the
    end of the last response; so it is also how long an idle connection stays open.
    """
    refusals_per_second: Annotated[int, Meta(ge=0)] = 100
    """Responses of status 429 and 503 that each worker process sends per second. More are delayed, by three
    seconds at most, so that clients that retry at once take no CPU time from others. 0: no limit.
    """
    drain_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024 * 1024
    """How much of an unread request body is read and dropped before the response is sent. A server that
    responds and closes while the client still sends resets the connection, and many clients then never see
    the response."""
    unauthenticated_drain_bytes: Annotated[int, Meta(ge=0)] = 1024 * 1024
    """The same for requests without a valid token."""
    body_idle_seconds: Annotated[float, Meta(gt=0)] = 30.0
    """How long a request body may stall before it counts as aborted."""
    body_seconds: Annotated[float, Meta(gt=0)] = 3600.0
    """How long a whole request body may take before it counts as aborted."""
    min_rate: Annotated[int, Meta(ge=0)] = 1024
    """Bytes per second at which a request body must arrive and a response must be read, on average over
    `rate_seconds`; 0: any rate.
    """
    rate_seconds: Annotated[float, Meta(gt=0)] = 30.0
    """The period over which that rate is averaged, in seconds."""

    def __post_init__(self) -> None:
        """Raise ValueError (the setting's name, what is wrong) for an invalid host or public address."""
        try:
            Hosts(self.hosts)
        except ValueError as wrong:
            raise ValueError("hosts", str(wrong)) from None
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
