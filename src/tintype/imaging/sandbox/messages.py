"""What is said between the service and a renderer: MessagePack, each with its length in front."""

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
"""Of a message; the bytes of a rendition come behind it and are no part of it."""
MIN_TIMEOUT = 0.001
"""Seconds that are waited at least: none would mean not to wait, and less is none to poll(2)."""


class Examine(Struct, frozen=True, tag=True):
    """Say what the source is, and decode all of it once. None is no limit."""

    limits: Limits | None


class Render(Struct, frozen=True, tag=True):
    """Make a rendition of the source."""

    recipe: Recipe
    limits: OutputLimits
    source_limits: Limits


class Strip(Struct, frozen=True, tag=True):
    """Copy the source without its metadata."""

    format: Format


class Order(Struct, frozen=True):
    """What is to be done with the source, whose descriptor comes with it.

    Attributes:
        work: that.
        memory: bytes that it may take; work that needs more isn't begun.
        has_all: whether that is as many as there can be.
    """

    work: Examine | Render | Strip
    memory: int
    is_max_memory: bool = False


class Refusal(Struct, frozen=True, tag=True):
    """Why a picture isn't taken in, or isn't made: an ImageRefused on its way."""

    reason: Reason
    sentence: Annotated[str, Meta(max_length=1000)]


class Examined(Struct, frozen=True, tag=True):
    """What the source is, as far as that can be told.

    Attributes:
        format: by its first bytes.
        info: with the placeholder, unless it is refused.
        refused: why it can't be taken in.
    """

    format: Format | None = None
    info: ImageInfo | None = None
    refused: Refusal | None = None


class Rendered(Struct, frozen=True, tag=True):
    """A rendition of so many bytes, which follow; where only metadata was stripped, without its size."""

    format: Format
    width: Annotated[int, Meta(ge=0)]
    height: Annotated[int, Meta(ge=0)]
    size: Annotated[int, Meta(ge=0)]


class Needs(Struct, frozen=True, tag=True):
    """The work takes so many bytes of memory, more than it was given; None: more than it was given."""

    memory: int | None


class Failed(Struct, frozen=True, tag=True):
    """An error that nobody foresaw, as its traceback."""

    traceback: str


class Ready(Struct, frozen=True, tag=True):
    """The renderer waits for orders, kept from all the rest as it says."""

    confinement: Confinement


Answer = Examined | Rendered | Refusal | Needs | Failed | Ready


class Reply(Struct, frozen=True):
    """An answer, and the bytes of memory that the renderer holds after it."""

    answer: Answer
    memory: int


def encode(message: Order | Reply) -> bytes:
    """The message with its length in front."""
    data = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(data)) + data


decode_order = msgspec.msgpack.Decoder(Order).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


class ClosedError(Exception):
    """The other side has gone, or says what can't be meant."""


def receive(channel: socket.socket, count: int, deadline: float | None = None) -> bytes:
    """Exactly so many bytes. Raises ClosedError; TimeoutError when they aren't all there in time.

    Args:
        channel: where from.
        count: how many.
        until: the time of `time.monotonic` to wait for; None: for ever.
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
    """The next message. Raises as `receive`."""
    (length,) = LENGTH.unpack(receive(channel, LENGTH.size, deadline))
    if length > MAX_BYTES:
        raise ClosedError
    return receive(channel, length, deadline)
