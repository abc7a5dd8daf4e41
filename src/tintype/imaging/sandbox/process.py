"""A renderer, as the service sees it: a process, and the channel to it."""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from tintype.imaging.sandbox.confinement import Confinement
from tintype.imaging.sandbox.messages import (
    Answer,
    ClosedError,
    Order,
    Ready,
    decode_reply,
    encode,
    receive,
    receive_message,
)

MODULE = "tintype.imaging.sandbox.renderer"
INHERITED_ENVIRONMENT = ("HOME", "PYTHONPATH", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH")
"""Of the service's environment, as far as it is there: where modules, libraries and fonts lie."""
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
START_TIMEOUT = 30.0
"""Seconds that a renderer has to be ready, on a busy machine."""
READ_TIMEOUT = 10.0
"""Seconds that may be waited in all for the bytes of an answer: they are there, in the renderer's memory."""
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no answer: not all of it is an error of its own."""
SLACK = 24 * 1024**2
"""Bytes that an order may take beyond what it was given: stacks of threads, what the allocator holds back."""
MAX_RETAINED_BYTES = 48 * 1024**2
"""How many bytes more than when it began a renderer may hold between two orders."""
CHUNK = 256 * 1024


class EndedError(Exception):
    """The renderer ended, or had to be ended, before it had answered.

    Args:
        why: "died", "late", or "confused" when it said what can't be meant.
        status: its exit status; a negative one is a signal.
    """

    def __init__(self, why: str, status: int) -> None:
        super().__init__(f"{why}, status {status}")
        self.why = why
        self.status = status


class Renderer:
    """One renderer, from its start on. Start it in a thread that stays: it ends with that thread.

    Args:
        most: bytes that an order is given, at the most.
        arenas: of its memory, as `keep_memory_flat` has them.
    """

    def __init__(self, max_memory: int, arenas: int) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own module
                self._command(theirs.fileno(), os.getpid(), arenas, max_memory),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
                cwd=os.sep,
                # What a terminal tells our group is not for it.
                start_new_session=True,
            )
        self._greeting = threading.Lock()
        self._first = self._memory = 0
        self._is_ready = self._is_idle = False

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def wait_until_ready(self, on_start: Callable[[Confinement], None]) -> None:
        """Wait until it is ready, and tell once how it is confined. Raises EndedError."""
        with self._greeting:
            if self._is_ready:
                return
            answer = self._reply(time.monotonic() + START_TIMEOUT)
            if not isinstance(answer, Ready):
                raise self.fail("confused")
            self._first = self._memory
            self._is_ready = self._is_idle = True
        on_start(answer.confinement)

    def is_reusable(self) -> bool:
        """Whether it can be given an order: it is there, has answered the last, and holds nothing of it."""
        return (
            self._is_idle
            and self._memory <= self._first + MAX_RETAINED_BYTES
            and self._process.poll() is None
        )

    def send(self, order: Order, source: int, seconds: float) -> Answer:
        """Its answer; if bytes follow, `take` them. Raises EndedError."""
        self._is_idle = False
        deadline = time.monotonic() + seconds
        self._set_memory_limit(order.memory)
        try:
            self._channel.settimeout(seconds)
            socket.send_fds(self._channel, [encode(order)], [source])
        except OSError:
            raise self.fail("died") from None
        answer = self._reply(deadline)
        self._is_idle = True
        return answer

    def read(self, count: int) -> bytes:
        """So many bytes that follow an answer. Raises EndedError."""
        held = bytearray()
        self.stream(count, held.extend)
        return bytes(held)

    def stream(self, count: int, into: Callable[[bytes], object]) -> None:
        """So many bytes that follow an answer, handed on a piece at a time. Raises EndedError."""
        self._is_idle = False
        left = READ_TIMEOUT
        for at in range(0, count, CHUNK):
            began = time.monotonic()
            data = self._receive(min(CHUNK, count - at), began + left)
            # How long our disk takes is not its fault.
            left -= time.monotonic() - began
            into(data)
        self._is_idle = True

    def __del__(self) -> None:
        # A pool that was dropped instead of closed: nobody else is left who could end it.
        with suppress(AttributeError):
            self.end()

    def end(self) -> int:
        """End it at once; answers its status."""
        self._process.kill()
        status = self._process.wait()
        self._channel.close()
        return status

    def _command(self, *arguments: int) -> list[str]:
        return [sys.executable, "-P", "-m", MODULE, *map(str, arguments)]

    def _set_memory_limit(self, memory: int) -> None:
        """Set, from outside, what it can have until the next order."""
        if sys.platform == "linux":
            # Where it has ended by now, that is seen in a moment.
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(self.pid, resource.RLIMIT_DATA)
                soft = min(hard, self._first + memory + SLACK)
                resource.prlimit(self.pid, resource.RLIMIT_DATA, (soft, hard))

    def _reply(self, deadline: float) -> Answer:
        try:
            reply = decode_reply(receive_message(self._channel, deadline))
        except TimeoutError:
            raise self.fail("late") from None
        except (ClosedError, OSError):
            raise self.fail("died") from None
        except UNREADABLE:
            raise self.fail("confused") from None
        self._memory = reply.memory
        return reply.answer

    def _receive(self, count: int, deadline: float) -> bytes:
        try:
            return receive(self._channel, count, deadline)
        except TimeoutError:
            raise self.fail("late") from None
        except (ClosedError, OSError):
            raise self.fail("died") from None

    def fail(self, why: str) -> EndedError:
        """End it; the error to raise."""
        if why == "died":
            # It closes its channel a moment before it has ended, and may be doing neither.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
        return EndedError(why, self.end())


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED_ENVIRONMENT if name in os.environ}
    if "PYTHONPATH" in inherited:
        # It starts in another folder.
        folders = inherited["PYTHONPATH"].split(os.pathsep)
        inherited["PYTHONPATH"] = os.pathsep.join(os.path.abspath(folder) for folder in folders if folder)  # noqa: PTH100
    return ENVIRONMENT | inherited
