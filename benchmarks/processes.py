"""Contenders as processes: started, waited for, measured, ended."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from msgspec import Struct

START_WITHIN = 60.0
STOP_WITHIN = 30.0
WEIGH_EVERY = 0.5
"""Seconds between two weighings: seldom enough to cost no contender anything."""
MEGABYTE = 1_000_000


class Server(Struct, frozen=True):
    """A contender that answers on a port of 127.0.0.1; `pid` is its first process."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def started(
    command: Sequence[str | Path], port: int, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server for as long as the block lasts; what it says goes to the log.

    Raises RuntimeError with the end of the log when it doesn't answer in time.
    """
    with log.open("ab") as said:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        _wait(process, port, log)
        yield Server(port, process.pid)
    finally:
        _end(process)


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pid: int) -> list[int]:
    """The process and all that descend from it, as far as they live."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            # The command in brackets may hold anything; behind its last bracket: state and parent.
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def resident(pid: int) -> int:
    """Bytes resident in the process now, with what it shares."""
    return _status(pid, "VmRSS")


def peak_resident(pid: int) -> int:
    """The most bytes that were ever resident in the process, with what it shares."""
    return _status(pid, "VmHWM")


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time that the processes have used so far."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Watch(ABC):
    """Looks at once and then every so many seconds, on a thread of its own, while the block lasts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @abstractmethod
    def look(self) -> None:
        """Look once."""

    def _keep_looking(self) -> None:
        self.look()
        while not self._done.wait(self._seconds):
            self.look()


class Scales(Watch):
    """Weighs a process with its family while it works: `peak` bytes, what they share counted once."""

    def __init__(self, pid: int) -> None:
        super().__init__(WEIGH_EVERY)
        self.peak = 0
        self._pid = pid

    def look(self) -> None:
        """Weigh."""
        self.peak = max(self.peak, sum(map(_share, family(self._pid))))


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_WITHIN)
    # Its session is its own: whoever is left there descends from it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _share(pid: int) -> int:
    """The process's memory, each shared page divided by the number of those who share it."""
    with suppress(OSError):
        found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    return 0


def _status(pid: int, name: str) -> int:
    with suppress(OSError):
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    return 0
