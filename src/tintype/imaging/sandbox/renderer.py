"""The main program of a renderer: a sandboxed process that decodes and renders, started by `pool`.

It inherits a socket that is connected to the service. Orders arrive with the descriptor of their source, and
are executed and answered one by one; nothing is kept between two orders. The process ends when the socket is
closed, when the service ends, or when it is killed.

Arguments: descriptor of the socket, process id of the service, malloc arenas, highest memory limit in bytes.
"""

import gc
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from tintype.imaging.allocator import limit_arenas, set_stack_size, trim
from tintype.imaging.errors import ImageRefused, OutOfMemory, Reason
from tintype.imaging.formats import Format
from tintype.imaging.image_info import ImageInfo, Limits, check_limits
from tintype.imaging.inspection import read_codec_info, read_info, recognise, verify
from tintype.imaging.metadata import jpeg_end, strip
from tintype.imaging.pipeline.cost import BASE, decode_memory, intake_memory
from tintype.imaging.pipeline.render import plan_rendition, render_inspected
from tintype.imaging.sandbox import fonts
from tintype.imaging.sandbox.confinement import confine
from tintype.imaging.sandbox.memory import Memory
from tintype.imaging.sandbox.messages import (
    LENGTH,
    Answer,
    ClosedError,
    Examine,
    Examined,
    Failed,
    Needs,
    Order,
    Ready,
    Refusal,
    Render,
    Rendered,
    Reply,
    Strip,
    decode_order,
    encode,
    receive,
)
from tintype.imaging.sandbox.syscalls import PR_SET_PDEATHSIG, prctl
from tintype.imaging.sandbox.warm_up import exercise_codecs, import_lazy_modules
from tintype.imaging.source import Source, content, length, map_file, mapped

STACK = 2 * 1024**2
"""Stack size of threads in bytes: libvips' own default where the system's is small."""
OWN_DATA = 256 * 1024**2
"""RLIMIT_DATA besides images, in bytes, with much slack: codecs and fonts that are loaded later."""
OWN_ADDRESSES = 1024**3
"""RLIMIT_AS besides images, in bytes: libraries, and address space that the allocator reserves."""
MAX_ALLOCATOR_RETAINED = 16 * 1024**2
"""Bytes that the allocator may retain between two orders, as allocating them again takes time."""
OOM_SCORE_ADJ = "500"
"""Of 1000: the kernel's OOM killer prefers renderers to the service."""
MAX_BYTES_PER_PIXEL = 24
"""Maximum memory of all decoders but SVG's, whose memory does not depend on its pixels."""
STRIP_SVG = 30
"""Bytes per byte of an SVG that is stripped: 10 (many small elements) to 20 (style sheets)."""
MAX_TRACEBACK = 8000
"""Maximum length of a traceback, in characters."""

Outcome = tuple[Answer, bytes]
"""An answer, and the bytes that follow it."""


def main() -> None:
    """Serve orders until the socket is closed."""
    descriptor, parent, arenas, max_memory = map(int, sys.argv[1:])
    fonts.restrict(sys.orig_argv)
    channel = socket.socket(fileno=descriptor)
    _die_with_parent(parent)
    limit_arenas(arenas)
    set_stack_size(STACK)
    import_lazy_modules()
    memory = Memory()
    _limit(memory, max_memory)
    confinement = confine(_warm_up)
    # Exclude all existing objects from future garbage collections.
    gc.collect()
    gc.freeze()
    trim()
    with suppress(ClosedError, OSError):
        channel.sendall(encode(Reply(Ready(confinement), memory.private())))
        _serve(channel, memory)


def _die_with_parent(parent: int) -> None:
    """End when the parent does; ignore other signals: the service ends its renderers itself."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(OOM_SCORE_ADJ)
    if os.getppid() != parent:
        sys.exit()


def _warm_up() -> None:
    exercise_codecs()
    # Discard stderr: from here on libraries only print what untrusted files make them print.
    os.dup2(1, 2)


def _limit(memory: Memory, max_memory: int) -> None:
    """Set the hard limits; the service lowers the soft limit for each order from outside."""
    for limit, bytes_now in (
        (resource.RLIMIT_DATA, memory.private() + OWN_DATA),
        (resource.RLIMIT_AS, memory.address_space() + OWN_ADDRESSES),
    ):
        _, hard = resource.getrlimit(limit)
        limited = (
            bytes_now + max_memory if hard == resource.RLIM_INFINITY else min(hard, bytes_now + max_memory)
        )
        if sys.platform == "linux":
            resource.setrlimit(limit, (limited, limited))


def _serve(channel: socket.socket, memory: Memory) -> None:
    first = memory.private()
    while True:
        order, source = _next(channel)
        answer, data = _execute(order, source)
        del source
        if memory.private() - len(data) > first + MAX_ALLOCATOR_RETAINED:
            trim()
        channel.sendall(encode(Reply(answer, memory.private() - len(data))))
        channel.sendall(data)
        del order, answer, data


def _next(channel: socket.socket) -> tuple[Order, Source]:
    """Receive the next order and its source.

    Raises:
        ClosedError: when the service has closed the socket.
    """
    head, descriptors, _, _ = socket.recv_fds(channel, LENGTH.size, 1)
    if not head or not descriptors:
        raise ClosedError
    try:
        head += receive(channel, LENGTH.size - len(head))
        order = decode_order(receive(channel, *LENGTH.unpack(head)))
        return order, map_file(descriptors[0])
    finally:
        os.close(descriptors[0])


def _execute(order: Order, source: Source) -> Outcome:
    try:
        return _HANDLERS[type(order.work)](order.work, source, order)
    except _NeedsMemoryError as error:
        return Needs(error.needed), b""
    except (OutOfMemory, MemoryError) as refused:
        _clear_frames(refused)
        return Needs(None), b""
    except ImageRefused as refused:
        _clear_frames(refused)
        return Refusal(refused.reason, refused.sentence), b""
    except Exception as error:  # noqa: BLE001  the service is told, and goes on with the next
        text = traceback.format_exc()[-MAX_TRACEBACK:]
        _clear_frames(error)
        return Failed(text), b""


def _examine(work: Examine, source: Source, order: Order) -> Outcome:
    format_: Format | None = None
    info: ImageInfo | None = None
    memory_for = decode_memory if work.limits is None else intake_memory
    try:
        format_ = recognise(source)
        header, info = read_info(source, format_, work.limits)
        _check(info, work.limits)
        _check_memory(order, memory_for(info))
        info = read_codec_info(source, format_, header)
        _check(info, work.limits)
        _check_memory(order, memory_for(info))
        info = replace(info, placeholder=verify(source, info))
    except OutOfMemory:
        raise
    except ImageRefused as refused:
        _clear_frames(refused)
        if (
            info is not None
            and refused.reason is Reason.DAMAGED
            and _may_have_run_out_of_memory(order, info, source)
        ):
            return Needs(None), b""
        return Examined(format_, info, Refusal(refused.reason, refused.sentence)), b""
    return Examined(format_, info), b""


def _render(work: Render, source: Source, order: Order) -> Outcome:
    format_ = recognise(source)
    header, info = read_info(source, format_, work.source_limits)
    _check(info, work.source_limits)
    plan_rendition(info, work.recipe, work.limits)
    _check_memory(order, decode_memory(info, work.recipe, work.limits))
    info = read_codec_info(source, format_, header)
    _check(info, work.source_limits)
    _check_memory(order, decode_memory(info, work.recipe, work.limits))
    try:
        made = render_inspected(source, info, work.recipe, work.limits)
    except Exception as error:
        if order.is_max_memory or (isinstance(error, ImageRefused) and error.reason is not Reason.DAMAGED):
            raise
        # It was verified at upload: the error is probably a lack of memory.
        _clear_frames(error)
        return Needs(None), b""
    return Rendered(made.format, made.width, made.height, len(made.data)), made.data


def _strip(work: Strip, source: Source, order: Order) -> Outcome:
    _check_memory(order, _strip_memory(source, work.format))
    data = strip(content(source), work.format)
    return Rendered(work.format, 0, 0, len(data)), data


def _strip_memory(source: Source, format_: Format) -> int:
    """Memory for stripping: the source, its parts as read and as written, the result, and as much as slack.

    The ends of JPEG, JXL and each frame of WebP are found by decoding them; an SVG is parsed into a tree.
    """
    needed = 7 * length(source)
    if format_ is Format.JPEG:
        with mapped(source) as data:
            needed += BASE + jpeg_end.memory(data)
    elif format_ in {Format.JXL, Format.WEBP}:
        needed += decode_memory(replace(read_info(source, format_, None)[1], frames=1))
    elif format_ is Format.SVG:
        needed += STRIP_SVG * length(source)
    return needed


_HANDLERS: Mapping[type, Callable[[Any, Source, Order], Outcome]] = MappingProxyType(
    {Examine: _examine, Render: _render, Strip: _strip}
)


def _check(info: ImageInfo, limits: Limits | None) -> None:
    if limits is not None:
        check_limits(info, limits)


def _check_memory(order: Order, needed: int) -> None:
    if needed > order.memory:
        raise _NeedsMemoryError(needed)


class _NeedsMemoryError(Exception):
    """The work needs `needed` bytes, more than the limit."""

    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


def _may_have_run_out_of_memory(order: Order, info: ImageInfo, source: Source) -> bool:
    """Whether a decoder may have failed for lack of memory: not all of them report it as such."""
    pixels = info.width * info.height
    is_small = pixels * MAX_BYTES_PER_PIXEL + length(source) <= order.memory and info.format is not Format.SVG
    return not (order.is_max_memory or is_small)


def _clear_frames(error: BaseException | None) -> None:
    """Clear the frames of an error and its causes: their locals keep images and decoders alive."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


if __name__ == "__main__":
    main()
