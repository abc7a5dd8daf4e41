"""Which media type a client prefers, and which formats it reads: RFC 9110, 12.5.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.imaging import Format
from tintype.web.negotiate import modern_formats, preferred

JSON = "application/json"
XML = "application/xml"
CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
SAFARI_14 = "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
BOTH = frozenset({Format.AVIF, Format.WEBP})


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("   ", JSON),
        ("*/*", JSON),
        ("*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (XML, XML),
        ("APPLICATION/XML", XML),
        ("application/xml, application/json", JSON),
        ("application/xml;q= 0.9\t, application/json;q=0.8", XML),
        ("application/xml;q=0.\x1f, application/json;q=0.1", JSON),
        ("application/xml;q=1\x85, application/json;q=0.1", JSON),
        ("application/json;q=0.5, application/xml", XML),
        ("application/json;q=0.5, application/xml;q=0.6", XML),
        ("application/json; q=0.5 , application/xml ; Q=0.4", JSON),
        ("application/json;q=0, */*", XML),
        ("application/json;q=0.1, */*;q=0.9", XML),
        ("application/*;q=0.1, application/json;q=0.9, */*", JSON),
        ("application/xml;charset=utf-8", XML),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", XML),
        ("text/html", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("application/json;q=0.000, application/xml;q=0", None),
        ("nonsense", None),
        ("/, //, application/, /json", None),
        ("nonsense, application/xml", XML),
        ("application/json;q=high, application/xml;q=0.1", XML),
        ("application/json;q=7, application/xml", JSON),
    ],
)
def test_the_preferred_offer_is_chosen(accept: str, chosen: str | None) -> None:
    assert preferred(accept, [JSON, XML]) == chosen


@pytest.mark.parametrize("weight", ["nan", "inf", "-inf", "-1", "1e999", "1_0"])
def test_a_weight_that_is_no_weight_makes_an_offer_no_better(weight: str) -> None:
    assert preferred(f"application/xml;q={weight}, application/json", [XML, JSON]) == JSON


@given(st.text(st.characters(max_codepoint=255)) | st.text("aplictonjsxm/*;q=0.1, \t"))
def test_any_header_is_answered_with_an_offer_or_none(accept: str) -> None:
    assert preferred(accept, [JSON, XML]) in {JSON, XML, None}


@pytest.mark.parametrize(
    ("header", "formats"),
    [
        (CHROME, BOTH),
        (SAFARI_14, {Format.WEBP}),
        ("", set()),
        ("*/*", set()),
        ("image/*", set()),
        ("image/jpeg, image/png", set()),
        ("IMAGE/WebP", {Format.WEBP}),
        (" image/webp ; q=0.1 ", {Format.WEBP}),
        ("image/webp;q=0", set()),
        ("image/webp; q=0.000, image/avif;q=1", {Format.AVIF}),
        ("image/webp;Q=0", set()),
        ("image/avif;v=1;q=0", set()),
        ("image/avif;q=none,image/webp;q=7", {Format.WEBP}),
        ("image/webpx,ximage/webp,image/webp image/avif", set()),
        (",,;,", set()),
    ],
)
def test_only_what_is_named_is_accepted(header: str, formats: set[Format]) -> None:
    assert modern_formats(header) == formats
