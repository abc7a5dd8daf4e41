"""The pages of the vendors say what of their references is served, as it was tried.

The vendors are those of mews, smartsheet, publisher and evotor; the images are uploaded by native.
"""

import httpx
import pytest

from tests.end_to_end.asking import asking
from tests.end_to_end.coverage import DOCS, VENDORS, section, written
from tests.running import Running


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_page_says_what_is_served(demo: Running, vendor: str) -> None:
    with httpx.Client(base_url=demo.base_url, timeout=60) as http:
        tried = written(VENDORS[vendor](asking(demo, http, f"coverage-{vendor}")))
    assert section((DOCS / f"{vendor}.md").read_text()).rstrip("\n") == tried.rstrip("\n")
