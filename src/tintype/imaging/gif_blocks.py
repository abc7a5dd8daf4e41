"""A walk along the blocks of a GIF, as libvips takes one that is cut within a block for a shorter one."""

from typing import BinaryIO

from tintype.imaging.errors import damaged

HEADER_BYTES = 6
SCREEN_BYTES = 7
IMAGE_BYTES = 9
IMAGE, EXTENSION, TRAILER, PADDING = b"\x2c", b"\x21", b"\x3b", b"\x00"
HAS_TABLE, TABLE_SIZE = 0x80, 0x07


def check_complete(file: BinaryIO) -> None:
    """Raise ImageRefused (damaged) unless all blocks are whole; see the GIF89a specification.

    What comes behind the trailer is no concern, nor are zero bytes between blocks, which some writers leave.
    Some leave the trailer out: a file that ends behind a whole image has lost nothing that could be shown.
    """
    file.seek(HEADER_BYTES)
    _skip_table(file, _read(file, SCREEN_BYTES)[4])
    last = b""
    while (block := file.read(1)) not in {TRAILER, b""}:
        if block not in PARTS:
            raise damaged()
        PARTS[block](file)
        last = last if block == PADDING else block
    if block == b"" and last != IMAGE:
        raise damaged()


def _skip_image(file: BinaryIO) -> None:
    _skip_table(file, _read(file, IMAGE_BYTES)[8])
    _read(file, 1)  # the LZW code size
    _skip_data(file)


def _skip_extension(file: BinaryIO) -> None:
    _read(file, 1)  # its label
    _skip_data(file)


def _skip_nothing(_: BinaryIO) -> None:
    """A zero byte is over when it was read."""


def _skip_table(file: BinaryIO, flags: int) -> None:
    """Pass over a colour table, if the flags tell of one."""
    if flags & HAS_TABLE:
        _read(file, 3 * 2 ** ((flags & TABLE_SIZE) + 1))


def _skip_data(file: BinaryIO) -> None:
    """Pass over sub-blocks, each with its length in front, up to the empty one."""
    while length := _read(file, 1)[0]:
        _read(file, length)


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise damaged()
    return data


PARTS = {IMAGE: _skip_image, EXTENSION: _skip_extension, PADDING: _skip_nothing}
