"""What decoders say of memory and of their own limits is understood; anything else is damage."""

import pytest

from tintype.imaging import Reason
from tintype.imaging.codecs.packages import refusal
from tintype.imaging.errors import OutOfMemory

OF_MEMORY = [
    "unable to copy to memory\n  vips_tracked: out of memory -- size == 18MB\n",
    "unable to copy to memory\n  heif: Invalid input: Unspecified: Memory allocation error (2.0)\n",
    "unable to copy to memory\n  VipsJpeg: Insufficient memory (case 4)\n",
    "unable to copy to memory\n  tiff2vips: No space for data buffer at scanline 4294967295\n",
    "unable to copy to memory\n  svgload_buffer: SVG rendering failed\nglib: rendering error: \n\n",
    "Out of memory",
    "Memory allocation error: Unspecified: Allocating 14400015 bytes failed",
    "Internal error (unexpected C++ exception)",
]
OF_LIMITS = [
    "svgload_buffer: SVG rendering failed\nglib: exceeded more than 500000 referenced elements\n\n",
    "glib: XML parse error: cannot load more than 1000000 XML elements",
    "glib: rendering error: maximum depth of 100 nested layers has been exceeded",
]
OF_DAMAGE = [
    "unable to copy to memory\n  VipsJpeg: premature end of JPEG image\n",
    "pngload: libspng read error",
    "Decoder plugin generated an error: Unspecified: Bitstream not supported by this decoder",
    "glib: XML parse error: Error domain 1 code 4 on line 1",
]


@pytest.mark.parametrize("message", OF_MEMORY)
def test_a_failed_allocation_might_succeed_with_more_memory(message: str) -> None:
    assert isinstance(refusal(RuntimeError(message)), OutOfMemory)


@pytest.mark.parametrize("message", OF_LIMITS)
def test_a_limit_of_a_decoder_is_no_lack_of_memory(message: str) -> None:
    refused = refusal(RuntimeError(message))
    assert refused.reason is Reason.TOO_COSTLY
    assert not isinstance(refused, OutOfMemory)


@pytest.mark.parametrize("message", OF_DAMAGE)
def test_anything_else_is_damage(message: str) -> None:
    assert refusal(RuntimeError(message)).reason is Reason.DAMAGED


def test_memory_of_python_is_memory() -> None:
    assert isinstance(refusal(MemoryError()), OutOfMemory)
