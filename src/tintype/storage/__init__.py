"""Where bytes lie: originals that are never changed, renditions that can always be made again."""

from tintype.storage.originals import Originals, Staged, StageFull
from tintype.storage.renditions import Draft, Renditions
from tintype.storage.reserve import Reserve

__all__ = ["Draft", "Originals", "Renditions", "Reserve", "StageFull", "Staged"]
