"""Which images a list shows, and in which order."""

from enum import StrEnum

from msgspec import Struct

from tintype.model.image import Status


class SortKey(StrEnum):
    """What a list can be sorted by."""

    NAME = "name"
    CREATED_BY = "created-by"
    CREATED_AT = "created-at"
    MODIFIED_AT = "modified-at"
    STATUS = "status"
    EXTENSION = "extension"


class ListQuery(Struct, frozen=True):
    """One page of an account's images.

    An empty tuple filters nothing. `extensions` are lower case; `search` is plain text, found anywhere
    in a name without regard to case and accents. Equal sort keys are ordered by number in the same
    direction, so that pages never overlap. `limit` rows are shown after `skip` rows.
    """

    extensions: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    search: str = ""
    sort: SortKey = SortKey.MODIFIED_AT
    descending: bool = True
    limit: int = 30
    skip: int = 0
