"""Validation of the Host header, and the hosts that are served.

A web page can make its own name resolve to an address of this machine (DNS rebinding); the requests that the
browser then sends still have that name as Host.
"""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

LOOPBACK = ("localhost", "*.localhost", "127.0.0.0/8", "::1")
"""The names and addresses of this machine for itself."""

_HOST = re.compile(rb"(?:([A-Za-z0-9._\-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\])(?::[0-9]{1,5})?\Z")
"""RFC 9110, 7.2: a name or an address, and an optional port. RFC 3986 allows more names than are in use."""
_NAME = re.compile(r"(?:\*\.)?[A-Za-z0-9._\-]{1,253}\Z")


class Hosts:
    """The hosts that are served.

    Args:
        named: names (`*.` in front includes all subdomains), addresses and networks; empty: all hosts.

    Raises:
        ValueError: when one is none of these.
    """

    def __init__(self, named: Sequence[str]) -> None:
        self._all = not named
        self._names: set[str] = set()
        self._suffixes: tuple[str, ...] = ()
        self._networks: list[IPv4Network | IPv6Network] = []
        for name in named:
            self._add(name.lower())

    def serve(self, host: bytes) -> bool:
        """Whether a `Host` is valid and served."""
        match = _HOST.match(host)
        return match is not None and (self._all or self._is_listed(match[1], match[2]))

    def refusal(self, fields: Iterable[tuple[bytes, bytes]]) -> tuple[HTTPStatus, str] | None:
        """Status and message for a request whose `Host` is invalid or not served; None if it is served."""
        hosts = [value for name, value in fields if name == b"host"]
        if len(hosts) != 1:
            # RFC 9112, 3.2.
            return HTTPStatus.BAD_REQUEST, "A request has exactly one Host."
        if not _HOST.match(hosts[0]):
            return HTTPStatus.BAD_REQUEST, "This Host is no host."
        if not self.serve(hosts[0]):
            return HTTPStatus.MISDIRECTED_REQUEST, "This host is not served here."
        return None

    def _add(self, name: str) -> None:
        network = _network(name.removeprefix("[").removesuffix("]"))
        if network is not None:
            self._networks.append(network)
        elif not _NAME.match(name):
            raise ValueError(f"{name!r} is no host")
        elif name.startswith("*."):
            self._suffixes += (name[1:],)
        else:
            self._names.add(name)

    def _is_listed(self, name: bytes | None, address: bytes | None) -> bool:
        host = (name or address or b"").decode("ascii").lower().removesuffix(".")
        return host in self._names or host.endswith(self._suffixes) or self._is_in_network(host)

    def _is_in_network(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def is_valid(host: bytes) -> bool:
    """Whether this is a syntactically valid `Host`."""
    return _HOST.match(host) is not None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None
