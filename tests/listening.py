"""Where a service listens, asked of the kernel, as its output isn't read or names its public address."""

from contextlib import suppress
from pathlib import Path

from tests.cli.killing import workers_of

LISTENS = "0A"
"""The state, as the kernel writes it."""


def address_of(pid: int) -> str | None:
    """Host and port where a service listens on IPv4, by its main process; None as long as it doesn't."""
    found = [address for worker in workers_of(pid) for address in _addresses(worker)]
    return found[0] if found else None


def _addresses(pid: int) -> list[str]:
    sockets, found = set[str](), list[str]()
    # Processes and descriptors may be gone meanwhile.
    with suppress(OSError):
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                sockets.add(str(each.readlink()))
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state, *fields = line.split()
            if state == LISTENS and f"socket:[{fields[5]}]" in sockets:
                found.append(f"127.0.0.1:{int(local.partition(':')[2], 16)}")
    return found
