"""System calls by number, for those that Python doesn't wrap."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME, PR_SET_NO_NEW_PRIVS = 1, 4, 15, 38
"""Options of prctl(2), as in linux/prctl.h."""


def syscall(number: int, *arguments: "int | ctypes.c_void_p | None") -> int:
    """Make a system call; returns its result.

    Raises:
        OSError: when it failed.
    """
    padded = [_word(argument) for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    return _checked(int(_LIBC.syscall(ctypes.c_long(number), *padded)))


def prctl(option: int, value: int) -> None:
    """Set an option of this process.

    Raises:
        OSError: when it failed.
    """
    zero = ctypes.c_ulong(0)
    _checked(int(_LIBC.prctl(option, ctypes.c_ulong(value), zero, zero, zero)))


def address(value: "ctypes.Structure | ctypes.Array[ctypes.c_char]") -> ctypes.c_void_p:
    """The address of a value as an argument of a system call; the caller must keep the value alive."""
    return ctypes.cast(ctypes.pointer(value), ctypes.c_void_p)


def _word(argument: "int | ctypes.c_void_p | None") -> "ctypes.c_ulong | ctypes.c_void_p":
    return ctypes.c_ulong(argument) if isinstance(argument, int) else argument or ctypes.c_void_p(None)


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
