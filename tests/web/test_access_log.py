"""Log lines of requests: many in one write, none torn, none lost on a normal stop."""

import io
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from uuid import UUID

import pytest
import structlog

from tintype.web.access_log import MAX_LINES, AccessLog
from tintype.web.logs import LogFormat, LogLevel, LogSettings, Stderr, start

NOON = 1_795_262_400.5
JSON = LogSettings(format=LogFormat.JSON)


class Stream(io.StringIO):
    """Standard error, which remembers what was written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return len(text)


@contextmanager
def watched() -> Iterator[Stream]:
    # Not a fixture: pytest puts its own stream in place before each test.
    stream = Stream()
    with redirect_stderr(stream):
        yield stream


def add(lines: AccessLog, number: int, path: str = "/flag/flag_2.png") -> None:
    lines.add({"request_id": f"{number:032x}", "path": path, "account": None, "token": UUID(int=1)}, NOON)


def ids(stream: Stream) -> list[int]:
    return [int(json.loads(line)["request_id"], 16) for line in "".join(stream.written).splitlines()]


async def test_a_line_has_the_fields_of_any_request() -> None:
    with watched() as stream:
        lines = AccessLog(JSON)
        add(lines, 1, '/flag/"é\n')
        lines.close()
        assert json.loads("".join(stream.written)) == {
            "request_id": "0" * 31 + "1",
            "path": '/flag/"é\\n',
            "account": None,
            "token": "00000000-0000-0000-0000-000000000001",
            "event": "request",
            "level": "info",
            "time": "2026-11-21T12:00:00.500000Z",
        }


HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\x7f\u202e\r\nlevel=error\udcff" + "x" * 100_000
"""Escapes of terminals, in seven and eight bits; text that runs backwards; a line that is none; no end."""


@pytest.mark.parametrize("format", [LogFormat.JSON, LogFormat.TEXT])
async def test_no_value_is_more_than_text(format: LogFormat) -> None:
    with watched() as stream:
        start(LogSettings(format=format))
        lines = AccessLog(LogSettings(format=format))
        inner = HOSTILE[:50], HOSTILE[:50].replace("\udcff", "")
        fields = {"request_id": "1", "path": HOSTILE, "client": HOSTILE}
        for refused in inner:
            lines.add(fields | {"refused": [refused, {"id": refused}]}, NOON)
        lines.close()
        log = structlog.get_logger("hostile")
        log.warning("told", path=HOSTILE)
        log.error("failed", exc_info=ValueError(HOSTILE))
    written = "".join(stream.written)
    assert len(written) < 50_000
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written)
    assert [each for each in plain if not each.isprintable()] == ["\n"] * written.count("\n")
    assert "\\x1b]0;title" in written.replace("\\\\", "\\").replace("\\u001b", "\\x1b")


async def test_no_path_spoils_the_lines_beside_it() -> None:
    with watched() as stream:
        lines = AccessLog(JSON)
        for number, path in enumerate(("/a", "/\udcff", "/b")):
            add(lines, number, path)
        lines.close()
        assert ids(stream) == [0, 1, 2]


async def test_lines_are_gathered_and_a_stop_writes_what_is_left() -> None:
    with watched() as stream:
        lines = AccessLog(JSON)
        for number in range(100):
            add(lines, number)
        assert stream.written == []
        lines.close()
        assert ids(stream) == list(range(100))
        add(lines, 100)
        assert ids(stream) == list(range(101))


@pytest.mark.parametrize("text", ["a line\n", "a long line " * 10_000 + "\n"])
def test_nobody_waits_for_a_pipe_that_takes_no_more(text: str) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", 0) as kept, os.fdopen(writer, "w") as pipe, redirect_stderr(pipe):
        while select.select([], [writer], [], 0)[1]:
            Stderr().write(text)
        Stderr().write(text)
        assert text.encode().startswith(kept.read(len(text)))


async def test_so_many_lines_are_written_at_once_that_none_comes_apart() -> None:
    with watched() as stream:
        lines = AccessLog(JSON)
        for number in range(MAX_LINES):
            add(lines, number, "/flag/" + "x" * (number % 500))
        assert ids(stream) == list(range(MAX_LINES))
        assert all(text.endswith("\n") for text in stream.written)
        # POSIX: that much is written to a pipe in one piece, whoever else writes into it.
        assert max(len(text.encode()) for text in stream.written) <= select.PIPE_BUF
        assert len(stream.written) < MAX_LINES / 5


@pytest.mark.parametrize(
    ("settings", "is_on", "logs_deliveries"),
    [
        (JSON, True, True),
        (LogSettings(format=LogFormat.JSON, pictures=False), True, False),
        (LogSettings(format=LogFormat.JSON, level=LogLevel.WARNING), False, False),
    ],
)
async def test_what_nobody_wants_is_not_written(
    settings: LogSettings, *, is_on: bool, logs_deliveries: bool
) -> None:
    with watched() as stream:
        lines = AccessLog(settings)
        add(lines, 1)
        lines.close()
        assert (lines.is_on, lines.logs_deliveries) == (is_on, logs_deliveries)
        assert bool(stream.written) == is_on


def test_what_python_writes_to_standard_error_is_in_the_log() -> None:
    script = """if True:
        import threading, warnings
        from tintype.web.logs import LogSettings, capture_stderr, start

        class Unraisable:
            def __del__(self):
                raise ValueError("in a finaliser")

        def fail():
            raise ValueError("in a thread")

        start(LogSettings())
        capture_stderr()
        warnings.warn("of a library", stacklevel=1)
        Unraisable()
        threading.Thread(target=fail, name="fails").start()
    """
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["library-message", "unexpected-error", "unexpected-error"]
    for line, text in zip(lines, ("of a library", "in a finaliser", "in a thread"), strict=True):
        assert text in line.get("message", "") + line.get("exception", "")
    assert lines[-1]["work"] == "fails"
