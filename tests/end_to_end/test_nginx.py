"""The page on nginx, tried: its configuration as it stands, with a certificate of our own."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import pictures
from tests.listening import address_of
from tests.running import Running, running
from tests.waiting import until

NAME = "images.example.com"
PAGE = Path(__file__).parents[2] / "docs" / "nginx.md"
FOUND = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
WITHIN = 30
TRIES = 5

pytestmark = pytest.mark.skipif(
    FOUND is None and os.environ.get("CI") != "true", reason="nginx is not installed; CI has it"
)


@dataclass(frozen=True)
class Site:
    """The service behind nginx, reached as browsers reach it."""

    service: Running
    port: int
    plain_port: int
    certificate: Path
    token: str

    def curl(self, path: str, *options: str, name: str = NAME) -> subprocess.CompletedProcess[bytes]:
        """What curl says of a path, sent as it stands."""
        return subprocess.run(
            [
                "curl", "--silent", "--show-error", "--path-as-is", "--noproxy", "*",
                "--max-time", str(WITHIN),
                "--cacert", str(self.certificate), "--resolve", f"{name}:{self.port}:127.0.0.1",
                *options, f"https://{name}:{self.port}{path}",
            ],
            capture_output=True, check=False,
        )  # fmt: skip

    def status(self, path: str, *options: str) -> int:
        return int(self.curl(path, "--output", "/dev/null", "--write-out", "%{http_code}", *options).stdout)

    def as_caller(self, path: str, *options: str) -> subprocess.CompletedProcess[bytes]:
        return self.curl(path, "--header", f"Authorization: Bearer {self.token}", *options)

    def upload(self, file: Path, picture: bytes) -> dict[str, str]:
        file.write_bytes(picture)
        made: dict[str, str] = json.loads(self.as_caller("/v1/images", "--data-binary", f"@{file}").stdout)
        return made


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    certificate, key = certified(folder)
    data = folder / "library"
    data.mkdir(mode=0o700)
    (settings,) = blocks("toml")
    (data / "tintype.toml").write_text(settings)
    with running(data, "serve", {}) as service:
        # What it says itself is its public address.
        address = address_of(service.process.pid)
        assert address is not None

        def write(port: int, plain_port: int) -> Path:
            return configuration(folder, certificate, key, address, port, plain_port)

        with listening(write) as ports:
            yield Site(service, *ports, certificate, service.token("native"))


def certified(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def configuration(
    folder: Path, certificate: Path, key: Path, service: str, port: int, plain_port: int
) -> Path:
    """The page's configuration, in which only ports and files are others."""
    (page,) = blocks("nginx")
    for there, here in (
        ("127.0.0.1:8080", service),
        ("/etc/letsencrypt/live/images.example.com/fullchain.pem", str(certificate)),
        ("/etc/letsencrypt/live/images.example.com/privkey.pem", str(key)),
    ):
        assert there in page
        page = page.replace(there, here)
    page = re.sub(r"    listen \[::\].*\n", "", page)
    page = re.sub(r"listen 443\b", f"listen 127.0.0.1:{port}", page)
    page = re.sub(r"listen 80\b", f"listen 127.0.0.1:{plain_port}", page)
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    written = folder / "nginx.conf"
    written.write_text(
        f"{user}daemon off;\npid {folder / 'pid'};\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{page}}}\n"
    )
    return written


@contextmanager
def listening(write: Callable[[int, int], Path]) -> Iterator[tuple[int, int]]:
    """The two ports where nginx listens, with the configuration that is written for them."""
    assert FOUND is not None, "nginx is not installed"
    for _ in range(TRIES):
        ports = free_ports()
        written = write(*ports)
        with subprocess.Popen([FOUND, "-c", str(written), "-e", str(written.with_name("errors"))]) as nginx:
            try:
                if listens(nginx, written.with_name("pid")):
                    yield ports
                    return
            finally:
                nginx.terminate()
    raise AssertionError("nginx does not listen")


def free_ports() -> tuple[int, int]:
    """Two ports that are free now: another program may take one before nginx does."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return int(one.getsockname()[1]), int(other.getsockname()[1])


def listens(nginx: "subprocess.Popen[bytes]", pid_file: Path) -> bool:
    """Wait until nginx listens, which is when it writes its id; False if it ended, as a port was taken."""
    until(lambda: pid_file.exists() or nginx.poll() is not None, WITHIN)
    return nginx.poll() is None


def test_links_lead_to_the_public_address_and_open(site: Site, tmp_path: Path) -> None:
    picture = pictures.png(40, 30)
    url = site.upload(tmp_path / "picture", picture)["url"]
    assert url.startswith(f"https://{NAME}/v1/media/")
    link = url.removeprefix(f"https://{NAME}")
    for _ in range(3):
        assert site.curl(link).stdout == picture
    assert site.curl(link, "--range", "0-9").stdout == picture[:10]
    headers = site.curl(link, "--head").stdout.decode().lower()
    (tag,) = re.findall(r"etag: (\S+)", headers)
    assert "strict-transport-security: max-age=" in headers
    assert site.status(link, "--header", f"If-None-Match: {tag}") == 304


def test_browsers_speak_http_2_with_nginx(site: Site) -> None:
    done = site.curl("/healthz", "--http2", "--write-out", " %{http_version}")
    assert done.stdout == b"ok\n 2"


def test_paths_arrive_as_they_were_sent(site: Site, tmp_path: Path) -> None:
    image = site.upload(tmp_path / "picture", pictures.png(40, 30))["id"]
    caller = ("--header", f"Authorization: Bearer {site.token}")
    assert site.status(f"/v1/images/{image}", *caller) == 200
    for crooked in (
        "/v1/images%2F{}",
        "/v1/images//{}",
        "//v1/images/{}",
        "/v1/images/{}/",
        "/v1/x/../images/{}",
    ):
        assert site.status(crooked.format(image), *caller) == 404, crooked


def test_the_address_that_counts_is_the_clients(site: Site, tmp_path: Path) -> None:
    image = site.upload(tmp_path / "picture", pictures.png(40, 30))["id"]
    # What a client says of itself comes before what nginx saw, and is not believed.
    deleted = site.as_caller(
        f"/v1/images/{image}", "--request", "DELETE", "--interface", "127.0.0.9",
        "--header", "X-Forwarded-For: 192.0.2.1",
    )  # fmt: skip
    assert (deleted.returncode, deleted.stdout) == (0, b"")
    audit = [json.loads(line) for line in site.service.cli("audit", "--json").splitlines()]
    assert "127.0.0.9" in str([each for each in audit if image in str(each)])
    assert "192.0.2.1" not in str(audit)


@pytest.mark.parametrize("known", [True, False])
def test_large_bodies_are_answered(site: Site, tmp_path: Path, *, known: bool) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(20_000_000))
    caller = ("--header", f"Authorization: Bearer {site.token}") if known else ()
    assert site.status("/v1/images", "--data-binary", f"@{large}", *caller) == (415 if known else 401)


def test_what_nginx_turns_away(site: Site, tmp_path: Path) -> None:
    assert site.status("/metrics") == 404
    assert site.status("/healthz", "--http1.1", "--header", "X-Large: " + "x" * 40_000) == 400
    endless = tmp_path / "endless"
    with endless.open("wb") as file:
        file.truncate(200_000_000)
    assert site.status("/v1/images", "--request", "POST", "--upload-file", str(endless)) == 413
    # No handshake with a name that is not ours.
    assert site.curl("/healthz", "--insecure", name="evil.example").returncode == 35
    moved = subprocess.run(
        ["curl", "--silent", "--noproxy", "*", "--head", f"http://127.0.0.1:{site.plain_port}/a%2Fb?c=d"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert f"location: https://{NAME}/a%2Fb?c=d" in moved.stdout.decode().lower().replace("%2f", "%2F")
