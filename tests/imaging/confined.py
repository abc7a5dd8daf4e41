"""Run as a process: it confines itself, attempts forbidden operations, and reports the results.

Called with a socket's descriptor, a folder of the test's and what to leave out ("landlock", "seccomp" or "").
Answers JSON: what confinement there is, and for each attempt the name of the error it met, or "done".
"""
# The calls themselves, such as an attacker makes them.
# ruff: noqa: PTH101, PTH102, PTH104, PTH108, PTH208, PTH211, S103, S108, S606

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import resource
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tintype.imaging.sandbox import landlock, seccomp
from tintype.imaging.sandbox.confinement import confine
from tintype.imaging.sandbox.syscalls import prctl

LIBC = ctypes.CDLL(None, use_errno=True)
FIRST_WITHOUT_FILES = "chmod"
"""Landlock alone does not prevent the attempts after this one."""
PTRACE_ATTACH, PR_SET_DUMPABLE = 16, 4
X32_GETPID = 0x4000_0000 + 39
IO_URING_SETUP = 425
HIGHEST_CALL = 600
"""System call numbers to attempt: more than any kernel has."""
PROBES = {335, 336}
"""uretprobe and uprobe bypass seccomp: a process that isn't traced is killed at once."""
NOTHING = 2**64 - 1
"""An argument that is no valid address, descriptor or flag."""
CLONE_NEWNET, A_THREAD = 0x4000_0000, 0x003D_0F00
"""The second is used by the C library to start threads."""


def call(function: str, *arguments: object) -> None:
    """A function of the C library."""
    ctypes.set_errno(0)
    if getattr(LIBC, function)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), function)


def attempts(
    folder: Path, parent: int, inet: socket.socket, unix: socket.socket
) -> Iterator[tuple[str, Callable[[], object]]]:
    """The attempts, by name: file operations first."""
    victim = str(folder / "victim")
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    yield "read a file", lambda: os.open(victim, os.O_RDONLY)
    yield "read /etc/passwd", lambda: os.open("/etc/passwd", os.O_RDONLY)
    yield "list a folder", lambda: os.listdir(folder)
    yield "make a file", lambda: os.open(folder / "new", os.O_WRONLY | os.O_CREAT)
    yield "make a file without a name", lambda: os.open(folder, os.O_RDWR | os.O_TMPFILE)
    yield "write where fonts are", lambda: os.open("/usr/share/fonts/new", os.O_WRONLY | os.O_CREAT)
    yield "unlink", lambda: os.unlink(victim)
    yield "truncate", lambda: os.truncate(victim, 0)
    yield "rename", lambda: os.rename(victim, victim + "2")
    yield "link", lambda: os.link(victim, victim + "3")
    yield "symlink", lambda: os.symlink(victim, victim + "4")
    yield "mkdir", lambda: os.mkdir(folder / "sub")
    yield "chmod", lambda: os.chmod(victim, 0o777)
    yield "make a file in memory", lambda: os.memfd_create("x")
    yield "utime", lambda: os.utime(victim)
    yield "chdir", lambda: os.chdir("/tmp")
    yield "write to standard error", lambda: os.write(2, b"x")
    yield "socket of TCP", lambda: socket.socket(socket.AF_INET)
    yield "socket of Unix", lambda: socket.socket(socket.AF_UNIX)
    yield "socketpair", socket.socketpair
    yield "connect by TCP", lambda: inet.connect(("127.0.0.1", 9))
    yield "bind", lambda: inet.bind(("127.0.0.1", 0))
    yield "connect by Unix", lambda: unix.connect(str(folder / "socket"))
    yield "ptrace", lambda: call("ptrace", PTRACE_ATTACH, parent, None, None)
    yield "read another's memory", lambda: call("process_vm_readv", parent, vector, 1, vector, 1, 0)
    yield "open another's memory", lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY)
    yield "open one's own memory", lambda: os.open("/proc/self/mem", os.O_RDWR)
    yield "kill", lambda: os.kill(parent, 0)
    yield "kill oneself", lambda: os.kill(os.getpid(), 0)
    yield "kill a thread of another", lambda: call("tgkill", parent, parent, 0)
    yield "signals by a descriptor", lambda: fcntl.fcntl(inet, fcntl.F_SETOWN, parent)
    yield "fork", os.fork
    yield "execve", lambda: os.execv("/bin/true", ["true"])
    yield "spawn", lambda: os.posix_spawn("/bin/true", ["true"], {})
    yield "raise a limit", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    yield "a limit of another", lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE)
    yield "be dumpable again", lambda: prctl(PR_SET_DUMPABLE, 1)
    yield "memory to run code in", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
    yield "io_uring", lambda: call("syscall", IO_URING_SETUP, 1, buffer)
    yield "memory that no limit counts", lambda: mmap.mmap(-1, 4096)
    yield "a thread in another network", lambda: call("syscall", clone_number(), A_THREAD | CLONE_NEWNET, 0)
    yield "the other calls of x86", lambda: call("syscall", X32_GETPID)
    yield "setns", lambda: call("setns", 0, 0)
    yield "unshare", lambda: call("unshare", 0x10000000)
    yield "mount", lambda: call("mount", None, b"/tmp", None, 0, None)


def clone_number() -> int:
    """The number of `clone` on this architecture."""
    return seccomp.CALLS["clone"][column()]


def column() -> int:
    """The column of the table for this architecture."""
    return seccomp.ARCHITECTURES[platform.machine()].column


def other_calls() -> dict[int, str]:
    """The result of each forbidden system call, by number."""
    allowed = {numbers[column()] for numbers in seccomp.CALLS.values()} | PROBES
    arguments = [ctypes.c_ulong(NOTHING)] * 6
    return {
        number: tried(partial(call, "syscall", ctypes.c_long(number), *arguments))
        for number in range(HIGHEST_CALL)
        if number not in allowed
    }


def tried(attempt: Callable[[], object]) -> str:
    """The result of an attempt."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except ValueError as error:  # how `resource` says EPERM
        return str(error)
    return "done"


def in_thread_before(found: dict[str, str], victim: Path) -> Callable[[], None]:
    """Start a thread before the confinement; returns a function that lets it attempt, and waits for it."""
    go = threading.Event()

    def run() -> None:
        go.wait()
        found["unlink in an older thread"] = tried(lambda: os.unlink(victim))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def try_now() -> None:
        go.set()
        thread.join()

    return try_now


def main() -> None:
    """Try everything."""
    warnings.simplefilter("ignore")  # of forks beside threads: there is none
    channel, folder, without = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    inet, unix = socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX)
    if without == "landlock":
        landlock.version = lambda: 0
    if without == "seccomp":
        seccomp.restrict = lambda **_: False
    found: dict[str, str] = {}
    parent = os.getppid()
    older = in_thread_before(found, folder / "victim") if without != "seccomp" else lambda: None
    confinement = confine()
    for name, attempt in attempts(folder, parent, inet, unix):
        if without == "seccomp" and name == FIRST_WITHOUT_FILES:
            break
        found[name] = tried(attempt)
    older()
    others = other_calls() if confinement.seccomp else {}
    thread = threading.Thread(target=lambda: found.update({"start a thread": "done"}))
    thread.start()
    thread.join()
    font = "/etc/fonts/fonts.conf"
    found["read a font's settings"] = tried(lambda: os.open(font, os.O_RDONLY))
    report = {
        "seccomp": confinement.seccomp,
        "landlock": confinement.landlock_abi,
        "found": found,
        "others": others,
    }
    channel.sendall(json.dumps(report).encode())
    channel.close()


if __name__ == "__main__":
    main()
