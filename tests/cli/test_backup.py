"""`tintype backup` and `restore`: the copy is complete, whatever happens while it is made."""

import fcntl
import hashlib
import json
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests import pictures
from tests.cli.calling import call, error_message, file_tree, library, run
from tests.cli.killing import killable
from tests.running import make_token, run_cli, running

CLIENTS = 3


def add(data: Path, seeds: range, account: str = "default") -> None:
    """Import a picture for each seed."""
    source = data.parent / "source"
    source.mkdir(exist_ok=True)
    paths = [source / f"{seed}.png" for seed in seeds]
    for seed, path in zip(seeds, paths, strict=True):
        path.write_bytes(pictures.png(20, 16, seed=seed))
    run(data, "import", "--account", account, *map(str, paths))


def query(catalogue: Path, sql: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(catalogue)) as connection:
        return connection.execute(sql).fetchall()


def originals(folder: Path) -> dict[str, bytes]:
    """The bytes of the originals below a folder, by their digests."""
    found = [path for path in (folder / "originals").glob("??/*") if path.is_file()]
    return {path.name: path.read_bytes() for path in found}


def is_complete(data: Path) -> bool:
    """Whether every record has bytes with its digest, as seen by nothing of tintype."""
    held = originals(data)
    return all(
        hashlib.sha256(held[sha256]).hexdigest() == sha256
        for (sha256,) in query(data / "catalogue.sqlite3", "SELECT sha256 FROM images")
    )


def snapshots(target: Path) -> list[str]:
    return sorted(path.name for path in (target / "snapshots").iterdir())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A library of three images."""
    add(tmp_path / "data", range(3))
    return tmp_path / "data"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"


def test_a_restored_library_is_the_library(data: Path, target: Path, elsewhere: Path) -> None:
    (data / "tintype.toml").write_text("[logs]\npictures = false\n")
    printed = run(data, "backup", str(target))
    assert f"{snapshots(target)[0]}: 3 images, 3 originals" in printed
    assert "copied 3 originals" in printed
    assert "Restored 3 images and 3 of 3 originals" in run(elsewhere, "restore", str(target))
    for name in ("link-keys.json", "tintype.toml"):
        assert (elsewhere / name).read_bytes() == (data / name).read_bytes()
    assert originals(elsewhere) == originals(data)
    rows = "SELECT * FROM images ORDER BY number"
    assert query(elsewhere / "catalogue.sqlite3", rows) == query(data / "catalogue.sqlite3", rows)
    assert run(elsewhere, "check", "--deep") == run(data, "check", "--deep")
    assert not list(elsewhere.glob("restore-unfinished*"))


def test_only_its_owner_can_read_a_backup_or_a_restored_library(
    data: Path, target: Path, elsewhere: Path
) -> None:
    run(data, "backup", str(target))
    run(elsewhere, "restore", str(target))
    for folder in (target, elsewhere):
        assert folder.stat().st_mode & 0o777 == 0o700
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_what_the_backup_has_is_not_copied_again(data: Path, target: Path) -> None:
    run(data, "backup", str(target))
    before = {path: path.stat().st_mtime_ns for path in (target / "originals").rglob("*") if path.is_file()}
    add(data, range(3, 5))
    assert "5 images, 5 originals" in (printed := run(data, "backup", str(target)))
    assert "copied 2 originals" in printed
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(originals(target)) == 5
    assert len(snapshots(target)) == 2


def test_an_earlier_snapshot_can_be_restored(data: Path, target: Path, elsewhere: Path) -> None:
    run(data, "backup", str(target))
    add(data, range(3, 5))
    run(data, "backup", str(target))
    assert "Restored 3 images" in run(elsewhere, "restore", "--snapshot", snapshots(target)[0], str(target))
    assert is_complete(elsewhere)


def forget(data: Path, count: int) -> None:
    """Delete images and their bytes, the first ones first."""
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection, connection:
        rows = connection.execute(f"SELECT number, sha256 FROM images ORDER BY number LIMIT {count}")  # noqa: S608  a number
        for number, sha256 in rows.fetchall():
            connection.execute("DELETE FROM images WHERE number = ?", (number,))
            (data / "originals" / sha256[:2] / sha256).unlink()


def test_pruning_removes_what_no_snapshot_that_stays_needs(data: Path, target: Path, elsewhere: Path) -> None:
    run(data, "backup", str(target))
    forget(data, 1)
    run(data, "backup", str(target))
    forget(data, 1)
    assert len(originals(target)) == 3
    assert "Removed 1 snapshots and 1 originals" in run(data, "backup", "--prune", "--keep", "2", str(target))
    assert (len(snapshots(target)), len(originals(target))) == (2, 2)
    assert "Removed 2 snapshots and 1 originals" in run(data, "backup", "--prune", str(target))
    assert (len(snapshots(target)), originals(target)) == (1, originals(data))
    run(elsewhere, "restore", str(target))
    assert is_complete(elsewhere)


def test_a_snapshot_with_holes_does_not_drive_out_those_before(data: Path, target: Path) -> None:
    run(data, "backup", str(target))
    add(data, range(3, 5))
    (new,) = set(originals(data)) - set(originals(target)) - {lose_one_that(data, set(originals(target)))}
    result = call(data, "backup", "--prune", str(target))
    assert (result.exit_code, "1 originals are missing" in result.stderr) == (1, True)
    assert (len(snapshots(target)), new in originals(target)) == (2, True)


def lose_one_that(data: Path, is_not: set[str]) -> str:
    found = min(set(originals(data)) - is_not)
    (data / "originals" / found[:2] / found).unlink()
    return found


def damage(folder: Path) -> str:
    """Change a byte of an original, and nothing of its size; its digest."""
    (path,) = sorted((folder / "originals").glob("??/*"))[:1]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    return path.name


def lose(folder: Path) -> str:
    """Remove an original; its digest."""
    (path,) = sorted((folder / "originals").glob("??/*"))[:1]
    path.unlink()
    return path.name


def test_reading_everything_mends_what_the_backup_has_lost(data: Path, target: Path, elsewhere: Path) -> None:
    run(data, "backup", str(target))
    damage(target)
    assert "copied 0 originals" in run(data, "backup", str(target))
    assert "copied 1 originals" in run(data, "backup", "--deep", str(target))
    assert originals(target) == originals(data)
    lose(target)
    assert "copied 1 originals" in run(data, "backup", str(target))
    run(elsewhere, "restore", str(target))
    assert is_complete(elsewhere)


def test_a_broken_backup_is_refused_before_anything_is_made(
    data: Path, target: Path, elsewhere: Path
) -> None:
    run(data, "backup", str(target))
    lost = lose(target)
    assert lost in error_message(elsewhere, "restore", str(target))
    assert not elsewhere.exists()
    assert "2 of 3 originals" in run(elsewhere, "restore", "--allow-missing", str(target))
    assert call(elsewhere, "check").stdout.count("is missing") == 1


def test_damage_is_found_while_copying_and_no_library_is_made_of_it(
    data: Path, target: Path, elsewhere: Path
) -> None:
    run(data, "backup", str(target))
    damaged = damage(target)
    assert damaged in error_message(elsewhere, "restore", str(target))
    assert damaged not in originals(elsewhere)
    assert "was interrupted" in error_message(elsewhere, "check")
    assert "was interrupted" in error_message(elsewhere, "serve", "--port", "0")
    run(data, "backup", "--deep", str(target))
    assert "3 of 3 originals" in run(elsewhere, "restore", str(target))
    assert is_complete(elsewhere)


@pytest.mark.parametrize("name", ["catalogue.sqlite3", "link-keys.json", "manifest.json"])
@pytest.mark.parametrize("loss", ["changed", "gone"])
def test_a_snapshot_that_is_not_what_it_was_is_refused(
    data: Path, target: Path, elsewhere: Path, name: str, loss: str
) -> None:
    run(data, "backup", str(target))
    (path,) = target.glob(f"snapshots/*/{name}")
    if loss == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    else:
        path.unlink()
    assert "backup" in (printed := error_message(elsewhere, "restore", str(target))) or "snapshot" in printed
    assert not elsewhere.exists()


def test_what_the_library_has_lost_is_said_and_the_rest_is_kept(
    data: Path, target: Path, elsewhere: Path
) -> None:
    lost = lose(data)
    result = call(data, "backup", str(target))
    assert (result.exit_code, "1 originals are missing" in result.stderr) == (1, True)
    assert originals(target) == originals(data)
    assert json.loads(next(target.glob("snapshots/*/manifest.json")).read_bytes())["missing"] == [lost]
    assert lost in error_message(elsewhere, "restore", str(target))
    assert "2 of 3" in run(elsewhere, "restore", "--allow-missing", str(target))


def test_lost_keys_are_said(data: Path, target: Path) -> None:
    (data / "link-keys.json").unlink()
    result = call(data, "backup", str(target))
    assert (result.exit_code, "has lost its link-keys.json" in result.stderr) == (1, True)
    assert originals(target) == originals(data)


def test_damage_of_the_library_does_not_reach_the_backup(data: Path, target: Path) -> None:
    run(data, "backup", str(target))
    whole = originals(data)
    damage(data)
    run(data, "backup", "--deep", str(target))
    assert originals(target) == whole
    add(data, range(3, 5))
    new = damage_one_that(data, set(whole))
    result = call(data, "backup", str(target))
    assert (result.exit_code, "1 damaged" in result.stderr) == (1, True)
    assert new not in originals(target)
    assert len(originals(target)) == 4


def damage_one_that(data: Path, is_not: set[str]) -> str:
    found = min(set(originals(data)) - is_not)
    path = data / "originals" / found[:2] / found
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    return found


@pytest.mark.parametrize("what", ["folder", "library", "other", "inside", "around", "itself", "busy", "gc"])
def test_where_no_backup_can_be_it_says_why_and_changes_nothing(
    data: Path, target: Path, what: str, tmp_path: Path
) -> None:
    run(data, "backup", str(target))
    folders = {"inside": data / "backup", "around": tmp_path, "itself": data, "busy": target, "gc": target}
    to = folders.get(what, tmp_path / what)
    if what == "folder":
        to.mkdir()
        (to / "notes.txt").write_text("mine")
    if what in {"library", "other"}:
        library(tmp_path / "another")
        if what == "library":
            (tmp_path / "another").rename(to)
        else:
            run(tmp_path / "another", "backup", str(to))
    held = {"busy": target / "lock", "gc": data / "removed"}.get(what)
    wanted = {
        "folder": "holds no backup",
        "library": "holds no backup",
        "other": "another library",
        "busy": "Another process writes",
        "gc": "Another backup of this library is running, or `tintype gc`",
    }.get(what, "can't be inside each other")
    before = file_tree(tmp_path)
    with locked(held):
        assert wanted in error_message(data, "backup", str(to))
    assert file_tree(tmp_path) == before


@pytest.mark.parametrize("inside", ["library", "snapshots/library", "."])
def test_nothing_is_restored_into_its_backup(tmp_path: Path, inside: str) -> None:
    run(library(tmp_path / "library"), "backup", str(tmp_path / "backup"))
    before = file_tree(tmp_path)
    refused = error_message(tmp_path / "backup" / inside, "restore", str(tmp_path / "backup"))
    assert "can't be inside each other" in refused
    assert file_tree(tmp_path) == before


@contextmanager
def locked(path: Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def test_nothing_is_restored_over_anything(data: Path, target: Path, elsewhere: Path) -> None:
    run(data, "backup", str(target))
    before = file_tree(data)
    assert "is not empty" in error_message(data, "restore", str(target))
    assert file_tree(data) == before
    elsewhere.mkdir()
    (elsewhere / "tintype.toml").write_text("")
    assert "is not empty" in error_message(elsewhere, "restore", str(target))
    (elsewhere / "tintype.toml").unlink()
    (elsewhere / "lost+found").mkdir()
    run(elsewhere, "restore", str(target))


def test_a_library_that_was_restored_and_used_is_not_restored_over(
    data: Path, target: Path, elsewhere: Path
) -> None:
    run(data, "backup", str(target))
    run(elsewhere, "restore", str(target))
    (elsewhere / "restore-unfinished").write_bytes(b"")  # the last moment of a restore that was killed
    assert "is not empty" in error_message(elsewhere, "restore", str(target))


@pytest.mark.parametrize("what", ["missing", "empty", "other", "snapshot"])
def test_what_can_not_be_restored_is_said(data: Path, target: Path, elsewhere: Path, what: str) -> None:
    run(data, "backup", str(target))
    source = {"snapshot": target, "other": data}.get(what, target.parent / what)
    if what == "empty":
        source.mkdir()
    options = ["--snapshot", "20000101T000000Z"] if what == "snapshot" else []
    wanted = "has no snapshot 20000101T000000Z" if what == "snapshot" else "There is no backup in"
    assert wanted in error_message(elsewhere, "restore", *options, str(source))
    assert not elsewhere.exists()


def test_a_backup_of_a_newer_version_is_refused(data: Path, target: Path, elsewhere: Path) -> None:
    run(data, "backup", str(target))
    (path,) = target.glob("snapshots/*/manifest.json")
    path.write_text(path.read_text().replace('"schema": "0', '"schema": "9'))
    assert "does not know" in error_message(elsewhere, "restore", str(target))
    assert not elsewhere.exists()


def test_a_backup_that_is_killed_spoils_nothing_and_the_next_completes_it(
    data: Path, target: Path, elsewhere: Path
) -> None:
    run(data, "backup", str(target))
    add(data, range(3, 180))
    with killable(data, "backup", str(target)) as backup:
        while len(originals(target)) < 20:
            assert backup.process.poll() is None
        backup.kill()
    assert len(originals(target)) < 180
    assert len(snapshots(target)) == 1
    assert "Restored 3 images" in run(elsewhere, "restore", str(target))
    assert is_complete(elsewhere)

    printed = run(data, "backup", str(target))
    assert "180 images" in printed
    assert "copied 180 originals" not in printed
    assert list((target / "incoming").iterdir()) == []
    run(elsewhere.with_name("again"), "restore", str(target))
    assert is_complete(elsewhere.with_name("again"))
    assert originals(elsewhere.with_name("again")) == originals(data)


def test_ctrl_c_ends_it_in_one_line(data: Path, target: Path) -> None:
    add(data, range(3, 150))
    with killable(data, "backup", str(target)) as backup:
        while len(originals(target)) < 5:
            assert backup.process.poll() is None
        backup.process.send_signal(signal.SIGINT)
        assert backup.join(30) == 130
    (last,) = [line for line in backup.lines if not line.startswith("Backing up")]
    assert last.startswith("Stopped. ")
    assert snapshots(target) == []


def test_a_restore_that_is_killed_is_no_library_and_the_next_completes_it(
    data: Path, target: Path, elsewhere: Path
) -> None:
    add(data, range(3, 150))
    run(data, "backup", str(target))
    with killable(elsewhere, "restore", str(target)) as restoring:
        while len(originals(elsewhere)) < 20:
            assert restoring.process.poll() is None
        restoring.kill()
    assert len(originals(elsewhere)) < 150
    assert "was interrupted" in error_message(elsewhere, "check")
    assert "was interrupted" in error_message(elsewhere, "init")
    run(elsewhere, "restore", str(target))
    assert is_complete(elsewhere)
    assert originals(elsewhere) == originals(data)
    assert not list(elsewhere.glob("restore-unfinished*"))


def test_a_full_disk_is_said_and_the_backup_before_stays(
    data: Path, target: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(data, "backup", str(target))
    add(data, range(3, 5))

    def is_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("tintype.storage.copying.os.fsync", is_full)
        assert "No space left on device" in error_message(data, "backup", str(target))
    assert len(snapshots(target)) == 1
    assert len(originals(target)) == 3
    assert "Restored 3 images" in run(elsewhere, "restore", str(target))
    assert "copied 2 originals" in run(data, "backup", str(target))


class Clients:
    """Clients that upload and delete without a pause; `kept` are the digests of what is there, by id."""

    def __init__(self, base_url: str, token: str, images: dict[str, str]) -> None:
        self.kept = dict(images)
        self.answers: set[int] = set()
        self.deleted = 0
        self._stop = threading.Event()
        self._images = list(images)
        random.Random(1).shuffle(self._images)
        self._base_url, self._headers = base_url, {"Authorization": f"Bearer {token}"}
        self._threads = [threading.Thread(target=self._work, args=(each,)) for each in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, which: int) -> None:
        dice = random.Random(which)
        with httpx.Client(base_url=self._base_url, headers=self._headers, timeout=60) as client:
            for turn in range(10_000):
                if self._stop.is_set():
                    return
                data = pictures.png(20, 16, seed=1_000_000 * (which + 1) + turn)
                answer = client.post("/v1/images", content=data)
                self.answers.add(answer.status_code)
                id = answer.json()["id"]
                self.kept[id] = hashlib.sha256(data).hexdigest()
                self._delete(client, dice, id)

    def _delete(self, client: httpx.Client, dice: random.Random, own: str) -> None:
        id = self._images.pop() if self._images else own
        if dice.random() < 0.8:
            self.answers.add(client.delete(f"/v1/images/{id}").status_code)
            self.kept.pop(id, None)
            self.deleted += 1


def test_every_record_of_a_copy_has_its_bytes_whatever_is_deleted_meanwhile(
    data: Path, target: Path, tmp_path: Path
) -> None:
    add(data, range(3, 150))
    token = make_token(data, "native", "default")
    with running(data, "serve") as service:
        with httpx.Client(base_url=service.base_url, headers={"Authorization": f"Bearer {token}"}) as client:
            images = client.get("/v1/images?limit=1000").json()["images"]
        with Clients(service.base_url, token, {each["id"]: each["sha256"] for each in images}) as clients:
            for _ in range(2):
                run_cli(data, "backup", str(target))
            assert clients.deleted > 20
        assert clients.answers == {201, 204}
        run_cli(data, "backup", str(target))
        assert list((data / "removed" / "deleted").iterdir()) == []
        assert len(originals(data)) == len(query(data / "catalogue.sqlite3", "SELECT id FROM images"))

    for name in snapshots(target):
        run(tmp_path / name, "restore", "--snapshot", name, str(target))
        assert is_complete(tmp_path / name)
    with running(tmp_path / name, "serve") as restored:
        assert delivered(restored.base_url, token) == clients.kept


def delivered(base_url: str, token: str) -> dict[str, str]:
    """The digests of what the links of all images deliver, by id."""
    found = {}
    with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}) as client:
        listed = client.get("/v1/images?limit=1000").json()["images"]
        for image in listed:
            answer = client.get(image["url"])
            assert answer.status_code == 200
            found[image["id"]] = hashlib.sha256(answer.content).hexdigest()
    return found
