"""The kernel's counters of this process's TCP connections, read without releasing the GIL.

Linux only; on other systems no connections are reported.
"""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_SO_COOKIE = 57
_TCP_INFO = 11
# struct tcp_info of linux/tcp.h: state, unacked, last_data_sent, last_data_recv, bytes_acked, bytes_received,
# notsent_bytes. The kernel only ever adds to its end; these are there since 4.6.
_INFO = struct.Struct("=B23xI16xI4xI64xQQ8xI")
_LISTENING = 10
_STATUS = Path("/proc/self/status")

_GetOption = Callable[[int, int, int, int, int], int]


def _load_getsockopt() -> _GetOption | None:
    if not sys.platform.startswith("linux"):
        return None
    # PyDLL keeps the GIL: the call takes a microsecond, getting the GIL back thousands.
    word, number = ctypes.c_void_p, ctypes.c_int
    prototype = ctypes.PYFUNCTYPE(number, number, number, number, word, word)
    return prototype(("getsockopt", ctypes.PyDLL(None)))


_getsockopt = _load_getsockopt()
_info, _cookie = ctypes.create_string_buffer(_INFO.size), ctypes.c_uint64()
_info_size, _cookie_size = ctypes.c_uint32(_INFO.size), ctypes.c_uint32(ctypes.sizeof(_cookie))
_INFO_AT, _COOKIE_AT = ctypes.addressof(_info), ctypes.addressof(_cookie)
_INFO_SIZE_AT, _COOKIE_SIZE_AT = ctypes.addressof(_info_size), ctypes.addressof(_cookie_size)


class Traffic(NamedTuple):
    """The counters of a connection at one moment.

    Attributes:
        cookie: the kernel's unique number of this socket.
        received: bytes received by the kernel, read or not.
        acked: bytes that the other side has acknowledged.
        is_waiting: whether bytes wait to be sent or acknowledged.
        is_answered: whether something was sent after the last received byte.
    """

    cookie: int
    received: int
    acked: int
    is_waiting: bool
    is_answered: bool


def traffic(descriptor: int) -> Traffic | None:
    """The counters of a descriptor; None if it is no TCP connection."""
    if _getsockopt is None or _getsockopt(descriptor, socket.IPPROTO_TCP, _TCP_INFO, _INFO_AT, _INFO_SIZE_AT):
        return None
    state, unacked, sent_ago, received_ago, acked, received, unsent = _INFO.unpack_from(_info)
    if state == _LISTENING or _getsockopt(
        descriptor, socket.SOL_SOCKET, _SO_COOKIE, _COOKIE_AT, _COOKIE_SIZE_AT
    ):
        return None
    return Traffic(_cookie.value, received, acked, unacked > 0 or unsent > 0, sent_ago < received_ago)


def descriptors() -> range:
    """The range of all open descriptors of this process."""
    if _getsockopt is None:
        return range(0)
    with suppress(OSError):
        for line in _STATUS.read_text("ascii", "replace").splitlines():
            if line.startswith("FDSize:"):
                return range(int(line.split()[1]))
    return range(0)


def endpoints(descriptor: int) -> tuple[int, str] | None:
    """The local port and the remote address of a connection; None if it was closed meanwhile."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as duplicate:
        return duplicate.getsockname()[1], duplicate.getpeername()[0]
    return None


def shut_down(descriptor: int, cookie: int, *, drop: bool) -> bool:
    """Shut a connection down, if the descriptor still has this cookie; the server then sees it closed.

    Args:
        descriptor: its descriptor.
        cookie: its cookie.
        drop: whether unsent bytes are dropped too.
    """
    # The duplicate stays the same socket even if the descriptor is reused meanwhile.
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as duplicate:
        counters = traffic(duplicate.fileno())
        if counters is None or counters.cookie != cookie:
            return False
        if drop:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        duplicate.shutdown(socket.SHUT_RDWR)
        return True
    return False
