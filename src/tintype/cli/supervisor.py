"""The worker processes: started, restarted after a crash, and stopped together with the supervisor."""

import faulthandler
import functools
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
from granian.server.mp import MPServer, WorkerProcess

from tintype.web.settings import WebSettings

READ_BYTES = 32 * 1024
"""The read buffer of a connection in bytes: request heads of this size fit, of twice this size don't."""
OTHER_FILES = 512
"""The most files that a worker opens besides its connections."""
FIRST_DELAY, MAX_DELAY = 0.1, 30.0
"""Seconds before a crashed worker is restarted; the delay doubles each time."""
STABLE_SECONDS = 60.0
"""How long a worker must run for the delay to be reset."""

log = structlog.get_logger("tintype")


class RestartDelays:
    """The delays before restarts of one worker: exponential backoff."""

    def __init__(self) -> None:
        self._next = FIRST_DELAY

    def after(self, uptime: float) -> float:
        """The next delay in seconds, after the worker ran for `uptime` seconds."""
        delay = FIRST_DELAY if uptime >= STABLE_SECONDS else self._next
        self._next = min(2 * delay, MAX_DELAY)
        return delay


class Supervisor(MPServer):
    """Keeps the workers running until SIGTERM, SIGINT or SIGHUP.

    Granian's own loop gives up when workers crash twice within seconds, and reloads on SIGHUP.

    Args:
        settings: the address to listen on, and the limits.
    """

    def __init__(self, settings: WebSettings) -> None:
        super().__init__(
            "tintype",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            # HTTP/2 is left to a proxy: granian would accept 16 MiB of headers in each of 200 streams.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=round(settings.head_seconds * 1000), max_buffer_size=READ_BYTES
            ),
            backpressure=settings.connections,
            workers=settings.workers,
            websockets=False,
            workers_kill_timeout=settings.stop_seconds,
            log_level=LogLevels.warning,
            # Into the log of the service: see `logs.start`.
            log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
        )
        self.is_ready = False
        """Whether requests were ever answered. Before that, a worker that fails ends the service."""
        self._delays = [RestartDelays() for _ in range(settings.workers)]
        self._restart_at: dict[int, float] = {}
        """By worker number: the monotonic time of its restart."""

    def startup(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401  granian's own types
        """Start the workers. If SIGHUP is ignored, as under nohup, it stays ignored."""
        before = signal.getsignal(signal.SIGHUP)
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]  # granian's
        if before is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> WorkerProcess:  # type: ignore[override]  # noqa: ANN401  granian's
        """Create a worker, whose loader is given its number."""
        return super()._spawn_worker(idx, target, functools.partial(callback_loader, idx))

    def signal_handler_reload(self, *_: object) -> None:
        """Stop on SIGHUP, which a closed terminal sends: otherwise nobody could stop the service."""
        self.interrupt_signal = True
        self.main_loop_interrupt.set()

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401  granian's own types
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait(self._seconds_to_wait())
            self.main_loop_interrupt.clear()
            while self.interrupt_children:
                self._handle_exit(self.interrupt_children.pop())
            for number in [number for number, due in self._restart_at.items() if due <= time.monotonic()]:
                self._restart(number, spawn_target, target_loader)
        # Workers that got the signal earlier than this process have ended correctly.
        self.interrupt_children.clear()

    def _seconds_to_wait(self) -> float | None:
        return max(0.0, min(self._restart_at.values()) - time.monotonic()) if self._restart_at else None

    def _restart(self, number: int, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401  granian's own types
        worker = self._spawn_worker(number, spawn_target, target_loader)
        try:
            worker.start()  # type: ignore[no-untyped-call]  # granian's
        except (OSError, RuntimeError) as failed:
            # Too little memory or too many processes: this can be temporary.
            log.error("worker-start-failed", worker=number + 1, reason=str(failed))  # noqa: TRY400  the reason is all
            self._restart_at[number] = time.monotonic() + self._delays[number].after(0.0)
            return
        del self._restart_at[number]
        self.wrks[number] = worker

    def _handle_exit(self, number: int) -> None:
        """Log that a worker has ended, and schedule its restart."""
        worker = self.wrks[number]
        code = worker.inner.exitcode
        if code > 0 and not self.is_ready:
            log.error("startup-failed", worker=number + 1, exit_code=code)
            self.shutdown(exit_code=1)  # type: ignore[no-untyped-call]  # granian's
        delay = self._delays[number].after(time.monotonic() - worker.birth)
        log.error("worker-exited", worker=number + 1, **_exit_fields(code), restarted_in_seconds=delay)
        self._restart_at[number] = time.monotonic() + delay


def _exit_fields(code: int) -> dict[str, object]:
    """The log fields of an exit code of `multiprocessing`, which is negative for a signal."""
    if code >= 0:
        return {"exit_code": code}
    known = {each.value: each.name for each in signal.Signals}
    return {"signal": known.get(-code, str(-code))}


def allow_open_files(settings: WebSettings) -> WebSettings:
    """Raise the limit of open files as far as allowed, and lower `connections` if it is still too low."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return settings
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    available = max(1, most - OTHER_FILES)
    if available < settings.connections:
        advice = (
            f"A process may open {most} files, so {available} connections are accepted. Raise ulimit -Hn."
        )
        log.warning("open-file-limit-low", advice=advice)
    return msgspec.structs.replace(settings, connections=min(settings.connections, available))


def become_worker(supervisor: int, stop_seconds: float) -> None:
    """Make this process stop on signals while it is starting, and always when its supervisor ends.

    Args:
        supervisor: the process id of the supervisor.
        stop_seconds: how long current requests may take after the supervisor has ended.
    """
    # The handlers inherited from the supervisor would only set a flag.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A terminal sends it to all processes; the supervisor decides when workers end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # A supervisor that is killed can't stop its workers, which would keep the port.
    threading.Thread(target=_exit_after, args=(supervisor, stop_seconds), daemon=True).start()


def _exit_after(supervisor: int, stop_seconds: float) -> None:
    """End this process after its supervisor: with SIGTERM, and by force after `stop_seconds`."""
    _wait_until_exit(supervisor)
    # A thread in C, which does not need the GIL.
    faulthandler.dump_traceback_later(stop_seconds, exit=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _wait_until_exit(supervisor: int) -> None:
    """Wait until the supervisor has ended."""
    if sys.platform == "linux":
        with suppress(OSError):
            ended = select.poll()
            ended.register(os.pidfd_open(supervisor), select.POLLIN)
            ended.poll()
    while os.getppid() == supervisor:
        time.sleep(1)
