"""Runs tintype as a process group that can be killed at once, like by a power failure."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import TINTYPE

START_WITHIN = 60


class Killable:
    """`tintype …` in a process group of its own; `lines` are what it said on standard error."""

    def __init__(self, data: Path, *arguments: str, **settings: str) -> None:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
        self.process = subprocess.Popen(
            [TINTYPE, *arguments, "--data", str(data)],
            env={**plain, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.base_url = ""
        self.lines: list[str] = []
        self._said_address = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def ready(self) -> str:
        """Wait until it serves; the base address."""
        assert self._said_address.wait(START_WITHIN), "".join(self.lines)
        assert self.base_url, "".join(self.lines)
        return self.base_url

    def kill(self) -> None:
        """End every process of the group, with no chance to clean up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.join()

    def join(self, timeout: float | None = None) -> int:
        """Wait until all of it has ended; the exit status."""
        status = self.process.wait(timeout)
        self._reader.join()  # every process that could write has ended
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if line.startswith("tintype serves "):
                self.base_url = line.split()[-1]
                self._said_address.set()
        self._said_address.set()


@contextmanager
def killable(data: Path, *arguments: str, **settings: str) -> Iterator[Killable]:
    """Started, and killed when the block ends if it still runs."""
    started = Killable(data, *arguments, **settings)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.kill()


def workers_of(process: int) -> list[int]:
    """The worker processes of a service, by the id of its process."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def log(service: Killable) -> list[dict[str, object]]:
    """What it logged; the lines of standard error that aren't for people."""
    people = ("tintype serves ", "Warning: ")
    return [json.loads(line) for line in service.lines if not line.startswith(people)]
