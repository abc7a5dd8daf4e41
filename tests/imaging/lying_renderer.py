"""Run in place of a renderer: it reports that it is ready, then sends an invalid answer."""

import socket
import sys
from contextlib import suppress

from msgspec.structs import replace

from tintype.imaging.errors import Reason
from tintype.imaging.formats import Format
from tintype.imaging.image_info import ImageInfo, Placeholder
from tintype.imaging.sandbox.confinement import Confinement
from tintype.imaging.sandbox.messages import LENGTH, Examined, Ready, Refusal, Rendered, Reply, encode

DEEP = b"\x91" * 60_000
FALSE_STRING = b"\x82\xa6answer\x82\xa4type\xa6Failed\xa9traceback\xa1\xff\xa6memory\x00"


def found(**wrong: object) -> bytes:
    """The message for an image of one pixel, with some fields replaced."""
    info = ImageInfo(
        format=Format.PNG, width=1, height=1, frames=1, has_alpha=False, orientation=1, placeholder=SHOWN
    )
    return encode(Reply(Examined(Format.PNG, replace(info, **wrong)), 0))


SHOWN = Placeholder(thumbhash="AAAA", colour="#000000")
TRUE = found()
LIES = {
    "garbage": LENGTH.pack(5) + b"\xc1\xc1\xc1\xc1\xc1",
    "endless": LENGTH.pack(2**32 - 1),
    "short": encode(Reply(Rendered(Format.PNG, 1, 1, 1000), 0)) + b"only this",
    "negative": encode(Reply(Rendered(Format.PNG, 1, 1, -1), 0)),
    "enormous": encode(Reply(Rendered(Format.PNG, 1, 1, 2**40), 0)),
    "another format": encode(Reply(Rendered(Format.GIF, 1, 1, 4), 0)) + b"GIF8",
    "no text": LENGTH.pack(len(FALSE_STRING)) + FALSE_STRING,
    "deep": LENGTH.pack(len(DEEP) + 3) + b"\x81\xa1x" + DEEP,
    "long sentence": encode(Reply(Refusal(Reason.DAMAGED, "no " * 1000), 0)),
    "found wide": found(width=10**12),
    "found without a pixel": found(height=0),
    "found of another format": found(format=Format.SVG),
    "found without a placeholder": found(placeholder=None),
    "found with markup for a colour": found(placeholder=Placeholder("AAAA", '#000;"><script>')),
    "found with a long hash": found(placeholder=Placeholder("A" * 1000, "#000000")),
    "nothing found": encode(Reply(Examined(), 0)),
    "ready": encode(Reply(Ready(Confinement(seccomp=True, landlock_abi=7)), 0)),
}

if __name__ == "__main__":
    channel, lie, *stays = socket.socket(fileno=int(sys.argv[1])), *sys.argv[5:]
    ready = Ready(Confinement(seccomp=False, landlock_abi=0))
    with suppress(OSError):
        channel.sendall(encode(Reply(ready, 0)))
        channel.recv(65536)
        channel.sendall(LIES.get(lie, TRUE))
        if not stays:
            channel.shutdown(socket.SHUT_WR)
        channel.recv(65536)
