"""Drops the privileges of a process before it reads untrusted files."""

import resource
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from tintype.imaging.sandbox import landlock, seccomp
from tintype.imaging.sandbox.syscalls import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, prctl

FONT_FOLDERS = (
    "/etc/fonts",
    "/usr/share/fontconfig",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/var/cache/fontconfig",
    "~/.fonts",
    "~/.local/share/fonts",
    "~/.cache/fontconfig",
)
"""The folders that drawing text needs."""

LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 64,
}
"""Not RLIMIT_NPROC: it counts the threads of all processes of the user, and does not apply to root. seccomp
prevents starting processes."""


class Confinement(Struct, frozen=True):
    """The restrictions in effect.

    Attributes:
        seccomp: whether system calls are filtered.
        landlock_abi: the version of Landlock that restricts file access; 0: no Landlock. Without it, seccomp
            forbids opening any file.
    """

    seccomp: bool
    landlock_abi: int


def confine(
    warm_up: Callable[[], None] = lambda: None, readable: Iterable[str] = FONT_FOLDERS
) -> Confinement:
    """Irrevocably give up new privileges, being traced, files, sockets, processes, and signals to others.

    Call it while there is only one thread: Landlock restricts the calling thread and its future children.
    Features that the kernel lacks are skipped; the result says which are in effect.

    Args:
        warm_up: runs before opening files is forbidden; with Landlock it can only read `readable`.
        readable: the folders below which files may be read.

    Returns:
        The restrictions in effect.
    """
    if sys.platform != "linux":
        warm_up()
        return Confinement(seccomp=False, landlock_abi=0)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_DUMPABLE, 0)
    for limit, maximum in LIMITS.items():
        resource.setrlimit(limit, (maximum, maximum))
    abi = landlock.restrict(Path(folder).expanduser() for folder in readable)
    warm_up()
    return Confinement(seccomp=seccomp.restrict(opens_files=abi > 0), landlock_abi=abi)
