"""What confinement calls that Python has no name for: system calls by number, and their errors."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME, PR_SET_NO_NEW_PRIVS = 1, 4, 15, 38
"""Options of prctl(2), as in linux/prctl.h."""


def syscall(number: int, *arguments: "int | ctypes.c_void_p | None") -> int:
    """What the system call answers. Raises OSError."""
    padded = [_word(argument) for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    return _checked(int(_LIBC.syscall(ctypes.c_long(number), *padded)))


def prctl(option: int, value: int) -> None:
    """Set an option of this process. Raises OSError."""
    zero = ctypes.c_ulong(0)
    _checked(int(_LIBC.prctl(option, ctypes.c_ulong(value), zero, zero, zero)))


def address(value: "ctypes.Structure | ctypes.Array[ctypes.c_char]") -> ctypes.c_void_p:
    """Where the value lies, to be handed to a system call while the value is kept."""
    return ctypes.cast(ctypes.pointer(value), ctypes.c_void_p)


def _word(argument: "int | ctypes.c_void_p | None") -> "ctypes.c_ulong | ctypes.c_void_p":
    return ctypes.c_ulong(argument) if isinstance(argument, int) else argument or ctypes.c_void_p(None)


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
