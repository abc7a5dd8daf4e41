"""Where bytes lie: originals that are never changed, renditions that can always be made again."""

from tintype.storage.originals import Originals, SizeLimitExceeded, Staged
from tintype.storage.renditions import Renditions, RenditionWriter
from tintype.storage.reserve import Reserve

__all__ = ["Originals", "RenditionWriter", "Renditions", "Reserve", "SizeLimitExceeded", "Staged"]
