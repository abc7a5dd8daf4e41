"""For which hosts requests are answered."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests import pictures
from tests.running import Running, running
from tests.web.conftest import connect, converse, request, status
from tintype.dialects import discover
from tintype.settings import SettingError, load
from tintype.web.hosts import LOOPBACK, Hosts
from tintype.web.settings import WebSettings

NAMED = ("images.example.com", "*.example.org", "10.0.0.0/8", "2001:db8::1")


@pytest.mark.parametrize(
    "host",
    [
        "images.example.com",
        "IMAGES.example.com:8443",
        "images.example.com.",
        "a.example.org",
        "b.a.example.org:1",
        "10.1.2.3:8080",
        "[2001:db8::1]:8080",
        "[2001:DB8:0::1]",
    ],
)
def test_hosts_that_are_named_are_served(host: str) -> None:
    assert Hosts(NAMED).serve(host.encode())
    assert not Hosts(("other.example",)).serve(host.encode())
    assert Hosts(()).serve(host.encode())


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "evil-images.example.com",
        "images.example.com.evil.example",
        "example.org",
        "evilexample.org",
        "11.0.0.1",
        "[2001:db8::2]",
        "10.0.0.1.evil.example",
        "localhost",
    ],
)
def test_others_are_not(host: str) -> None:
    assert not Hosts(NAMED).serve(host.encode())
    assert Hosts(()).serve(host.encode())


@pytest.mark.parametrize("host", ["localhost:80", "app.localhost", "127.0.0.1", "127.9.9.9:1", "[::1]:80"])
def test_this_machine_calls_itself(host: str) -> None:
    assert Hosts(LOOPBACK).serve(host.encode())


ABSURD = [
    "",
    "evil.example/path",
    'a"><script>alert(1)</script>',
    "a b",
    "user@evil.example",
    "x" * 300,
    "a:b",
    "a,b",
    "[::1",
    "[evil.example]",
    "a:123456",
    "\xff",
]


@pytest.mark.parametrize("host", ABSURD)
def test_what_is_no_host_is_refused(demo: Running, token: str, host: str) -> None:
    answer = converse(demo, request("GET", "/v1/images?limit=1", token=token, host=host))
    assert status(answer) == 400
    assert not host or host.encode() not in answer
    assert not Hosts(()).serve(host.encode())


@pytest.mark.parametrize("path", ["/v1/images", "/", "/Media/Image/x", "/nowhere"])
def test_a_request_has_exactly_one_host(demo: Running, token: str, path: str) -> None:
    for lines in ([], ["Host: localhost", "Host: localhost"], ["Host: localhost", "Host: evil.example"]):
        head = [f"GET {path} HTTP/1.1", *lines, f"Authorization: Bearer {token}", "Connection: close", "", ""]
        answer = converse(demo, "\r\n".join(head).encode())
        assert (status(answer), b"evil.example" in answer) == (400, False)


def test_a_picture_in_memory_is_told_to_no_other_host(demo: Running, client: httpx.Client) -> None:
    url = client.post("/v1/images", content=pictures.png(8, 8)).json()["url"]
    link = url.removeprefix(demo.base_url)
    for _ in range(3):
        assert client.get(url).status_code == 200
    for lines, expected in (([], 400), (["Host: evil.example"], 421), (["Host: a", "Host: a"], 400)):
        head = [f"GET {link} HTTP/1.1", *lines, "Connection: close", "", ""]
        assert status(converse(demo, "\r\n".join(head).encode())) == expected
    assert client.get(url).status_code == 200


def test_a_demo_is_shown_to_this_machine_alone(demo: Running) -> None:
    """The page has its tokens, and a page from anywhere could ask for it under its own name."""
    port = demo.base_url.rpartition(":")[2]
    for host in ("localhost", "127.0.0.1", "demo.localhost", "[::1]"):
        assert status(converse(demo, request("GET", "/", host=f"{host}:{port}"))) == 200
    for host in ("evil.example", f"evil.example:{port}", "192.0.2.7", "localhost.evil.example"):
        answer = converse(demo, request("GET", "/", host=host))
        assert status(answer) == 421
        assert b"not served here" in answer
        assert status(converse(demo, request("GET", "/healthz", host=host))) == 200


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    env = {"TINTYPE_WEB_HOSTS": "images.example.com, [::1], 10.0.0.0/8"}
    with running(tmp_path_factory.mktemp("hosts") / "library", "serve", env) as service:
        yield service


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("images.example.com", 401),
        ("10.9.9.9:8080", 401),
        ("example.com", 421),
        ("localhost", 421),
    ],
)
def test_the_setting_names_what_is_served(named: Running, host: str, expected: int) -> None:
    assert status(converse(named, request("GET", "/v1/images", host=host))) == expected


def test_health_is_told_without_any_host(named: Running) -> None:
    with connect(named) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 200 OK\r\n" in connection.recv(1000)


def test_the_host_of_links_is_served_too() -> None:
    settings = WebSettings(hosts=("images.example.com",), public_url="https://public.example.com:8443/images")
    served = settings.served_hosts()
    assert served.serve(b"images.example.com")
    assert served.serve(b"public.example.com")
    assert not served.serve(b"example.com")


@pytest.mark.parametrize("host", ["images.example.com", "images.example.com:8443", "[::1]:80", "10.0.0.1"])
def test_links_lead_to_where_the_client_came_from(serve: Callable[..., Running], host: str) -> None:
    service = serve()
    token = service.token("native")
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{service.base_url}/v1/images", content=pictures.png(8, 8), headers=headers)
    answer = converse(service, request("GET", "/v1/images?limit=1", token=token, host=host))
    assert f'"url":"http://{host}/v1/media/'.encode() in answer


@pytest.mark.parametrize("name", ["a b", "http://a", "a/b", "10.0.0.0/99", "*", "a:80", "*.*.a", ""])
def test_what_is_no_host_stops_the_start(tmp_path: Path, name: str) -> None:
    (tmp_path / "tintype.toml").write_text(f'[web]\nhosts = ["{name}"]\n')
    with pytest.raises(SettingError, match="is no host"):
        load(tmp_path, discover(), {})
