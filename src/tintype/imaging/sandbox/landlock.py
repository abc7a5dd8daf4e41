"""Landlock: restricts this process to reading files below a few folders.

See landlock(7) and linux/landlock.h.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from tintype.imaging.sandbox.syscalls import address, syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
VERSION_OF_KERNEL = 1  # the flag of CREATE_RULESET
BENEATH = 1  # the type of a rule

READ_FILE, READ_DIR = 1 << 2, 1 << 3
FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""By the ABI version that added them: basic rights; REFER; TRUNCATE; IOCTL_DEV."""
NETWORK_RIGHTS = {4: 0b11}
"""TCP bind and connect."""
SCOPES = {6: 0b11}
"""Abstract Unix sockets and signals to processes outside of the sandbox."""


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """The kernel's Landlock ABI version; 0 if it is missing or disabled."""
    try:
        return syscall(CREATE_RULESET, None, 0, VERSION_OF_KERNEL)
    except OSError:
        return 0


def restrict(readable: Iterable[Path]) -> int:
    """Restrict this thread, and those it starts later, to reading below these folders, as far as they exist.

    PR_SET_NO_NEW_PRIVS must be set.

    Returns:
        The ABI version, which determines what is restricted; 0: nothing is.
    """
    abi = version()
    if abi == 0:
        return 0
    ruleset = _Ruleset(_up_to(abi, FILE_RIGHTS), _up_to(abi, NETWORK_RIGHTS), _up_to(abi, SCOPES))
    rules = syscall(CREATE_RULESET, address(ruleset), ctypes.sizeof(ruleset), 0)
    try:
        for folder in readable:
            _allow(rules, folder)
        syscall(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    return abi


def _up_to(abi: int, rights: dict[int, int]) -> int:
    return sum(bits for since, bits in rights.items() if since <= abi)


def _allow(rules: int, folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = _PathBeneath(READ_FILE | READ_DIR, descriptor)
        syscall(ADD_RULE, rules, BENEATH, address(rule), 0)
    finally:
        os.close(descriptor)
