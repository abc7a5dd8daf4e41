"""Cells as placements of images, whichever way an image comes into one."""

from tintype.dialects.smartsheet import wire
from tintype.model import InvalidField, NotFound, Placement, PlacementKind


def require_cell(placement: Placement) -> None:
    """Check the ids of a placement that did not come in through this dialect.

    Raises:
        InvalidField: when the id of the sheet, the row or the column is no integer of at most 63 bits, or has
            zeros in front.
    """
    ids = {"container": placement.container, "holder": placement.holder, "slot": placement.slot}
    for field, id in ids.items():
        if not _is_canonical(id):
            raise InvalidField(field, f"{field} has to be an integer of at most 63 bits.")


def _is_canonical(id: str) -> bool:
    try:
        return wire.parse_placement(id, id).holder == id
    except NotFound:
        return False


CELL = PlacementKind(require_cell, lambda image: wire.format_violations(image.format))
"""Cells of a sheet (`container`): the holder is the row, the slot the column."""
