"""HEIC: what the header says, by libheif."""

from tintype.imaging.errors import damaged


def header(data: bytes) -> tuple[int, int, bool]:
    """Width and height as people see them, and whether there is alpha; of the primary image.

    Raises ImageRefused (damaged).
    """
    import pillow_heif  # noqa: PLC0415  an extra

    try:
        found = pillow_heif.open_heif(data)
        primary = found[found.primary_index]
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError) as error:
        raise damaged() from error
    width, height = primary.size
    return width, height, "A" in primary.mode
