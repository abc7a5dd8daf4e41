"""An original that can't be read: just deleted, or lost although it is recorded."""

import structlog

from tintype.catalogue import images
from tintype.core.services import Services
from tintype.model import Error, Image, OriginalMissing, no_such_image

log = structlog.get_logger("tintype")


async def missing_original(services: Services, image: Image, reason: str) -> Error:
    """The error for an original that can't be read.

    NOT_FOUND when the image was deleted or replaced meanwhile; ORIGINAL_MISSING when it is still recorded
    with these bytes. Then the file is lost, which is logged and counted.

    Args:
        image: the record from which the file was opened.
        reason: what is wrong with the file, for the log.
    """
    recorded = await services.catalogue.read(images.get, image.account_id, image.id)
    if recorded is None or recorded.sha256 != image.sha256:
        return no_such_image()
    log.error(
        "original-missing",
        image=str(image.id),
        account=str(image.account_id),
        sha256=image.sha256,
        reason=reason,
    )
    services.workers.counters.originals_missing.inc()
    return OriginalMissing(
        "The original of this image is lost or damaged. The request id finds it in the log.",
    )
