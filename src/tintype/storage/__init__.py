"""Where bytes lie: originals that are never changed, renditions that can always be made again."""

from tintype.storage.originals import Originals, Staged, StageFull
from tintype.storage.renditions import Renditions

__all__ = ["Originals", "Renditions", "StageFull", "Staged"]
