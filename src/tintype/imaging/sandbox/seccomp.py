"""seccomp: an allowlist of system calls for this process; see seccomp(2).

A forbidden call fails with EPERM instead of killing the process, so that a library which only probes for a
feature goes on without it: no image fails because of an unexpected call, and none needs to be allowed just in
case.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import struct
import sys
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tintype.imaging.sandbox.syscalls import PR_SET_NAME, address, syscall


class Architecture(Struct, frozen=True):
    """AUDIT_ARCH of linux/audit.h, the number of seccomp(2), and the column of `CALLS`."""

    audit: int
    seccomp: int
    column: int


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, 317, 0),
    "aarch64": Architecture(0xC00000B7, 277, 1),
}
ABSENT = -1

# Numbers on x86_64 and aarch64. fontconfig uses `access` to check that a font exists; it reveals no more.
CALLS = {
    "access": (21, ABSENT),
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fcntl": (72, 25),
    "fstat": (5, 80),
    "futex": (202, 98),
    "getpid": (39, 172),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "lseek": (8, 62),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "openat": (257, 56),
    "poll": (7, ABSENT),
    "ppoll": (271, 73),
    "prctl": (157, 167),
    "pread64": (17, 67),
    "prlimit64": (302, 261),
    "read": (0, 63),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "sendto": (44, 206),
    "set_robust_list": (273, 99),
    "sigaltstack": (131, 132),
    "sysinfo": (99, 179),
    "tgkill": (234, 131),
}

X32 = 0x4000_0000
"""From this number on they are calls of the x32 ABI."""

CLONE_THREAD = 0x0001_0000
NEW_NAMESPACES = 0x7E02_0000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
SHARED_ANONYMOUS = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
"""Shared anonymous memory counts only against RLIMIT_AS."""
PROT_EXEC = 0x4
AT_EMPTY_PATH = 0x1000
CHANGES_FILES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | (os.O_TMPFILE & ~os.O_DIRECTORY)
HARMLESS_COMMANDS = (fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL)
"""Allowed commands of fcntl(2). Not F_SETOWN, with which a descriptor can signal any process."""


class Clear(Struct, frozen=True):
    """The argument has none of these bits."""

    argument: int
    bits: int


class NotAll(Struct, frozen=True):
    """The argument lacks at least one of these bits."""

    argument: int
    bits: int


class HasBit(Struct, frozen=True):
    """The argument has this bit."""

    argument: int
    bit: int


class OneOf(Struct, frozen=True):
    """The lower 32 bits of the argument are one of these values."""

    argument: int
    values: tuple[int, ...]


class Null(Struct, frozen=True):
    """The argument is a null pointer."""

    argument: int


Condition = Clear | NotAll | HasBit | OneOf | Null


def restrict(*, opens_files: bool) -> bool:
    """Restrict all present and future threads of this process to the calls that rendering needs.

    PR_SET_NO_NEW_PRIVS must be set.

    Args:
        opens_files: whether files may be opened for reading, because Landlock restricts which.

    Returns:
        Whether it took effect: the kernel or the architecture may not support it.
    """
    architecture = ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or architecture is None:
        return False
    program = b"".join(_program(architecture, opens_files=opens_files))
    code = ctypes.create_string_buffer(program)
    program_header = _Program(len(program) // INSTRUCTION.size, ctypes.addressof(code))
    try:
        return syscall(architecture.seccomp, SET_MODE_FILTER, ALL_THREADS, address(program_header)) == 0
    except OSError:
        return False


def _conditions(*, opens_files: bool) -> dict[str, Sequence[Condition]]:
    """The allowed calls, with the conditions on their arguments."""
    allowed: dict[str, Sequence[Condition]] = dict.fromkeys(CALLS, ())
    # ENOSYS makes the C library start threads with `clone`, whose flags a filter can check.
    del allowed["clone3"]
    if not opens_files:
        del allowed["openat"]
    else:
        allowed["openat"] = [Clear(2, CHANGES_FILES)]
    return allowed | {
        "clone": [HasBit(0, CLONE_THREAD), Clear(0, NEW_NAMESPACES)],
        "fcntl": [OneOf(1, HARMLESS_COMMANDS)],
        "mmap": [Clear(2, PROT_EXEC), NotAll(3, SHARED_ANONYMOUS)],
        "mprotect": [Clear(2, PROT_EXEC)],
        # Used by the C library for fstat.
        "newfstatat": [HasBit(3, AT_EMPTY_PATH)],
        "prctl": [OneOf(0, (PR_SET_NAME,))],
        "prlimit64": [OneOf(0, (0,)), Null(2)],
        "sendto": [Null(4)],
        # Used by abort(3).
        "tgkill": [OneOf(0, (os.getpid(),))],
    }


# Classic BPF, see linux/filter.h and linux/seccomp.h.
INSTRUCTION = struct.Struct("=HBBI")
LOAD, AND, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_IF_BITS, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
ALLOW, KILL, FAIL_WITH = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
REFUSE = FAIL_WITH | errno.EPERM
SET_MODE_FILTER, ALL_THREADS = 1, 1


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _program(architecture: Architecture, *, opens_files: bool) -> Iterator[bytes]:
    yield _instruction(LOAD, ARCHITECTURE_AT)
    yield _jump(JUMP_EQUAL, architecture.audit, over_if=1)
    yield _instruction(RETURN, KILL)
    yield _instruction(LOAD, NUMBER_AT)
    yield _jump(JUMP_AT_LEAST, X32, over_unless=1)
    yield _instruction(RETURN, REFUSE)
    yield _jump(JUMP_EQUAL, CALLS["clone3"][architecture.column], over_unless=1)
    yield _instruction(RETURN, FAIL_WITH | errno.ENOSYS)
    for name, conditions in _conditions(opens_files=opens_files).items():
        number = CALLS[name][architecture.column]
        if number != ABSENT:
            checks = b"".join(_check(condition) for condition in conditions)
            yield _jump(JUMP_EQUAL, number, over_unless=len(checks) // INSTRUCTION.size + 1)
            yield checks
            yield _instruction(RETURN, ALLOW)
    yield _instruction(RETURN, REFUSE)


def _check(condition: Condition) -> bytes:
    """Instructions that refuse the call unless the condition holds; both architectures are little-endian."""
    low = ARGUMENTS_AT + 8 * condition.argument
    match condition:
        case Clear():
            tests = _instruction(LOAD, low) + _jump(JUMP_IF_BITS, condition.bits, over_unless=1)
        case NotAll():
            tests = _instruction(LOAD, low) + _instruction(AND, condition.bits)
            tests += _jump(JUMP_EQUAL, condition.bits, over_unless=1)
        case HasBit():
            tests = _instruction(LOAD, low) + _jump(JUMP_IF_BITS, condition.bit, over_if=1)
        case OneOf():
            count = len(condition.values)
            tests = _instruction(LOAD, low) + b"".join(
                _jump(JUMP_EQUAL, value, over_if=count - at) for at, value in enumerate(condition.values)
            )
        case Null():
            tests = _instruction(LOAD, low) + _jump(JUMP_EQUAL, 0, over_unless=2)
            tests += _instruction(LOAD, low + 4) + _jump(JUMP_EQUAL, 0, over_if=1)
    return tests + _instruction(RETURN, REFUSE)


def _instruction(code: int, value: int) -> bytes:
    return INSTRUCTION.pack(code, 0, 0, value)


def _jump(code: int, value: int, *, over_if: int = 0, over_unless: int = 0) -> bytes:
    """Skip so many instructions if the test is true, or unless it is."""
    return INSTRUCTION.pack(code, over_if, over_unless, value)
