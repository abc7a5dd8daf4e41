"""What a confined process can still do: nothing that an attacker could use."""

import errno
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.imaging import confined
from tintype.imaging.sandbox import landlock, seccomp

REFUSALS = {"EPERM", "EACCES", "not allowed to raise maximum limit"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what confines is the Linux kernel's")
needs_landlock = pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif(
    platform.machine() not in seccomp.ARCHITECTURES, reason="there is no table for this machine"
)


class Told(msgspec.Struct):
    seccomp: bool
    landlock: int
    found: dict[str, str]
    others: dict[int, str]
    """By the number of the system call."""


def attempted(folder: Path, without: str) -> Told:
    """The results that a confined process reports of its attempts."""
    (folder / "victim").write_text("here")
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            command = [sys.executable, confined.__file__, str(theirs.fileno()), str(folder), without]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        report = b"".join(iter(lambda: ours.recv(65536), b""))
        assert process.wait() == 0
    assert sorted(path.name for path in folder.iterdir()) == ["victim"]
    assert (folder / "victim").read_text() == "here"
    return msgspec.json.decode(report, type=Told)


def succeeded(found: dict[str, str]) -> dict[str, str]:
    return {name: how for name, how in found.items() if how not in REFUSALS}


@needs_seccomp
@needs_landlock
def test_nothing_is_left_but_to_compute_and_to_read_fonts(tmp_path: Path) -> None:
    report = attempted(tmp_path, without="")
    assert report.seccomp
    assert report.landlock == landlock.version()
    assert succeeded(report.found) == {"start a thread": "done", "read a font's settings": "done"}
    assert len(report.found) > 40
    assert set(report.others.values()) == {"EPERM"}
    assert len(report.others) > 500


@needs_seccomp
def test_without_landlock_no_file_is_opened_at_all(tmp_path: Path) -> None:
    report = attempted(tmp_path, without="landlock")
    assert report.landlock == 0
    assert succeeded(report.found) == {"start a thread": "done"}


@needs_landlock
def test_without_seccomp_files_are_still_out_of_reach(tmp_path: Path) -> None:
    report = attempted(tmp_path, without="seccomp")
    assert not report.seccomp
    assert succeeded(report.found) == {"start a thread": "done", "read a font's settings": "done"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are looked up for this machine")
def test_a_call_of_another_architecture_ends_the_process() -> None:
    # By the program alone: a process can't change its architecture.
    first = seccomp.INSTRUCTION.iter_unpack(
        b"".join(seccomp._program(seccomp.ARCHITECTURES["x86_64"], opens_files=True))  # noqa: SLF001
    )
    instructions = [next(first) for _ in range(3)]
    assert instructions == [
        (seccomp.LOAD, 0, 0, 4),
        (seccomp.JUMP_EQUAL, 1, 0, 0xC000003E),
        (seccomp.RETURN, 0, 0, 0x8000_0000),
    ]


@pytest.mark.parametrize("machine", seccomp.ARCHITECTURES)
@pytest.mark.parametrize("opens_files", [False, True])
def test_every_jump_of_the_program_lands_in_it_and_it_ends_with_a_refusal(
    machine: str, *, opens_files: bool
) -> None:
    code = b"".join(seccomp._program(seccomp.ARCHITECTURES[machine], opens_files=opens_files))  # noqa: SLF001
    instructions = list(seccomp.INSTRUCTION.iter_unpack(code))
    for at, (_, over_if, over_unless, _) in enumerate(instructions):
        assert at + 1 + max(over_if, over_unless) <= len(instructions)
    assert instructions[-1] == (seccomp.RETURN, 0, 0, 0x0005_0000 | errno.EPERM)


def test_the_numbers_of_this_machine_are_those_of_its_headers() -> None:
    headers = Path(f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h")
    if not headers.exists():
        assert not os.environ.get("CI"), headers
        pytest.skip("the kernel's headers aren't installed")
    column = seccomp.ARCHITECTURES[platform.machine()].column
    known = {
        words[1].removeprefix("__NR_"): int(words[2])
        for line in headers.read_text().splitlines()
        if len(words := line.split()) == 3 and words[2].isdigit()
    }
    ours = {name: numbers[column] for name, numbers in seccomp.CALLS.items()}
    assert {name: number for name, number in ours.items() if known.get(name) != number} == {}


def test_where_the_kernel_has_neither_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "syscall", _no_such_call)
    monkeypatch.setattr(seccomp, "syscall", _no_such_call)
    assert landlock.restrict([Path("/usr/share/fonts")]) == 0
    assert not seccomp.restrict(opens_files=False)


def _no_such_call(*_: object) -> int:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
