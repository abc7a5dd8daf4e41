"""The pictures of the demo, drawn by code, always the same."""

from pathlib import Path

import pyvips

from tintype.cli.demo_samples import Sample

TURN_CLOCKWISE = 6
"""EXIF orientation: what is shown is the picture turned a quarter clockwise."""
SUN_RADIUS = 0.12
"""In heights of the picture."""


def draw(sample: Sample) -> bytes:
    """The bytes of a sample: a sky, a ground and a sun, in its own colours."""
    frames = [_scene(sample, moment / sample.frames) for moment in range(sample.frames)]
    image = pyvips.Image.arrayjoin(frames, across=1).copy()
    if sample.frames > 1:
        image.set_type(pyvips.GValue.gint_type, "page-height", sample.height)
        image.set_type(pyvips.GValue.array_int_type, "delay", [120] * sample.frames)
    if sample.on_its_side:
        # As a camera held upright writes it: turned, with a note that says how to turn it back.
        image = image.rot270().copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", TURN_CLOCKWISE)
    suffix = Path(sample.filename).suffix.lower()
    return bytes(image.write_to_buffer(".jpg[Q=88]" if suffix == ".jpeg" else suffix))


def _scene(sample: Sample, moment: float) -> pyvips.Image:
    grid = pyvips.Image.xyz(sample.width, sample.height)
    x, y = grid[0] / sample.width, grid[1] / sample.height
    distance = (((x - 0.3 - 0.4 * moment) * sample.width / sample.height) ** 2 + (y - 0.35) ** 2) ** 0.5
    sun = distance < SUN_RADIUS
    ground = (y > 0.7 + 0.05 * (x * 720).sin()).ifthenelse(1.0, 0.0)
    lightness = sun.ifthenelse(94, 85 - 45 * y - 30 * ground)
    chroma = sun.ifthenelse(55, 35 + 10 * (x * 360).cos())
    hue = sun.ifthenelse(85, (sample.hue + 60 * y + 120 * ground) % 360)
    picture = lightness.bandjoin([chroma, hue]).copy(interpretation="lch").colourspace("srgb").cast("uchar")
    if not sample.transparent:
        return picture
    return picture.bandjoin(((0.5 - distance) * 1020).cast("uchar"))
