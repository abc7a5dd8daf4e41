"""Settings: the environment over the file over the defaults, each with its type, and misspellings named."""

from pathlib import Path

import msgspec
import pytest

from tintype.catalogue.database import READERS
from tintype.core.runtime.fair_queue import BUDGET
from tintype.dialects import discover
from tintype.imaging import Limits, OutputLimits
from tintype.settings import SettingError, Settings, load
from tintype.web.logs import LogFormat


def loaded(data: Path, **environment: str) -> Settings:
    return load(data, discover(), environment)


def write(data: Path, text: str) -> None:
    (data / "tintype.toml").write_text(text, "utf-8")


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert (settings.data, settings.web.port, settings.web.host) == (tmp_path, 8080, "127.0.0.1")
    assert settings.dialects.keys() == {dialect.name for dialect in discover()}


def test_the_defaults_of_limits_stand_in_one_place(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert settings.images.input_limits() == Limits()
    assert settings.images.output_limits() == OutputLimits()
    assert settings.renderers.memory_bytes == BUDGET
    assert settings.workers.catalogue_readers == READERS


def test_the_environment_is_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    write(tmp_path, "[web]\nport = 1111\nhost = '::1'\n[mews]\nrequests = 5\n")
    settings = loaded(tmp_path, TINTYPE_WEB_PORT="2222", TINTYPE_MEWS_MAX_IMAGES="7")
    assert (settings.web.port, settings.web.host, settings.web.workers) == (2222, "::1", 1)
    mews = msgspec.to_builtins(settings.dialects["mews"])
    assert (mews["requests"], mews["max_images"]) == (5, 7)


def test_values_have_their_types(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        TINTYPE_WORKERS_RENDER_WAIT_SECONDS="1.5",
        TINTYPE_IMAGES_MAX_BYTES="1000",
        TINTYPE_WEB_PUBLIC_URL="https://images.example.com/käse",
        TINTYPE_LOGS_FORMAT="text",
    )
    assert settings.workers.render_wait_seconds == 1.5
    assert settings.images.max_bytes == 1000
    assert isinstance(settings.images.max_bytes, int)
    assert settings.web.public_url == "https://images.example.com/käse"
    assert settings.logs.format is LogFormat.TEXT


def test_the_folder_is_the_one_asked_for_or_the_environments_or_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(tmp_path / "asked", [], {"TINTYPE_DATA": "/elsewhere"}).data == tmp_path / "asked"
    assert load(None, [], {"TINTYPE_DATA": "/elsewhere"}).data == Path("/elsewhere")
    assert load(None, [], {}).data == tmp_path / "tintype-data"


def test_other_programs_variables_are_nobodys_business(tmp_path: Path) -> None:
    loaded(tmp_path, PATH="/bin", TINTYPEFACE="Garamond", tintype_web_port="x")


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TINTYPE_WEB_PROT": "1"}, "TINTYPE_WEB_PROT"),
        ({"TINTYPE_": "1"}, "TINTYPE_ is"),
        ({"TINTYPE_MEWS": "1"}, "TINTYPE_MEWS is"),
        ({"TINTYPE_WEB_PORT": "eighty"}, "port"),
        ({"TINTYPE_WEB_PORT": ""}, "port"),
        ({"TINTYPE_WEB_PORT": "65536"}, "port"),
        ({"TINTYPE_WEB_PORT": "-1"}, "port"),
        ({"TINTYPE_WEB_WORKERS": "0"}, "workers"),
        ({"TINTYPE_WORKERS_DISK_THREADS": "0"}, "disk_threads"),
        ({"TINTYPE_WORKERS_RENDER_QUEUE": "-1"}, "render_queue"),
        ({"TINTYPE_IMAGES_MAX_BYTES": "1.5"}, "max_bytes"),
        ({"TINTYPE_IMAGES_MAX_PIXELS": "0"}, "max_pixels"),
        ({"TINTYPE_LOGS_FORMAT": "xml"}, "format"),
        ({"TINTYPE_MEWS_LINKS": "engraved"}, "links"),
        (
            {"TINTYPE_WEB_DIALECTS": "native,telegraph"},
            f"'telegraph', which is no dialect; there are {', '.join(each.name for each in discover())}.",
        ),
    ],
)
def test_a_variable_that_is_wrong_is_named(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        loaded(tmp_path, **environment)


def test_the_members_of_a_list_stand_between_commas_in_the_environment(tmp_path: Path) -> None:
    write(tmp_path, "[web]\ndialects = ['native']\n")
    assert loaded(tmp_path).web.dialects == ("native",)
    assert loaded(tmp_path, TINTYPE_WEB_DIALECTS=" mews, native,").web.dialects == ("mews", "native")
    assert loaded(tmp_path, TINTYPE_WEB_DIALECTS="").web.dialects == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[wbe]\nport = 1", r"\[wbe\]"),
        ("web = 1", "web"),
        ("[web]\nprot = 1", "prot"),
        ("[web]\nport = 'eighty'", "port"),
        ("[web]\nport = true", "port"),
        ("[web]\nport = [80]", "port"),
        ("[web", r"tintype\.toml"),
        ("[mews]\nrequests = 1\nrequests = 2", r"tintype\.toml"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    write(tmp_path, text)
    with pytest.raises(SettingError, match=named):
        loaded(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "tintype.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match=r"tintype\.toml"):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("text", "environment", "message"),
    [
        ("[web]\n\nport = 'eighty'", {}, "[web] port is 'eighty' in {file}, line 3: Expected int"),
        ("web.port = 70000", {}, "[web] port is 70000 in {file}, line 1: Expected int <= 65535"),
        ("", {"TINTYPE_WEB_PORT": "eighty"}, "[web] port is 'eighty' in TINTYPE_WEB_PORT: Expected int"),
        ("[web]\nprot = 1", {}, "[web] prot in {file}, line 2 is not a setting. Did you mean port?"),
        (
            "[wbe]\nport = 1",
            {},
            "[wbe] in {file}, line 1 is not a section of the settings. Did you mean web?",
        ),
        (
            "[later]\nwaiting = 1",
            {},
            "[later] in {file}, line 1 is not a section of the settings. Did you mean deferred?",
        ),
        ("", {"TINTYPE_WEB_PROT": "1"}, "TINTYPE_WEB_PROT is not a setting. Did you mean TINTYPE_WEB_PORT?"),
        ("", {"TINTYPE_BOUNDS_PROXIES": "1"}, "Did you mean TINTYPE_LIMITS_PROXIES?"),
        (
            "",
            {"TINTYPE_WEB_PUBLIC_URL": "images.example.com"},
            "[web] public_url is 'images.example.com' in TINTYPE_WEB_PUBLIC_URL: it begins",
        ),
        ("", {"TINTYPE_WEB_PUBLIC_URL": "ftp://images.example.com"}, "[web] public_url is 'ftp://images."),
        ("", {"TINTYPE_WEB_PUBLIC_URL": "https://"}, "in TINTYPE_WEB_PUBLIC_URL: it begins with"),
        (
            "",
            {"TINTYPE_WEB_PUBLIC_URL": "https://["},
            "[web] public_url is 'https://[' in TINTYPE_WEB_PUBLIC_URL",
        ),
        (
            "[web]\npublic_url = 'a.example'",
            {},
            "[web] public_url is 'a.example' in {file}, line 2: it begins",
        ),
        ("", {"TINTYPE_WEB_HOSTS": "a b"}, "[web] hosts is ['a b'] in TINTYPE_WEB_HOSTS: 'a b' is no host."),
        ("[web]\nhosts = ['ok', 'a b']", {}, "[web] hosts is ['ok', 'a b'] in {file}, line 2: 'a b' is no"),
        (
            "[logs]\nformat = 'xml'",
            {},
            "[logs] format is 'xml' in {file}, line 2: allowed are auto, json, text.",
        ),
        ("", {"TINTYPE_MEWS_LINKS": "x"}, "[mews] links is 'x' in TINTYPE_MEWS_LINKS: allowed are "),
        (
            "\nfacts.bytes = 1",
            {},
            "[facts] in {file}, line 2 is not a section of the settings. Did you mean cache?",
        ),
    ],
)
def test_an_error_says_what_came_from_where_and_what_is_allowed(
    tmp_path: Path, text: str, environment: dict[str, str], message: str
) -> None:
    write(tmp_path, text)
    with pytest.raises(SettingError) as caught:
        loaded(tmp_path, **environment)
    assert message.format(file=tmp_path / "tintype.toml") in str(caught.value)
