"""Files on disk: originals, which are never changed, and a cache of renditions."""

from tintype.storage.originals import Originals, SizeLimitExceeded, Staged
from tintype.storage.renditions import Renditions, RenditionWriter
from tintype.storage.reserve import Reserve

__all__ = ["Originals", "RenditionWriter", "Renditions", "Reserve", "SizeLimitExceeded", "Staged"]
