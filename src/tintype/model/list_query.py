"""Filter, sort order and page of a list of images."""

from enum import StrEnum

from msgspec import Struct

from tintype.model.image import Status


class SortKey(StrEnum):
    """The columns a list can be sorted by."""

    NAME = "name"
    CREATED_BY = "created-by"
    CREATED_AT = "created-at"
    MODIFIED_AT = "modified-at"
    STATUS = "status"
    EXTENSION = "extension"


class ListQuery(Struct, frozen=True):
    """One page of an account's images.

    An empty tuple means no filter. `extensions` are lower case; `search` is plain text that matches
    anywhere in a name, ignoring case and accents. Equal sort keys are ordered by number in the same
    direction, so that pages never overlap. The page has `limit` rows, after the first `skip` rows.
    """

    extensions: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    search: str = ""
    sort: SortKey = SortKey.MODIFIED_AT
    descending: bool = True
    limit: int = 30
    skip: int = 0
