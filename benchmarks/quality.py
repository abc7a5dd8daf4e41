"""How near a rendition comes to the best that its size allows.

The reference is the source in full, resampled by Pillow with Lanczos 3 and kept without loss. What is
transparent is laid on mid grey, there as here. Two measures: SSIM (Wang, Bovik, Sheikh and Simoncelli, 2004:
luma, a Gaussian window of sigma 1.5), and SSIMULACRA2, whose 90 is hard to tell from the reference.

The measuring itself runs in the environment of the peers: `python quality.py` reads pairs of paths as JSON
from standard input and writes their scores to standard output.
"""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

BACKGROUND = (128, 128, 128, 255)
SIGMA, REACH = 1.5, 3.5
"""Of SSIM's window: the deviation, in pixels, and where it ends, in deviations: 11 pixels across."""
STABLE_LIGHT, STABLE_CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def scores(python: Path, pairs: Sequence[tuple[Path, bytes]]) -> list[tuple[float, float]]:
    """SSIM and SSIMULACRA2 of each pair of a source and its rendition, by the Python that has the tools."""
    with tempfile.TemporaryDirectory() as folder:
        shown = [_shown(Path(folder) / str(number), *pair) for number, pair in enumerate(pairs)]
        command = [str(python), __file__]
        done = subprocess.run(command, input=json.dumps(shown).encode(), stdout=subprocess.PIPE, check=True)
    return [(ssim, ssimulacra2) for ssim, ssimulacra2 in json.loads(done.stdout)]


def _shown(stem: Path, source: Path, rendition: bytes) -> tuple[str, str]:
    """The reference and the rendition, as they are seen, as PNG files."""
    best, made = f"{stem}-reference.png", f"{stem}-rendition.png"
    with Image.open(io.BytesIO(rendition)) as image:
        size = image.size
        _flat(image.convert("RGBA")).save(made)
    with Image.open(source) as image:
        kept = image.convert("RGBA" if image.has_transparency_data else "RGB")
    _flat(kept.resize(size, Image.Resampling.LANCZOS)).save(best)
    return best, made


def _flat(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image).convert("RGB")


def _main() -> None:
    from ssimulacra2 import compute_ssimulacra2  # noqa: PLC0415  only in the environment of the peers

    pairs = json.load(sys.stdin)
    json.dump([[_ssim(*pair), float(compute_ssimulacra2(*pair))] for pair in pairs], sys.stdout)


def _ssim(reference: str, distorted: str) -> float:
    import numpy as np  # noqa: PLC0415  the same
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415  the same

    x, y = (np.asarray(Image.open(path).convert("L"), dtype=np.float64) for path in (reference, distorted))
    mean_x, mean_y, xx, yy, xy = (
        gaussian_filter(band, SIGMA, truncate=REACH) for band in (x, y, x * x, y * y, x * y)
    )
    light = (2 * mean_x * mean_y + STABLE_LIGHT) / (mean_x**2 + mean_y**2 + STABLE_LIGHT)
    spread = xx - mean_x**2 + yy - mean_y**2
    contrast = (2 * (xy - mean_x * mean_y) + STABLE_CONTRAST) / (spread + STABLE_CONTRAST)
    return float((light * contrast).mean())


if __name__ == "__main__":
    _main()
