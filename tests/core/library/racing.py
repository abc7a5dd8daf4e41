"""A process that uploads, deletes and collects the same few originals, in two threads.

Prints how often it did each, and every record that it found without its bytes.
"""

import asyncio
import hashlib
import json
import sys
import threading
from collections import Counter
from functools import partial
from pathlib import Path

from tests import pictures
from tests.core.conftest import create_caller, once
from tintype.app import build_services, close_services, utc_now
from tintype.core import Services
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import record_image, stage
from tintype.core.library.originals import remove_unused
from tintype.imaging.inspection import inspect
from tintype.model import Caller
from tintype.settings import load

PICTURES = [pictures.png(4, 4, seed=seed) for seed in range(2)]
DIGESTS = [hashlib.sha256(data).hexdigest() for data in PICTURES]
THREADS = 2


class Racer:
    """One thread: an uploader for each picture, and a collector."""

    def __init__(self, data: Path, name: str, rounds: int) -> None:
        self.done: Counter[str] = Counter()
        self.missing: list[str] = []
        self._data, self._name, self._rounds = data, name, rounds
        self._is_over = False

    def run(self) -> None:
        asyncio.run(self._race())

    async def _race(self) -> None:
        services = build_services(load(self._data, []), utc_now)
        caller = await create_caller(services, self._name, "Racer")
        collecting = asyncio.create_task(self._collect(services))
        await asyncio.gather(*(self._upload(services, caller, data) for data in PICTURES))
        self._is_over = True
        await collecting
        await close_services(services)

    async def _upload(self, services: Services, caller: Caller, data: bytes) -> None:
        info = inspect(data)
        for _ in range(self._rounds):
            async with stage(services, once(data), len(data)) as staged:
                image = await record_image(services, caller, staged, info, "photo.png")
            # The others go on meanwhile.
            for _ in range(3):
                if await services.workers.disk(services.originals.stat, image.sha256) is None:
                    self.missing.append(image.sha256)
            await delete(services, caller, image.id)
            self.done["uploaded"] += 1

    async def _collect(self, services: Services) -> None:
        while not self._is_over:
            await asyncio.sleep(0.03)
            for sha256 in DIGESTS:
                aside = partial(services.originals.set_aside, now=services.clock())
                self.done["collected"] += await remove_unused(services, sha256, aside)


def main(data: Path, name: str, rounds: int) -> None:
    """Race, and print the outcome as JSON."""
    racers = [Racer(data, f"{name}-{number}", rounds) for number in range(THREADS)]
    threads = [threading.Thread(target=racer.run) for racer in racers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = sum((racer.done for racer in racers), Counter[str]())
    missing = [sha256 for racer in racers for sha256 in racer.missing]
    sys.stdout.write(json.dumps({"done": done, "missing": missing}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
