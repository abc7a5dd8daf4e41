"""Signed links: enabled by a setting, returned by the list, and then the only ones that work."""

from collections.abc import Callable
from typing import Any

import httpx

from tests import pictures
from tests.running import Running


def test_the_setting_has_links_signed_and_an_account_may_say_otherwise(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_PUBLISHER_LINKS="signed")
    with httpx.Client(base_url=service.base_url, timeout=60) as http:
        native = {"Authorization": f"Bearer {service.token('native')}"}
        data = pictures.png(600, 400)
        http.post("/v1/images", content=data, headers=native).raise_for_status()
        publisher = {"Authorization": service.token("publisher")}

        def listed() -> dict[str, Any]:
            [image] = http.get("/api/2/images", headers=publisher).json()["image"]
            return dict(image)

        shown = listed()
        attachment = shown["attachmentid"]
        for name, number in (("url", attachment), ("thumbnailurl", attachment + 1)):
            plain, mark, signature = shown[name].partition("?kid=")
            assert (plain, mark) == (f"{service.base_url}/flag/flag_{number}.png", "?kid=")
            assert "&sig=" in signature
            assert http.get(shown[name]).status_code == 200
            assert http.get(plain).status_code == 404
        assert http.get(shown["url"]).content == data
        service.cli("account", "links", "demo", "publisher", "plain")
        assert listed()["url"] == f"{service.base_url}/flag/flag_{attachment}.png"
        for url in (listed()["url"], shown["url"]):
            assert http.get(url).content == data
