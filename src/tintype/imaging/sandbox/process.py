"""A renderer process, and the channel to it, on the service's side."""

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
"""Environment variables that are inherited: the paths of modules, libraries and fonts."""
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
READ_TIMEOUT = 10.0
"""Total seconds to wait for the bytes of an answer, which are in the renderer's memory already."""
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for invalid messages: not all are its own exceptions."""
SLACK = 24 * 1024**2
"""Bytes added to an order's memory limit: thread stacks, and memory the allocator retains."""
MAX_RETAINED_BYTES = 48 * 1024**2
"""A renderer that grew by more than this since its start is replaced after the order."""
MAX_ORDERS = 2000
"""A renderer is replaced after so many orders: a start takes as long as some fifty, and what leaked, or took
it over, ends with it."""
CHUNK = 256 * 1024
PIPE_BYTES = 64 * 1024
"""The capacity of a pipe on Linux."""
MAX_OUTPUT, MAX_REASON = 2000, 200
"""Maximum length of the standard error that is reported, and of its last line in an error, in characters."""
OnStart = Callable[[Confinement, str], None]
"""Called with the confinement of a renderer that is ready, and what it wrote to standard error."""


class EndedError(Exception):
    """The renderer ended, or was killed, before it had answered.

    Args:
        why: "died", "late" (timeout), or "confused" (invalid answer).
        status: its exit status; a negative one is a signal.
        output: what it wrote to standard error while it started.
    """

    def __init__(self, why: str, status: int, output: str = "") -> None:
        last = output.rstrip().rpartition("\n")[2][:MAX_REASON]
        super().__init__(f"{why}, status {status}" + (f": {last}" if last else ""))
        self.why = why
        self.status = status


class Renderer:
    """A renderer process. Create it in a permanent thread: it is killed when that thread ends.

    Args:
        max_memory: the highest memory limit of an order, in bytes.
        arenas: its malloc arenas, see `limit_arenas`.
    """

    def __init__(self, max_memory: int, arenas: int) -> None:
        self._channel, theirs = socket.socketpair()
        read, write = os.pipe()
        self._stderr = open(read, "rb", buffering=0)  # noqa: PTH123, SIM115  a descriptor, closed by `_output`
        # What the pipe has no room for is lost.
        os.set_blocking(write, False)
        with theirs, open(write, "wb") as stderr:  # noqa: PTH123  a descriptor
            self._process = subprocess.Popen(  # noqa: S603  our own module
                self._command(theirs.fileno(), os.getpid(), arenas, max_memory),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=[theirs.fileno()],
                env=_environment(),
                cwd=os.sep,
                # Signals of the terminal to our process group must not reach it.
                start_new_session=True,
            )
        self._greeting = threading.Lock()
        self._first = self._memory = self._orders = 0
        self._is_ready = self._is_idle = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_until_ready(self, on_start: OnStart, deadline: float) -> None:
        """Wait until it is ready; the first call reports to `on_start`.

        Raises:
            EndedError: when it ended, or was not ready at the deadline (in terms of `time.monotonic`).
        """
        with self._greeting:
            if self._is_ready:
                return
            answer = self._reply(deadline)
            if not isinstance(answer, Ready):
                raise self.fail("confused")
            self._first = self._memory
            self._is_ready = self._is_idle = True
            output = self._output()
        on_start(answer.confinement, output)

    def is_reusable(self) -> bool:
        """Whether it can take another order: it runs, is idle, not worn, and has released its memory."""
        return (
            self._is_idle
            and self._orders < MAX_ORDERS
            and self._memory <= self._first + MAX_RETAINED_BYTES
            and self._process.poll() is None
        )

    def send(self, order: Order, source: int, seconds: float) -> Answer:
        """Send an order, and wait for the answer; if bytes follow, `read` or `stream` them.

        Raises:
            EndedError: when it ended, took too long, or sent an invalid answer.
        """
        self._is_idle = False
        self._orders += 1
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
        """Read the `count` bytes that follow an answer.

        Raises:
            EndedError: when it ended, or sent them too slowly.
        """
        held = bytearray()
        self.stream(count, held.extend)
        return bytes(held)

    def stream(self, count: int, into: Callable[[bytes], object]) -> None:
        """Pass the `count` bytes that follow an answer to `into`, in chunks.

        Raises:
            EndedError: when it ended, or sent them too slowly.
        """
        self._is_idle = False
        remaining = READ_TIMEOUT
        for at in range(0, count, CHUNK):
            began = time.monotonic()
            data = self._receive(min(CHUNK, count - at), began + remaining)
            # The time that `into` takes doesn't count.
            remaining -= time.monotonic() - began
            into(data)
        self._is_idle = True

    def __del__(self) -> None:
        # For a pool that was dropped without being closed.
        with suppress(AttributeError):
            self.end()

    def end(self) -> int:
        """Kill it; returns its exit status."""
        self._process.kill()
        status = self._process.wait()
        self._channel.close()
        self._stderr.close()
        return status

    def _command(self, *arguments: int) -> list[str]:
        return [sys.executable, "-P", "-m", MODULE, *map(str, arguments)]

    def _set_memory_limit(self, memory: int) -> None:
        """Set its RLIMIT_DATA, from outside, for the next order."""
        if sys.platform == "linux":
            # If it has ended, the next operation will notice.
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
        """Kill it; returns the error to raise."""
        if why == "died":
            # The channel closes a moment before the process has ended: wait for the true exit status.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
        self._process.kill()
        self._process.wait()
        return EndedError(why, output=self._output(), status=self.end())

    def _output(self) -> str:
        """The end of what it wrote to standard error until it was ready; from then on it writes nothing."""
        if self._stderr.closed:
            return ""
        with self._stderr:
            os.set_blocking(self._stderr.fileno(), False)
            return (self._stderr.read(PIPE_BYTES) or b"").decode(errors="replace")[-MAX_OUTPUT:]


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED_ENVIRONMENT if name in os.environ}
    if "PYTHONPATH" in inherited:
        # It runs in another working directory.
        folders = inherited["PYTHONPATH"].split(os.pathsep)
        inherited["PYTHONPATH"] = os.pathsep.join(os.path.abspath(folder) for folder in folders if folder)  # noqa: PTH100
    return ENVIRONMENT | inherited
