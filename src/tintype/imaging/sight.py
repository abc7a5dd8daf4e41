"""Where to look: the point of a picture that a crop keeps, found in its pixels."""

from tintype.imaging.draw import Job, draw
from tintype.imaging.facts import Facts
from tintype.imaging.formats import Format, row
from tintype.imaging.geometry import Plan, as_stored, plan
from tintype.imaging.recipe import Crop, Focal, Recipe
from tintype.imaging.vips import Source, decoding

SMALL = Recipe(width=256, height=256, enlarge=False)  # libvips' own search is in no more than 32 pixels


def find(source: Source, facts: Facts, crop: Crop, wanted: Plan) -> Focal:
    """The middle of the part, as large as the plan's, that draws the eye or has most detail (seen upright).

    It is searched for in a small drawing. Raises ImageRefused (damaged).
    """
    small = plan(facts.width, facts.height, SMALL)
    job = Job(
        source=source,
        facts=facts,
        plan=as_stored(small, facts.orientation),
        target=row(Format.PNG),
        recipe=SMALL,
    )
    width = max(1, round(small.width * wanted.across.length / wanted.across.source))
    height = max(1, round(small.height * wanted.down.length / wanted.down.source))
    with decoding():
        found = draw(job).copy_memory().smartcrop(width, height, interesting=crop)
    return Focal((width / 2 - found.xoffset) / small.width, (height / 2 - found.yoffset) / small.height)
