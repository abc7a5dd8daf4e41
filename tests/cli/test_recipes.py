"""`tintype render` and `tintype link`: recipes as NAME=VALUE."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests import pictures
from tests.cli.calling import call, run
from tests.running import Running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(pictures.jpeg(300, 200, seed=9))
    return path


@pytest.mark.parametrize(
    ("target", "words", "format", "size"),
    [
        ("small.webp", ["w=60"], "WEBP", (60, 40)),
        ("small.PNG", ["w=60", "h=60", "mode=cover-exact", "focal=0x0.5"], "PNG", (60, 60)),
        ("small.jpeg", ["h=20", "dpr=2", "q=50"], "JPEG", (60, 40)),
        ("no extension", ["format=gif", "w=30", "h=30", "mode=scale"], "GIF", (30, 30)),
        ("same.jpg", [], "JPEG", (300, 200)),
    ],
)
def test_a_file_becomes_what_the_words_say(
    photo: Path, tmp_path: Path, target: str, words: list[str], format: str, size: tuple[int, int]
) -> None:
    result = call(None, "render", str(photo), str(tmp_path / target), *words)
    assert result.exit_code == 0, result.output
    made = pictures.decode((tmp_path / target).read_bytes())
    assert (made.format, made.size) == (format, size)
    assert f"{size[0]}x{size[1]} pixels" in result.stderr


def test_standard_output_is_the_picture_alone(photo: Path) -> None:
    result = call(None, "render", str(photo), "-", "w=30")
    assert pictures.decode(result.stdout_bytes).size == (30, 20)
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("target", "words", "says"),
    [
        ("x.jpg", ["w"], "NAME=VALUE"),
        ("x.jpg", ["width=3"], "width is not a part of a recipe"),
        ("x.jpg", ["w=0"], "at least 1 pixel"),
        ("x.jpg", ["w=-3"], "w has to be a whole number"),
        ("x.jpg", ["q=101"], "Quality is from 1 to 100"),
        ("x.jpg", ["mode=stretch"], "mode can't be stretch"),
        ("x.jpg", ["format=auto"], "give a format"),
        ("x.tiff", [], "extension"),
        ("x", [], "extension"),
        ("x.jpg", ["w=99999", "h=99999", "mode=scale"], "at most"),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence(
    photo: Path, tmp_path: Path, target: str, words: list[str], says: str
) -> None:
    result = call(None, "render", str(photo), str(tmp_path / target), *words)
    assert result.exit_code in {1, 2}
    assert says in result.stderr
    assert not (tmp_path / target).exists()


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("not a picture")
    result = call(None, "render", str(tmp_path / "notes.jpg"), str(tmp_path / "x.jpg"))
    assert (result.exit_code, result.stdout) == (1, "")


def test_a_link_delivers_what_the_words_say(demo: Running) -> None:
    [image, *_] = demo.info["images"]
    whole = run(demo.data, "link", image["id"]).strip()
    small = run(
        demo.data, "link", image["id"], "w=40", "h=40", "mode=cover-exact", "--expires", "10m"
    ).strip()
    paths = [httpx.URL(link).raw_path.decode() for link in (whole, small)]
    answers = [httpx.get(demo.base_url + path) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert pictures.decode(answers[1].content).size == (40, 40)
    assert answers[1].headers["cache-control"].startswith("private")


def test_there_is_no_link_to_an_image_that_none_would_open(demo: Running) -> None:
    # The account of the foreign image publishes through nothing.
    for image in (str(uuid4()), demo.info["foreign_image_id"]):
        result = call(demo.data, "link", image)
        printed = (
            "No link would open this image: it is not there, it is archived, or its account" in result.stderr
        )
        assert (result.exit_code, printed) == (1, True)
