"""How long a start takes: from the process to the first 200 of /readyz, on the embedded default.

As an installed service starts: with the bytecode that pip writes. Where Python is told to write none, every
start compiles every module, which takes longer than all else; one start that is not counted writes it.
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 9
GIVE_UP_SECONDS = 30
TINTYPE = Path(sys.executable).with_name("tintype")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
LIBRARIES = "import alembic, granian, litestar, pyvips, sqlalchemy, structlog"


def main() -> None:
    """Print the median, the fastest and the slowest of several starts."""
    with tempfile.TemporaryDirectory() as folder:
        start(Path(folder) / "first")
        _imports()
        _print("new data folder", [start(Path(folder) / f"new-{run}") for run in range(RUNS)])
        _print("existing data folder", [start(Path(folder) / "new-0") for _ in range(RUNS)])
    _print("importing the libraries alone", [_imports() for _ in range(RUNS)])


def start(data: Path) -> float:
    """Seconds until a service on the data folder is ready; it is stopped again."""
    port = _free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [TINTYPE, "serve", "--data", data, "--port", str(port)],
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        while not _is_ready(port):
            if time.perf_counter() - began > GIVE_UP_SECONDS:
                raise SystemExit("the service did not become ready")
            time.sleep(0.005)
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GIVE_UP_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _imports() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True, env=ENVIRONMENT)
    return time.perf_counter() - began


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _print(what: str, seconds: list[float]) -> None:
    median, fastest, slowest = statistics.median(seconds), min(seconds), max(seconds)
    print(f"{what}: median {median:.2f} s, from {fastest:.2f} to {slowest:.2f} s in {len(seconds)} runs")


if __name__ == "__main__":
    main()
