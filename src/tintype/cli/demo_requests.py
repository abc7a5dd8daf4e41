"""One example request for each dialect, with the address and credentials of the demo."""

import shlex
from pathlib import Path

from tintype.cli.demo_library import Credentials
from tintype.console import ExampleRequest
from tintype.dialects import DemoScene, discover
from tintype.model import Image


def requests(url: str, credentials: Credentials, image: Image, sample: Path) -> list[ExampleRequest]:
    """The commands on the first page of a demo, about one image and a sample file to upload.

    A dialect that was added after the library was made has no credentials there, and so no example.
    """
    upload = shlex.quote(f"@{sample}")
    return [
        ExampleRequest(*dialect.example(DemoScene(url, credentials[dialect.name], image, upload)))
        for dialect in discover()
        if dialect.example is not None and dialect.name in credentials
    ]
