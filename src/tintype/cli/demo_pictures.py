"""Draws the pictures of the demo; the same sample always gives the same picture."""

from pathlib import Path

import pyvips

from tintype.cli.demo_samples import Sample

ROTATE_90_CW = 6
"""EXIF orientation: viewers rotate the picture by 90° clockwise."""
SUN_RADIUS = 0.12
"""As a fraction of the height of the picture."""


def draw(sample: Sample) -> bytes:
    """Draw a sample (sky, ground and sun) and encode it by the extension of its file name."""
    frames = [_scene(sample, index / sample.frames) for index in range(sample.frames)]
    image = pyvips.Image.arrayjoin(frames, across=1).copy()
    if sample.frames > 1:
        image.set_type(pyvips.GValue.gint_type, "page-height", sample.height)
        image.set_type(pyvips.GValue.array_int_type, "delay", [120] * sample.frames)
    if sample.is_rotated:
        # As cameras do: the pixels are rotated, and EXIF says how to rotate them back.
        image = image.rot270().copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", ROTATE_90_CW)
    suffix = Path(sample.filename).suffix.lower()
    return bytes(image.write_to_buffer(".jpg[Q=88]" if suffix == ".jpeg" else suffix))


def _scene(sample: Sample, time: float) -> pyvips.Image:
    """One frame; `time` is from 0 to 1."""
    grid = pyvips.Image.xyz(sample.width, sample.height)
    x, y = grid[0] / sample.width, grid[1] / sample.height
    distance = (((x - 0.3 - 0.4 * time) * sample.width / sample.height) ** 2 + (y - 0.35) ** 2) ** 0.5
    sun = distance < SUN_RADIUS
    ground = (y > 0.7 + 0.05 * (x * 720).sin()).ifthenelse(1.0, 0.0)
    lightness = sun.ifthenelse(94, 85 - 45 * y - 30 * ground)
    chroma = sun.ifthenelse(55, 35 + 10 * (x * 360).cos())
    hue = sun.ifthenelse(85, (sample.hue + 60 * y + 120 * ground) % 360)
    picture = lightness.bandjoin([chroma, hue]).copy(interpretation="lch").colourspace("srgb").cast("uchar")
    if not sample.transparent:
        return picture
    return picture.bandjoin(((0.5 - distance) * 1020).cast("uchar"))
