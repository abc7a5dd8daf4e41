"""Smart crop: finds the focal point in the pixels of an image."""

from tintype.imaging.codecs.vips import Source, decoding
from tintype.imaging.formats import Format, spec
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.pipeline.draw import RenderTask, draw
from tintype.imaging.recipe import Crop, Focal, Recipe
from tintype.imaging.recipe.geometry import Plan, as_stored, plan

SMALL = Recipe(width=256, height=256, enlarge=False)  # libvips searches at 32 pixels per side at most


def find_focal_point(source: Source, info: ImageInfo, crop: Crop, wanted: Plan) -> Focal:
    """The centre of the most salient or most detailed region of the plan's size, in the upright image.

    The search runs on a small rendition.

    Raises:
        ImageRefused: when it is damaged.
    """
    small = plan(info.width, info.height, SMALL)
    task = RenderTask(
        source=source,
        info=info,
        plan=as_stored(small, info.orientation),
        target=spec(Format.PNG),
        recipe=SMALL,
    )
    width = max(1, round(small.width * wanted.x.length / wanted.x.source))
    height = max(1, round(small.height * wanted.y.length / wanted.y.source))
    with decoding():
        found = draw(task).copy_memory().smartcrop(width, height, interesting=crop)
    return Focal((width / 2 - found.xoffset) / small.width, (height / 2 - found.yoffset) / small.height)
