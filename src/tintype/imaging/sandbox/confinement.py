"""What a process gives up before it looks into strangers' files."""

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
"""All that text in a picture is drawn by."""

LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 64,
}
"""Not RLIMIT_NPROC: it counts the threads of all that the user runs, and for root it counts nothing. That no
process is started is seccomp's to see to."""


class Confinement(Struct, frozen=True):
    """What the kernel keeps a process from.

    Attributes:
        seccomp: whether only a few system calls are left.
        landlock_abi: the version of Landlock that keeps it from files; 0 is none, and then, with seccomp, no
            file can be opened at all.
    """

    seccomp: bool
    landlock_abi: int


def confine(
    warm_up: Callable[[], None] = lambda: None, readable: Iterable[str] = FONT_FOLDERS
) -> Confinement:
    """Give up, for good: new privileges, being looked into, files, sockets, processes, signals to others.

    Call it while there is one thread: those that are there already would keep their files (Landlock is a
    thread's own). What the kernel lacks is left out, and not in the report.

    Args:
        warm_up: what has to be done once before no file can be opened any more: it can already read
            nothing but what is `readable`.
        readable: the folders below which files can be read.
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
