"""A full disk: uploads are refused in so many words, what makes room works, and reads go on."""

import os
import re
import select
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from tests import pictures
from tests.cli.calling import library
from tests.hostile.full_disk import faulty_disk, fill, small_disk
from tests.listening import address_of
from tests.running import TINTYPE, Running, make_token
from tests.waiting import until

MEGABYTES = 24
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LOCKED_WITHIN = 5.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", MEGABYTES) as folder:
        yield folder


def large(seed: int) -> bytes:
    """A picture of a megabyte: one of a few pixels, and a chunk that no decoder minds."""
    plain = pictures.png(8, 8)
    return plain[:-12] + pictures.png_chunk(b"fiLl", seed.to_bytes(4) * (1 << 18)) + plain[-12:]


class Tenant:
    """A client of the native dialect that fills and empties a library."""

    def __init__(self, service: Running) -> None:
        self.service = service
        self.http = httpx.Client(base_url=service.base_url, timeout=60)
        self.http.headers["Authorization"] = f"Bearer {service.token('native')}"
        service.token("native", label="lost")
        self.lost_token = UUID.findall(service.cli("token", "list"))[-1]
        self.images: list[str] = []

    def upload(self, seed: int = 0) -> httpx.Response:
        """Another picture of about a megabyte."""
        number = len(self.images) + seed
        answer = self.http.post("/v1/images", content=large(number))
        if answer.status_code == 201:
            self.images.append(answer.json()["id"])
        return answer

    def fill(self) -> httpx.Response:
        """Upload until one is refused; the refusal."""
        while True:
            answer = self.upload()
            if answer.status_code != 201:
                return answer

    def delete(self) -> httpx.Response:
        """The first one."""
        return self.http.delete(f"/v1/images/{self.images[0]}")

    def ready(self) -> list[str]:
        answer = self.http.get("/readyz")
        assert answer.status_code == 200
        return answer.text.splitlines()


@contextmanager
def tenant_of(service: Running) -> Iterator[Tenant]:
    tenant = Tenant(service)
    with tenant.http:
        yield tenant


@pytest.fixture
def tenant(disk: Path, serve: Callable[..., Running]) -> Iterator[Tenant]:
    """On a small disk."""
    with tenant_of(serve(disk / "library")) as tenant:
        yield tenant


def test_a_full_disk_refuses_uploads_and_takes_deletes_which_make_room(tenant: Tenant) -> None:
    refused = tenant.fill()
    assert refused.status_code == 507
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:tintype:error:insufficient-storage"
    assert int(refused.headers["retry-after"]) > 0
    # The last byte too: not even the journal of the catalogue can grow.
    fill(tenant.service.data)
    assert tenant.ready() == ["ready", "degraded: storage full"]
    assert tenant.upload(seed=1000).status_code == 507
    assert incoming(tenant) == []
    archived = tenant.http.patch(f"/v1/images/{tenant.images[0]}", json={"status": "archived"})
    assert (archived.status_code, archived.json().get("status")) == (200, "archived")
    assert tenant.http.get(f"/v1/images/{tenant.images[1]}").status_code == 200
    tenant.service.cli("token", "revoke", tenant.lost_token)
    for image in tenant.images:
        assert tenant.http.delete(f"/v1/images/{image}").status_code == 204
    assert originals(tenant) == []
    assert tenant.ready() == ["ready"]
    assert tenant.upload().status_code == 201


def test_keys_are_changed_in_the_room_that_is_reserved(tenant: Tenant) -> None:
    tenant.fill()
    cli, reserve = tenant.service.cli, tenant.service.data / "reserve"
    first = cli("keys", "list").split()[0]
    for change in (["rotate"], ["retire", first]):
        assert tenant.ready()
        assert reserve.exists()
        rest = fill(tenant.service.data)
        cli("keys", *change)
        assert not reserve.exists()
        rest.unlink()
    assert first not in cli("keys", "list")
    assert len(cli("audit", "--event", "key-added").splitlines()) == 1
    assert len(cli("audit", "--event", "key-retired").splitlines()) == 1
    assert list(tenant.service.data.glob("*.new")) == []


def test_the_cache_gives_way_before_an_upload_is_refused(tenant: Tenant) -> None:
    cached = tenant.service.data / "renditions/ab/00000000-0000-4000-8000-0000000000ab"
    cached.mkdir(parents=True)
    for n in range(MEGABYTES // 2):
        path = cached / f"1-{n:016x}.png"
        path.write_bytes(bytes(1 << 20))
        # What was used in these seconds stays.
        os.utime(path, (0, 0))
    tenant.fill()
    assert not cached.exists()
    assert len(tenant.images) > MEGABYTES // 2


def test_a_disk_that_takes_nothing_more_refuses_changes_and_reads_go_on(
    tmp_path: Path, serve: Callable[..., Running]
) -> None:
    with faulty_disk(tmp_path / "disk") as (folder, fail), tenant_of(serve(folder / "library")) as tenant:
        url = tenant.upload().json()["url"]
        fail()
        for change in (tenant.upload, tenant.delete):
            refused = change()
            assert refused.status_code == 507
            assert refused.json()["type"] == "urn:tintype:error:insufficient-storage"
        assert httpx.get(url).content == large(0)
        assert tenant.http.get(f"/v1/images/{tenant.images[0]}").status_code == 200
        assert tenant.ready() == ["ready", "degraded: storage read-only"]
        tenant.service.process.terminate()
        tenant.service.process.wait(60)


def test_a_vendors_client_is_told_to_come_back(disk: Path, serve: Callable[..., Running]) -> None:
    service = serve(disk / "library", TINTYPE_EVOTOR_SIDE="8")
    evotor, smartsheet = service.token("evotor"), service.token("smartsheet")
    with tenant_of(service) as tenant:
        tenant.fill()
    fill(service.data)
    picture = pictures.png(8, 8)
    response = httpx.post(
        f"{service.base_url}/stores/s/products/p/images",
        files={"datafile": ("a.png", picture, "image/png")},
        headers={"X-Authorization": evotor},
    )
    assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")
    assert int(response.headers["retry-after"]) > 0
    response = httpx.post(
        f"{service.base_url}/2.0/sheets/1/rows/1/columns/1/cellimages",
        content=picture,
        headers={
            "Authorization": f"Bearer {smartsheet}",
            "Content-Type": "image/png",
            "Content-Disposition": 'attachment; filename="a.png"',
        },
    )
    assert (response.status_code, response.json()["errorCode"]) == (503, 4001)


def test_a_catalogue_that_another_program_holds_refuses_changes_soon_and_reads_go_on(
    serve: Callable[..., Running],
) -> None:
    with tenant_of(serve()) as tenant:
        tenant.upload()
        with held(tenant.service.data / "catalogue.sqlite3"):
            for change in (tenant.upload, tenant.delete):
                began = time.monotonic()
                refused = change()
                assert time.monotonic() - began < LOCKED_WITHIN
                assert (refused.status_code, refused.json()["type"]) == (503, "urn:tintype:error:overloaded")
                assert int(refused.headers["retry-after"]) > 0
            assert tenant.http.get(f"/v1/images/{tenant.images[0]}").status_code == 200
            assert tenant.ready() == ["ready", "degraded: catalogue locked"]
            assert incoming(tenant) == []
        assert tenant.ready() == ["ready"]
        assert tenant.delete().status_code == 204


def test_a_log_that_takes_no_more_costs_no_request(tmp_path: Path) -> None:
    data = library(tmp_path / "library")
    headers = {"Authorization": f"Bearer {make_token(data, 'native')}"}
    with Path("/dev/full").open("wb") as full, serving_into(full, data, headers) as client:
        for _ in range(3):
            image = client.post("/v1/images", content=pictures.png(8, 8)).json()
            (data / "originals" / image["sha256"][:2] / image["sha256"]).unlink()
            lost = client.get(image["url"])
            assert (lost.status_code, lost.json()["type"]) == (500, "urn:tintype:error:original-missing")


def test_a_log_that_nobody_reads_costs_no_request(tmp_path: Path) -> None:
    data = library(tmp_path / "library")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writer, "wb") as pipe, serving_into(pipe, data, {}) as client:
        for number in range(500):
            assert client.get(f"/nothing/{number}").status_code == 404
        assert client.get("/healthz").status_code == 200
        # It gets full, when the lines are written: there were some that nobody could have written.
        until(lambda: not select.select([], [writer], [], 0)[1])
        assert client.get("/healthz").status_code == 200


@contextmanager
def serving_into(log: BinaryIO, data: Path, headers: dict[str, str]) -> Iterator[httpx.Client]:
    """A service whose standard error is the file; a client of it."""
    command = [TINTYPE, "serve", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stderr=log) as process:
        try:
            until(lambda: address_of(process.pid) is not None, 60)
            address = f"http://{address_of(process.pid)}"
            with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
                yield client
        finally:
            process.terminate()


@contextmanager
def held(catalogue: Path) -> Iterator[None]:
    """A catalogue, while another program writes it."""
    with closing(sqlite3.connect(catalogue, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_link_keys_that_go_under_a_running_service_are_told_and_kept(serve: Callable[..., Running]) -> None:
    with tenant_of(serve()) as tenant:
        url = tenant.upload().json()["url"]
        keys = tenant.service.data / "link-keys.json"
        whole = keys.read_bytes()
        keys.unlink()
        until(lambda: tenant.ready() == ["ready", "degraded: link keys missing or broken"])
        assert httpx.get(url).status_code == 200
        fresh = tenant.http.get(f"/v1/images/{tenant.images[0]}").json()["url"]
        assert httpx.get(fresh).status_code == 200
        keys.write_bytes(whole)
        until(lambda: tenant.ready() == ["ready"])


def originals(tenant: Tenant) -> list[Path]:
    return [path for path in (tenant.service.data / "originals").rglob("*") if path.is_file()]


def incoming(tenant: Tenant) -> list[Path]:
    return list((tenant.service.data / "incoming").iterdir())
