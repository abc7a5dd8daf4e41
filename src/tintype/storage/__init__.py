"""Where bytes are: originals, which are never changed, and a cache of renditions."""

from tintype.storage.blobs import BlobReader, Blobs
from tintype.storage.renditions import Renditions, RenditionWriter
from tintype.storage.reserve import Reserve
from tintype.storage.staging import SizeLimitExceeded, Staged, Staging

__all__ = [
    "BlobReader",
    "Blobs",
    "RenditionWriter",
    "Renditions",
    "Reserve",
    "SizeLimitExceeded",
    "Staged",
    "Staging",
]
