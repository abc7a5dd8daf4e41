"""A walk along the blocks of a GIF, as libvips takes one that is cut among its frames for a shorter one."""

from typing import BinaryIO

from tintype.imaging.errors import damaged

HEADER_BYTES = 6
SCREEN_BYTES = 7
IMAGE_BYTES = 9
IMAGE, EXTENSION, TRAILER, PADDING = 0x2C, 0x21, 0x3B, 0x00
HAS_TABLE, TABLE_SIZE = 0x80, 0x07


def check_complete(file: BinaryIO) -> None:
    """Raise ImageRefused (damaged) unless whole blocks lead up to the trailer; see the GIF89a specification.

    What comes behind the trailer is no concern, nor are zero bytes between blocks, which some writers leave.
    """
    file.seek(HEADER_BYTES)
    _skip_table(file, _read(file, SCREEN_BYTES)[4])
    while (block := _read(file, 1)[0]) != TRAILER:
        if block == IMAGE:
            _skip_table(file, _read(file, IMAGE_BYTES)[8])
            _read(file, 1)  # the LZW code size
            _skip_data(file)
        elif block == EXTENSION:
            _read(file, 1)  # its label
            _skip_data(file)
        elif block != PADDING:
            raise damaged()


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
