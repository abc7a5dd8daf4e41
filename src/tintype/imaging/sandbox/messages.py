"""Messages between the service and a renderer: MessagePack, prefixed with their length."""

import socket
import struct
import time
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tintype.imaging.errors import Reason
from tintype.imaging.formats import Format
from tintype.imaging.image_info import ImageInfo, Limits
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.geometry import OutputLimits
from tintype.imaging.sandbox.confinement import Confinement

LENGTH = struct.Struct(">I")
MAX_BYTES = 64 * 1024
"""Maximum size of a message; the bytes of a rendition follow it and don't count."""
MIN_TIMEOUT = 0.001
"""Minimum timeout in seconds: 0 makes the socket non-blocking, and poll(2) has milliseconds."""


class Examine(Struct, frozen=True, tag=True):
    """Inspect the source, and decode all of it once. None: no limits."""

    limits: Limits | None


class Render(Struct, frozen=True, tag=True):
    """Render the source."""

    recipe: Recipe
    limits: OutputLimits
    source_limits: Limits


class Strip(Struct, frozen=True, tag=True):
    """Strip the metadata of the source."""

    format: Format


class Order(Struct, frozen=True):
    """Work to do on the source, whose descriptor is sent along.

    Attributes:
        work: what to do.
        memory: memory limit in bytes; work that needs more isn't begun.
        is_max_memory: whether `memory` is the highest limit that is ever given.
    """

    work: Examine | Render | Strip
    memory: int
    is_max_memory: bool = False


class Refusal(Struct, frozen=True, tag=True):
    """An ImageRefused in a message."""

    reason: Reason
    sentence: Annotated[str, Meta(max_length=1000)]


class Examined(Struct, frozen=True, tag=True):
    """The result of Examine, as far as it got.

    Attributes:
        format: by the first bytes; None if unknown.
        info: the properties; with the placeholder, unless the image is refused.
        refused: why the image is refused; None if it is accepted.
    """

    format: Format | None = None
    info: ImageInfo | None = None
    refused: Refusal | None = None


class Rendered(Struct, frozen=True, tag=True):
    """A rendition of `size` bytes, which follow; width and height are 0 after Strip."""

    format: Format
    width: Annotated[int, Meta(ge=0)]
    height: Annotated[int, Meta(ge=0)]
    size: Annotated[int, Meta(ge=0)]


class Needs(Struct, frozen=True, tag=True):
    """The work needs this many bytes of memory, more than its limit; None: an unknown amount."""

    memory: int | None


class Failed(Struct, frozen=True, tag=True):
    """An unexpected error, with its traceback."""

    traceback: str


class Ready(Struct, frozen=True, tag=True):
    """The renderer is ready for orders, and confined like this."""

    confinement: Confinement


Answer = Examined | Rendered | Refusal | Needs | Failed | Ready


class Reply(Struct, frozen=True):
    """An answer, and the memory in bytes that the renderer uses afterwards."""

    answer: Answer
    memory: int


def encode(message: Order | Reply) -> bytes:
    """The message, prefixed with its length."""
    data = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(data)) + data


decode_order = msgspec.msgpack.Decoder(Order).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


class ClosedError(Exception):
    """The other side has closed the channel, or sent an invalid message."""


def receive(channel: socket.socket, count: int, deadline: float | None = None) -> bytes:
    """Receive exactly `count` bytes.

    Args:
        channel: the socket.
        count: number of bytes.
        deadline: in terms of `time.monotonic`; None: wait forever.

    Raises:
        ClosedError: when the channel was closed.
        TimeoutError: when the bytes did not arrive in time.
    """
    data = bytearray(count)
    view = memoryview(data)
    while view:
        if deadline is not None:
            channel.settimeout(max(MIN_TIMEOUT, deadline - time.monotonic()))
        got = channel.recv_into(view)
        if not got:
            raise ClosedError
        view = view[got:]
    return bytes(data)


def receive_message(channel: socket.socket, deadline: float | None = None) -> bytes:
    """Receive the next message.

    Raises:
        ClosedError: when the channel was closed, or the message is too long.
        TimeoutError: when the message did not arrive in time.
    """
    (length,) = LENGTH.unpack(receive(channel, LENGTH.size, deadline))
    if length > MAX_BYTES:
        raise ClosedError
    return receive(channel, length, deadline)
