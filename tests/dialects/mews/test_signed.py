"""Signed links: enabled by a setting, returned by getUrls, and then the only ones that work."""

from collections.abc import Callable

import httpx

from tests import pictures
from tests.dialects.mews import client
from tests.running import Running


def test_the_setting_has_links_signed_and_an_account_may_say_otherwise(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_MEWS_LINKS="signed", TINTYPE_LIMITS_NEW_RENDITIONS="1")
    with httpx.Client(base_url=service.base_url, timeout=60) as http:
        native = {"Authorization": f"Bearer {service.token('native')}"}
        image = http.post("/v1/images", content=pictures.png(60, 40), headers=native).json()["id"]
        mews = client.client(service, http)
        widths = range(10, 16)
        urls = mews.urls(*(client.item(image, Width=width) for width in widths), client.item())
        assert urls.pop() is None
        for width, url in zip(widths, urls, strict=True):
            plain, mark, signature = str(url).partition("&kid=")
            assert (plain, mark) == (
                f"{service.base_url}/Media/Image/{image}?Mode=Fit&Width={width}",
                "&kid=",
            )
            assert "&sig=" in signature
            # Nobody else could have written it: what is made for it is not bounded.
            answer = http.get(str(url))
            assert (answer.status_code, pictures.decode(answer.content).width) == (200, width)
            assert http.get(plain).status_code == 404
        service.cli("account", "links", "demo", "mews", "plain")
        [url] = mews.urls(client.item(image, Width=10))
        assert url == f"{service.base_url}/Media/Image/{image}?Mode=Fit&Width=10"
        assert http.get(url).status_code == 200
        assert http.get(str(urls[0])).status_code == 200
