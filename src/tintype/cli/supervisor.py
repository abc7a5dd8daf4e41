"""The worker processes: started, started again when they die, and ended with whoever started them."""

import faulthandler
import os
import resource
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from tintype.web.settings import WebSettings

READ_BYTES = 32 * 1024
"""Bytes that are read ahead of a connection: a head of so many always fits, one of twice as many never."""
OTHER_FILES = 512
"""Files that a worker has open besides its connections, at the most."""
FIRST_PAUSE, MAX_PAUSE = 0.1, 30.0
"""Seconds before a worker that died is started again; twice as many each time."""
STEADY_SECONDS = 60.0
"""How long a worker has to live for the next pause to be the first again."""

log = structlog.get_logger("tintype")


class Pauses:
    """How long to wait before a worker is started again."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def after(self, lived: float) -> float:
        """Seconds to wait, when it lived for so many."""
        pause = FIRST_PAUSE if lived >= STEADY_SECONDS else self._next
        self._next = min(2 * pause, MAX_PAUSE)
        return pause


class Supervisor(MPServer):
    """Keeps the workers running until it is told to stop: by SIGTERM, SIGINT or SIGHUP.

    The server's own loop gives up when workers die twice in a few seconds, and takes SIGHUP for a reload.

    Args:
        settings: where to listen, and the limits.
    """

    def __init__(self, settings: WebSettings) -> None:
        super().__init__(
            "tintype",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            # HTTP/2 is for the proxy in front: granian's would take 16 MiB of headers in each of 200 streams.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=round(settings.head_seconds * 1000), max_buffer_size=READ_BYTES
            ),
            backpressure=settings.connections,
            workers=settings.workers,
            websockets=False,
            workers_kill_timeout=settings.stop_seconds,
            log_level=LogLevels.warning,
            # To where everything is logged: see `logs.start`.
            log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
        )
        self.is_ready = False
        """Whether requests were answered once: until then a worker that fails ends the start."""
        self._pauses = [Pauses() for _ in range(settings.workers)]
        self._due: dict[int, float] = {}
        """When which worker is started again."""

    def startup(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401  granian's own types
        """Start the workers. A SIGHUP that is ignored, as under nohup, stays ignored."""
        before = signal.getsignal(signal.SIGHUP)
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]  # granian's
        if before is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def signal_handler_reload(self, *_: object) -> None:
        """A closed terminal is a stop: nobody would be left who could end the service."""
        self.interrupt_signal = True
        self.main_loop_interrupt.set()

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401  granian's own types
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait(self._seconds_to_wait())
            self.main_loop_interrupt.clear()
            while self.interrupt_children:
                self._bury(self.interrupt_children.pop())
            for number in [number for number, due in self._due.items() if due <= time.monotonic()]:
                self._start_again(number, spawn_target, target_loader)
        # Workers that heard the signal before us ended as they should.
        self.interrupt_children.clear()

    def _seconds_to_wait(self) -> float | None:
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def _start_again(self, number: int, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401  granian's own types
        worker = self._spawn_worker(number, spawn_target, target_loader)
        try:
            worker.start()  # type: ignore[no-untyped-call]  # granian's
        except (OSError, RuntimeError) as failed:
            # No memory, or too many processes: that may pass.
            log.error("worker-not-started", worker=number + 1, reason=str(failed))  # noqa: TRY400  the reason is all
            self._due[number] = time.monotonic() + self._pauses[number].after(0.0)
            return
        del self._due[number]
        self.wrks[number] = worker

    def _bury(self, number: int) -> None:
        """Tell of a worker that died, and say when it is started again."""
        worker = self.wrks[number]
        code = worker.inner.exitcode
        if code > 0 and not self.is_ready:
            log.error("start-failed", worker=number + 1, exit_code=code)
            self.shutdown(exit_code=1)  # type: ignore[no-untyped-call]  # granian's
        pause = self._pauses[number].after(time.monotonic() - worker.birth)
        log.error("worker-died", worker=number + 1, **_told(code), restarted_in_seconds=pause)
        self._due[number] = time.monotonic() + pause


def _told(code: int) -> dict[str, object]:
    """What an exit code of `multiprocessing` says: a negative one is that of a signal."""
    if code >= 0:
        return {"exit_code": code}
    known = {each.value: each.name for each in signal.Signals}
    return {"signal": known.get(-code, str(-code))}


def allow_open_files(settings: WebSettings) -> WebSettings:
    """Let this process and its workers open as many files as the system does, and not more connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return settings
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    room = max(1, most - OTHER_FILES)
    if room < settings.connections:
        advice = (
            f"The system lets a process open {most} files: {room} connections are taken. Raise ulimit -Hn."
        )
        log.warning("few-open-files", advice=advice)
    return msgspec.structs.replace(settings, connections=min(settings.connections, room))


def become_worker(supervisor: int, stop_seconds: float) -> None:
    """Let a stop end a worker that is still starting, and the end of its supervisor end it always.

    Args:
        supervisor: the id of the process that started this one.
        stop_seconds: how long requests under way may take after that.
    """
    # The handlers inherited from the supervisor would only note the signal.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A terminal tells all its processes; when a worker ends is the supervisor's business.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # A supervisor killed outright can't stop its workers, which would go on holding the port.
    threading.Thread(target=_outlive, args=(supervisor, stop_seconds), daemon=True).start()


def _outlive(supervisor: int, stop_seconds: float) -> None:
    """End this process after its supervisor: gently if that is heard, and in any case."""
    _wait_for(supervisor)
    # A thread in C: it needs nobody's leave.
    faulthandler.dump_traceback_later(stop_seconds, exit=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _wait_for(supervisor: int) -> None:
    """Wait until the process that started this one has ended."""
    if sys.platform == "linux":
        with suppress(OSError):
            ended = select.poll()
            ended.register(os.pidfd_open(supervisor), select.POLLIN)
            ended.poll()
    while os.getppid() == supervisor:
        time.sleep(1)
