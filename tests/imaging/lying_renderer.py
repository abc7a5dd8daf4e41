"""Run in place of a renderer: it says that it is ready, then answers what can't be meant."""

import socket
import sys
from contextlib import suppress

from tintype.imaging.formats import Format
from tintype.imaging.sandbox.confinement import Confinement
from tintype.imaging.sandbox.messages import LENGTH, Ready, Rendered, Reply, encode

LIES = {
    "garbage": LENGTH.pack(5) + b"\xc1\xc1\xc1\xc1\xc1",
    "endless": LENGTH.pack(2**32 - 1),
    "short": encode(Reply(Rendered(Format.PNG, 1, 1, 1000), 0)) + b"only this",
    "negative": encode(Reply(Rendered(Format.PNG, 1, 1, -1), 0)),
    "enormous": encode(Reply(Rendered(Format.PNG, 1, 1, 2**40), 0)),
    "ready": encode(Reply(Ready(Confinement(seccomp=True, landlock_abi=7)), 0)),
}

if __name__ == "__main__":
    channel, lie = socket.socket(fileno=int(sys.argv[1])), sys.argv[-1]
    ready = Ready(Confinement(seccomp=False, landlock_abi=0))
    with suppress(OSError):
        channel.sendall(encode(Reply(ready, 0)))
        channel.recv(65536)
        channel.sendall(LIES[lie])
        channel.shutdown(socket.SHUT_WR)
        channel.recv(65536)
