"""The memory allocator of a worker process."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests import pictures
from tests.cli.killing import workers_of
from tests.running import running

THREADS = 8
HEAP = 64 * 1024 * 1024
"""glibc's HEAP_MAX_SIZE: where an arena besides the first lies is a multiple of it."""

# Every thread takes memory while all the others hold theirs, then glibc writes down its arenas.
TAKE = f"""
import ctypes, sys, threading
from tintype.imaging.allocator import limit_arenas

held = limit_arenas(int(sys.argv[1]))
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
libc.fopen.argtypes, libc.malloc.argtypes = [ctypes.c_char_p, ctypes.c_char_p], [ctypes.c_size_t]
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
met = threading.Barrier({THREADS})

def take():
    met.wait()
    libc.malloc(100)
    met.wait()

threads = [threading.Thread(target=take) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
print(held)
"""


def arenas(asked: int, to: Path) -> tuple[int, str]:
    """How many arenas eight threads have, and what was said of the asking."""
    done = subprocess.run(
        [sys.executable, "-c", TAKE, str(asked), str(to)], check=True, capture_output=True, text=True
    )
    return len(re.findall("<heap nr=", to.read_text())), done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_threads_share_the_arenas_that_are_allowed(tmp_path: Path) -> None:
    assert arenas(2, tmp_path / "two.xml") == (2, "True")
    assert arenas(1, tmp_path / "one.xml") == (1, "True")


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_without_a_limit_the_allocator_is_left_as_it_is(tmp_path: Path) -> None:
    found, output = arenas(0, tmp_path / "free.xml")
    assert found > 2
    assert output == "False"


def further_arenas(process: int) -> int:
    """Arenas besides the first, by the map of a process's memory."""
    found = 0
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        addresses, may, *rest = line.split()
        is_of_no_file = len(rest) == 3
        found += may == "rw-p" and is_of_no_file and int(addresses.partition("-")[0], 16) % HEAP == 0
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
@pytest.mark.parametrize(("asked", "fewest", "most"), [("0", 4, 100), ("2", 0, 2)])
def test_a_worker_keeps_to_its_setting(tmp_path: Path, asked: str, fewest: int, most: int) -> None:
    with running(tmp_path, "serve", {"TINTYPE_WORKERS_MALLOC_ARENAS": asked}) as service:
        headers = {"Authorization": f"Bearer {service.token('native')}"}

        def upload(seed: int) -> int:
            body = pictures.png(30, 30, seed=seed)
            return httpx.post(f"{service.base_url}/v1/images", content=body, headers=headers).status_code

        with ThreadPoolExecutor(THREADS) as threads:
            assert set(threads.map(upload, range(3 * THREADS))) == {201}
        (worker,) = workers_of(service.process.pid)
        assert fewest <= further_arenas(worker) <= most
