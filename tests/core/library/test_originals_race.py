"""Uploads beside deletes and garbage collection of the same bytes, by two processes with two threads each."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.core.conftest import Instance
from tintype.core.upkeep.check import check

PROCESSES = 2
ROUNDS = 130


def start(data: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.core.library.racing", str(data), name, str(ROUNDS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def test_no_record_is_ever_without_its_bytes(instance: Instance) -> None:
    # The racers of one process would make it at the same time.
    instance.services.reserve.hold()
    racing = [start(instance.data, f"racers {number}") for number in range(PROCESSES)]
    done, missing = Counter[str](), list[str]()
    for process in racing:
        outcome = json.loads(process.communicate()[0])
        done.update(outcome["done"])
        missing += outcome["missing"]
    assert missing == []
    assert done["uploaded"] == PROCESSES * 2 * 2 * ROUNDS
    assert [found async for found in check(instance.services)] == []
    assert instance.files() == []
