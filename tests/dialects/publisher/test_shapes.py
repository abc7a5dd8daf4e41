"""JSON and XML: which one is returned, and that both have the same content."""

from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree

from tests.dialects.publisher.library import PIECES, Library

JSON = "application/json"
XML = "application/xml; charset=UTF-8"
TEXT_XML = "text/xml; charset=UTF-8"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("APPLICATION/JSON; charset=utf-8", JSON),
        ("application/xml", XML),
        ("Application/XML;charset=UTF-8", XML),
        ("application/xml, application/json", JSON),  # equally good: the default
        ("application/xml, application/json;q=0.9", XML),
        ("application/json;q=0.5,application/xml;q=0.6", XML),
        ("application/json;q=0, */*", XML),
        ("application/xml;q=0, application/*", JSON),
        ("text/xml", TEXT_XML),
        ("text/xml; charset=utf-8", TEXT_XML),
        ("text/*", TEXT_XML),
        ("text/*, ,", TEXT_XML),
        ("text/xml, application/xml", XML),  # equally good: the vendor's
        ("application/json, text/xml", JSON),
        ("application/json;q=0.5, text/xml;q=0.6", TEXT_XML),
        ("application/xml;q=0.5, text/xml", TEXT_XML),
        ("text/xml;q=0.1, application/json;q=0.2", JSON),
        ("application/*;q=0.3, application/xml;q=0.2", JSON),
        ("*/*;q=0.1, application/xml;q=0.2", XML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", XML),  # a browser
        ("image/png, */*;q=0.01", JSON),
        ("application/json;q=high, application/xml;q=0.001", XML),
    ],
)
def test_the_client_chooses(library: Library, accept: str, content_type: str) -> None:
    answer = library.get("limit=1", Accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["vary"] == "Accept"


def test_without_accept_it_is_json(library: Library) -> None:
    headers = {"Authorization": library.tokens["editor"]}
    request = library.http.build_request("GET", library.base_url + "/api/2/images", headers=headers)
    del request.headers["accept"]
    answer = library.http.send(request)
    assert "accept" not in answer.request.headers
    assert answer.headers["content-type"] == JSON


def test_accept_may_come_in_several_lines(library: Library) -> None:
    headers = [
        ("Authorization", library.tokens["editor"]),
        ("Accept", "application/xml"),
        ("Accept", "text/plain"),
    ]
    answer = library.http.get(library.base_url + "/api/2/images", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, XML)


ANSWERS = "Answers are application/json or application/xml or text/xml."


@pytest.mark.parametrize(
    "accept",
    [
        "text/plain",
        "text/xml;q=0",
        "image/png",
        "application/xhtml+xml",
        "application/json;q=0",
        "*/*;q=0",
        "nonsense",
    ],
)
def test_anything_else_is_406_said_in_json(library: Library, accept: str) -> None:
    answer = library.get(Accept=accept)
    assert answer.status_code == 406
    assert answer.headers["content-type"] == JSON
    assert answer.json() == {"ref": 406, "summary": ANSWERS}


def test_an_error_is_text_xml_where_that_is_asked_for(library: Library) -> None:
    answer = library.get("limit=0", Accept="text/xml")
    assert (answer.status_code, answer.headers["content-type"]) == (400, TEXT_XML)
    assert ElementTree.fromstring(answer.content).findtext("ref") == "107"


def test_both_shapes_say_the_same_in_the_same_order(library: Library) -> None:
    query = "limit=1000&sort=name"
    document = library.get(query, Accept="application/xml").content
    assert document.startswith(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><images><total>')
    root: Element = ElementTree.fromstring(document)
    assert root.tag == "images"
    assert _read(root) == _written(library.listed(query))
    assert len(root.findall("image")) == len(PIECES)


def test_names_come_back_as_a_parser_reads_them(library: Library) -> None:
    root: Element = ElementTree.fromstring(library.get("limit=1000", Accept="application/xml").content)
    names = {int(image.findtext("id") or 0): image.findtext("name") for image in root.iter("image")}
    for number, piece in library.pieces.items():
        name = piece.filename.rpartition(".")[0]
        assert names[number] == name.translate(dict.fromkeys((7, 27, 65534, 65535), "�"))
    assert "tab\t line\n return\r bell\ufffd escape\ufffd end" in names.values()
    people = {person.findtext("name") for person in root.iter("createdby")}
    assert "Ann\ufffd\r\n<&>" in people


def test_an_empty_page_is_well_formed(library: Library) -> None:
    text = library.get("offset=99", Accept="application/xml").text
    total = len(PIECES)
    assert text == (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><images>'
        f"<total>{total}</total><totalcount>{total}</totalcount><currentpage>99</currentpage></images>"
    )


def _read(element: Element) -> Any:  # noqa: ANN401  a tree of pairs and texts
    """An element as pairs of tag and content, in the order they stand."""
    return [(child.tag, _read(child)) for child in element] if len(element) else element.text or ""


def _written(value: Any) -> Any:  # noqa: ANN401  JSON
    """JSON as the same pairs, with what XML can't hold replaced."""
    if not isinstance(value, dict):
        return str(value).translate(dict.fromkeys((2, 7, 27, 65534, 65535), "�"))
    pairs: list[tuple[str, Any]] = []
    for name, inner in value.items():
        pairs += [(name, _written(each)) for each in (inner if isinstance(inner, list) else [inner])]
    return pairs
