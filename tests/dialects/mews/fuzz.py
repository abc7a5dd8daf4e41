"""Bodies of mews."""

from tests.fuzz.target import Target, mutated, only
from tintype.dialects.mews import wire
from tintype.model import Kind

BODIES = [
    b'{"ClientToken":"C","AccessToken":"A","Images":[{"ImageId":"57a971a5-a335-48f4-8cd1-595245d1a876"}]}',
    b'{"Images":[{"ImageId":"57a971a5a33548f48cd1595245d1a876","Width":200,"Height":1,"ResizeMode":"Fit"}]}',
    b'{"Images":[[[[]]]]}',
]


def request(body: bytes) -> None:
    with only(Kind.MALFORMED, Kind.INVALID):
        found = wire.parse_request(body, max_images=10, max_side=1000)
        assert len(found.images) <= 10
        for item in found.images:
            assert 1 <= (item.width or 1) <= 1000


def credentials(body: bytes) -> None:
    with only(Kind.MALFORMED, Kind.INVALID):
        wire.parse_credentials(body)


def image_id(body: bytes) -> None:
    with only(Kind.INVALID):
        wire.parse_image_id(body.decode("latin-1"))


TARGETS = (
    Target("mews: getUrls", mutated(*BODIES), request),
    Target("mews: credentials", mutated(*BODIES), credentials),
    Target("mews: image id", mutated(b"57a971a5-a335-48f4-8cd1-595245d1a876"), image_id),
)
