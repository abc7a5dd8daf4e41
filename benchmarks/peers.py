"""The peers: how each is installed, started and requested."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from benchmarks.pictures import Original
from benchmarks.processes import Server, free_port, started
from tintype.imaging import Format, Recipe

HERE = Path(__file__).parent
PROCESSES = 2
"""Of a peer that has one thread a process, so that it can use both cores."""

THUMBOR = """\
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = "{originals}"
STORAGE = "thumbor.storages.no_storage"
ENGINE = "thumbor.engines.pil"
ALLOW_UNSAFE_URL = True
SECURITY_KEY = "benchmark"
"""

NGINX = """\
daemon off;
{user}worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
{modules}
events {{ worker_connections 2048; }}
http {{
    types {{ image/jpeg jpg; image/png png; image/webp webp; image/avif avif; }}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        root {originals};
        {location}
    }}
}}
"""
IMAGE_FILTER = """
        image_filter resize 512 512;
        image_filter_jpeg_quality 80;
        image_filter_buffer 200M;
"""
PACKAGES = ("thumbor", "fastapi", "uvicorn", "pydantic", "ssimulacra2")
PROGRAMS = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
IMAGE_FILTER_MODULE = Path("/usr/lib/nginx/modules/ngx_http_image_filter_module.so")

T = TypeVar("T")

Words = list[str | Path]
Start = Callable[[Path, Path], AbstractContextManager[Server]]


class Peer(Struct, frozen=True):
    """A service that makes renditions.

    Attributes:
        start: runs it for a block: a folder for its own files, the folder of originals.
        path: how it is asked for the picture of a recipe; None where it can't make it.
    """

    name: str
    start: Start
    path: Callable[[Original, Recipe], str | None]


class Tools(Struct, frozen=True):
    """Where what was installed lies; None is what couldn't be had, and `missing` says why."""

    python: Path | None
    node_modules: Path | None
    nginx: Path | None
    image_filter: bool
    missing: tuple[str, ...]

    def renderers(self) -> list[Peer]:
        """The peers that are there."""
        peers = []
        if self.python:
            peers.append(Peer("thumbor", thumbor(self.python), _thumbor_path))
        if self.node_modules:
            peers.append(Peer("ipx + sharp", ipx(self.node_modules), _ipx_path))
        if self.nginx and self.image_filter:
            peers.append(Peer("nginx image_filter", image_filter(self.nginx), _image_filter_path))
        return peers

    def versions(self) -> dict[str, str]:
        """Of each that is there."""
        found: dict[str, str] = {}
        if self.python:
            script = f"from importlib.metadata import version as v; print(*map(v, {PACKAGES!r}))"
            found |= dict(zip(PACKAGES, _said(self.python, "-c", script).split(), strict=True))
        if self.node_modules:
            for name in ("ipx", "sharp"):
                found[name] = json.loads((self.node_modules / name / "package.json").read_text())["version"]
        if self.nginx:
            found["nginx"] = _said(self.nginx, "-v").rpartition("/")[2]
        return found


def install(folder: Path) -> Tools:
    """Bring what can be had into the folder; what is there already is left as it is."""
    missing: list[str] = []
    python = _attempt(
        missing, "thumbor, FastAPI and SSIMULACRA2 (PyPI)", lambda: _environment(folder / "python")
    )
    modules = _attempt(missing, "ipx and sharp (npm)", lambda: _node_modules(folder / "node"))
    _attempt(missing, "what Debian has", _debian_packages)
    if shutil.which("wrk", path=PROGRAMS) is None:
        raise SystemExit("There is no wrk, by which everything is asked: apt-get install wrk")
    nginx = shutil.which("nginx", path=PROGRAMS)
    return Tools(
        python, modules, Path(nginx) if nginx else None, IMAGE_FILTER_MODULE.exists(), tuple(missing)
    )


def _debian_packages() -> None:
    """Install what is missing, where we may; elsewhere say how."""
    wanted = [
        package
        for package, is_there in (
            ("wrk", shutil.which("wrk", path=PROGRAMS)),
            ("nginx-light", shutil.which("nginx", path=PROGRAMS)),
            ("libnginx-mod-http-image-filter", IMAGE_FILTER_MODULE.exists()),
        )
        if not is_there
    ]
    if not wanted:
        return
    if not _is_root() or shutil.which("apt-get") is None:
        raise OSError(f"apt-get install {' '.join(wanted)}")
    for command in (["update"], ["install", "-y", "--no-install-recommends", *wanted]):
        subprocess.run(["apt-get", "-qq", *command], check=True, stdout=subprocess.DEVNULL)


def thumbor(python: Path) -> Start:
    """Thumbor with Pillow, in two processes, without storage of results."""

    @contextmanager
    def start(folder: Path, originals: Path) -> Iterator[Server]:
        port, config = free_port(), folder / "thumbor.conf"
        config.write_text(THUMBOR.format(originals=originals))
        command: Words = [python.with_name("thumbor"), "-c", config, "-i", "127.0.0.1", "-p", str(port)]
        with started([*command, "--processes", str(PROCESSES)], port, folder / "thumbor.log") as server:
            yield server

    return start


def ipx(node_modules: Path) -> Start:
    """Ipx as it comes: sharp works on libuv's threads."""

    @contextmanager
    def start(folder: Path, originals: Path) -> Iterator[Server]:
        port = free_port()
        command: Words = ["node", HERE / "ipx.mjs", node_modules.parent, originals, str(port)]
        with started(command, port, folder / "ipx.log", {"NODE_ENV": "production"}) as server:
            yield server

    return start


def image_filter(nginx: Path) -> Start:
    """Nginx that resizes with libgd, in two processes."""
    return _nginx(nginx, PROCESSES, "location / {" + IMAGE_FILTER + "}")


def sendfile(nginx: Path) -> Start:
    """Nginx that sends files, in one process."""
    return _nginx(nginx, 1, "")


@contextmanager
def echo(python: Path, log: Path) -> Iterator[Server]:
    """FastAPI under uvicorn, in one process."""
    port = free_port()
    command: Words = [python, "-m", "uvicorn", "echo:app", "--app-dir", HERE, "--port", str(port)]
    with started([*command, "--no-access-log"], port, log) as server:
        yield server


def _nginx(nginx: Path, workers: int, location: str) -> Start:
    @contextmanager
    def start(folder: Path, originals: Path) -> Iterator[Server]:
        port, config = free_port(), folder / f"nginx-{workers}.conf"
        text = NGINX.format(
            folder=folder,
            originals=originals,
            port=port,
            workers=workers,
            location=location,
            modules=f"load_module {IMAGE_FILTER_MODULE};" if "image_filter" in location else "",
            user="user root;\n" if _is_root() else "",
        )
        config.write_text(text)
        with started([nginx, "-c", config], port, folder / "nginx.log") as server:
            yield server

    return start


def _thumbor_path(original: Original, recipe: Recipe) -> str:
    asked = (
        f"format({recipe.format.value})" if recipe.format else "",
        f"quality({recipe.quality})" if recipe.quality else "",
    )
    filters = ":".join(filter(None, asked))
    size = f"/unsafe/fit-in/{recipe.width}x{recipe.height}"
    return "/".join(filter(None, [size, f"filters:{filters}" if filters else "", original.path.name]))


def _ipx_path(original: Original, recipe: Recipe) -> str:
    format = recipe.format or _format(original)
    quality = f",q_{recipe.quality}" if recipe.quality else ""
    return f"/f_{format.value}{quality},s_{recipe.width}x{recipe.height},fit_inside/{original.path.name}"


def _image_filter_path(original: Original, recipe: Recipe) -> str | None:
    """It keeps the format, and its size and quality are those of its configuration."""
    return f"/{original.path.name}" if recipe.format in {None, _format(original)} else None


def _format(original: Original) -> Format:
    return Format.PNG if original.path.suffix == ".png" else Format.JPEG


def _attempt(missing: list[str], what: str, install: Callable[[], T]) -> T | None:
    try:
        return install()
    except (OSError, subprocess.CalledProcessError) as failed:
        missing.append(f"{what}: {failed}")
        return None


def _environment(folder: Path) -> Path:
    python, wanted = folder / "bin" / "python", (HERE / "requirements.txt").read_text()
    stamp = folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        command: Words = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
        ]
        subprocess.run([*command, "-r", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    return python


def _node_modules(folder: Path) -> Path:
    wanted, stamp = (HERE / "package-lock.json").read_text(), folder / "installed.json"
    if not stamp.exists() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True)
        stamp.write_text(wanted)
    return folder / "node_modules"


def _said(*command: str | Path) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return done.stdout.strip()


def _is_root() -> bool:
    return Path("/proc/self").stat().st_uid == 0
