"""tintype as a process: started, waited for, asked, ended."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tintype.cli import main

TINTYPE = str(Path(sys.executable).with_name("tintype"))
STOP_WITHIN = 30
START_WITHIN = 60


@dataclass(frozen=True)
class Running:
    """A service that answers at `base_url`, on the data folder `data`."""

    base_url: str
    data: Path
    process: subprocess.Popen[str]
    info: dict[str, Any] = field(default_factory=dict)

    def cli(self, *arguments: str) -> str:
        """What `tintype <arguments>` prints for this data folder."""
        return run_cli(self.data, *arguments)

    def token(self, dialect: str, account: str = "demo", **options: str | list[str]) -> str:
        """The secret of a new token. Options: role, scope (a list), expires, person, label."""
        return make_token(self.data, dialect, account, **options)

    def publish(self, account: str, *dialects: str) -> None:
        """Publish an account's images through exactly these dialects."""
        publish(self.data, account, *dialects)


def run_cli(data: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What a command prints on standard output; it must succeed."""
    done = call_cli(data, *arguments, env=env)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def call_cli(
    data: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command on a data folder, run to its end, whatever that is."""
    environment = _environment({"TINTYPE_DATA": str(data), **(env or {})})
    return subprocess.run(
        [TINTYPE, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def make_token(data: Path, dialect: str, account: str = "demo", **options: str | list[str]) -> str:
    """The secret of a new token; for mews the client token and the access token, a line each.

    A library is made if there is none.
    """
    if not (data / "catalogue.sqlite3").exists():
        _invoke(["init", "--data", str(data)])
    arguments = ["token", "create", "--dialect", dialect, "--account", account]
    for name, value in options.items():
        for each in [value] if isinstance(value, str) else value:
            arguments += [f"--{name}", each]
    return _invoke([*arguments, "--data", str(data)])


def publish(data: Path, account: str, *dialects: str) -> None:
    """Publish an account's images through exactly these dialects."""
    _invoke(["account", "publish", account, *(dialects or ["--none"]), "--data", str(data)])


def _invoke(arguments: list[str]) -> str:
    # In this process: a process of its own spends a second on imports, and tests make many tokens. In a
    # thread: the command runs an event loop, and so may the test.
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(CliRunner().invoke, main, arguments).result()
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


@contextmanager
def running(data: Path, command: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """`tintype serve` or `tintype demo` on a free port; ended when the block ends."""
    process = subprocess.Popen(
        [TINTYPE, command, "--data", str(data), "--port", "0"],
        env=_environment({"TINTYPE_LOGS_LEVEL": "warning", **(env or {})}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    drains: list[threading.Thread] = []
    # All of it: a worker that is left behind would keep the pipes open, and us waiting.
    watchdog = threading.Timer(START_WITHIN, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    try:
        base_url, info = _ready(process, command)
        watchdog.cancel()
        drains += [
            threading.Thread(target=stream.read) for stream in (process.stdout, process.stderr) if stream
        ]
        for drain in drains:
            drain.start()
        yield Running(base_url, data, process, info)
    finally:
        watchdog.cancel()
        _end(process)
        for drain in drains:
            drain.join()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def _ready(process: subprocess.Popen[str], command: str) -> tuple[str, dict[str, Any]]:
    if command == "demo":
        assert process.stdout is not None
        line = process.stdout.readline()
        info = json.loads(line) if line else _died(process)
        return info["base_url"], info
    assert process.stderr is not None
    printed = ""
    for line in process.stderr:
        printed += line
        if line.startswith("tintype serves "):
            return line.split()[-1], {}
    raise AssertionError(f"the service did not start: {printed}")


def _died(process: subprocess.Popen[str]) -> Any:  # noqa: ANN401  it never answers
    assert process.stderr is not None
    raise AssertionError(f"the service did not start: {process.stderr.read()}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
    return {**plain, **extra}
