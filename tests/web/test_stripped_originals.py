"""Originals of an account that strips their metadata, by every link that delivers an original."""

import io
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from PIL import ExifTags, Image

from tests.running import Running, make_token
from tests.waiting import until

SECRET = b"48 North, 2 East, at home"


def photograph(side: int) -> bytes:
    """A JPEG that lies on its side and tells where it was made."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    buffer = io.BytesIO()
    Image.effect_noise((side, side // 2), 90).convert("RGB").save(buffer, "JPEG", exif=exif, quality=95)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def is_changed(link: str, tag: str) -> bool:
    """Whether every process says so, as far as eight connections tell."""
    return all(httpx.get(link, headers={"If-None-Match": tag}).status_code == 200 for _ in range(8))


def is_as_it_came(client: httpx.Client, link: str, data: bytes) -> bool:
    return client.get(link).content == data


@pytest.fixture
def service(serve: Callable[..., Running]) -> Running:
    return serve(TINTYPE_WEB_WORKERS="2")


@pytest.mark.parametrize("side", [200, 2400], ids=["held in memory", "more than a mebibyte"])
def test_an_original_tells_nothing_as_soon_as_that_is_said(service: Running, side: int) -> None:
    native, publisher = (make_token(service.data, dialect, "hotel") for dialect in ("native", "publisher"))
    data = photograph(side)
    with httpx.Client(base_url=service.base_url) as client:
        posted = client.post("/v1/images", content=data, headers={"Authorization": f"Bearer {native}"})
        listed = client.get("/api/2/images", headers={"Authorization": publisher}).json()
        links = [posted.json()["url"], listed["image"][0]["url"]]
        for link in links:
            # Asked for twice it is ready, in whichever process answers.
            for _ in range(4):
                assert client.get(link).content == data
        tag = client.get(links[0]).headers["etag"]

        assert service.cli("account", "metadata", "hotel") == "keep\n"
        service.cli("account", "metadata", "hotel", "strip")
        for link in links:
            until(partial(is_changed, link, tag))
        for link in links:
            for _ in range(4):
                answer = client.get(link, headers={"If-None-Match": tag})
                assert answer.status_code == 200
                assert SECRET not in answer.content
                assert opened(answer.content).getexif() == {ExifTags.Base.Orientation: 6}
                assert opened(answer.content).tobytes() == opened(data).tobytes()
                assert int(answer.headers["content-length"]) == len(answer.content)
        part = client.get(links[0], headers={"Range": "bytes=0-99"})
        assert (part.status_code, len(part.content)) == (206, 100)
        assert answer.content.startswith(part.content)

        service.cli("account", "metadata", "hotel", "keep")
        for link in links:
            until(partial(is_as_it_came, client, link, data))
    assert "metadata-changed" in service.cli("audit", "--account", "hotel")


def test_what_is_stored_stays_as_it_came(service: Running) -> None:
    native = make_token(service.data, "native", "hotel")
    data = photograph(300)
    service.cli("account", "metadata", "hotel", "strip")
    with httpx.Client(base_url=service.base_url) as client:
        posted = client.post("/v1/images", content=data, headers={"Authorization": f"Bearer {native}"})
        assert SECRET not in client.get(posted.json()["url"]).content
    (stored,) = (service.data / "originals").glob("??/*")
    assert stored.read_bytes() == data


def test_an_account_that_is_not_there_is_said(service: Running) -> None:
    with pytest.raises(AssertionError, match="no account"):
        service.cli("account", "metadata", "nobody", "strip")
