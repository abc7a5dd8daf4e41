"""Queries on images. All queries that serve a caller are scoped to an account."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from msgspec import Struct, structs
from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from tintype.catalogue import usage
from tintype.catalogue.backends import Contains
from tintype.catalogue.publications import packed, read_packed
from tintype.catalogue.tables import accounts, images, people, publications
from tintype.catalogue.transaction import Transaction, batches
from tintype.imaging import Format
from tintype.model import Image, Links, LinkTarget, NewImage, Person, Publications, Status
from tintype.model.list_query import ListQuery, SortKey
from tintype.model.names import fold

MAX_ROW = 2**63 - 1
"""The largest row offset and image number: databases use signed 64-bit integers."""

_creator = people.alias("creator")
_editor = people.alias("editor")

_SORT_COLUMNS: dict[SortKey, ColumnElement[Any]] = {
    SortKey.NAME: images.c.folded,
    SortKey.CREATED_BY: _creator.c.folded,
    SortKey.CREATED_AT: images.c.created_at,
    SortKey.MODIFIED_AT: images.c.modified_at,
    SortKey.STATUS: images.c.status,
    SortKey.EXTENSION: func.lower(images.c.extension),
}

_VERSION = (
    images.c.id,
    images.c.number,
    images.c.version,
    images.c.width,
    images.c.height,
    images.c.format,
    images.c.has_alpha,
)


class DeletedImage(Struct, frozen=True):
    """A deleted image; `bytes` is the size of its original."""

    filename: str
    sha256: str
    bytes: int


def add(tx: Transaction, account: UUID, person: Person, new: NewImage, now: datetime) -> Image:
    """Add an image, at version 1."""
    columns = structs.asdict(new)
    given: dict[str, Any] = {"account_id": account, "version": 1, "created_at": now, "modified_at": now}
    by = {"created_by": person.id, "modified_by": person.id}
    row = insert(images).values(**columns, **given, **by, folded=fold(new.name))
    number = tx.execute(row.returning(images.c.number)).scalar_one()
    usage.add(tx, account, count=1, size=new.bytes)
    return Image(number=number, created_by=person, modified_by=person, **columns, **given)


def link_targets(tx: Transaction, account: UUID, ids: Sequence[UUID]) -> dict[UUID, LinkTarget]:
    """The link targets of those of `ids` that the account owns and that are not archived."""
    targets: dict[UUID, LinkTarget] = {}
    for batch in batches(ids):
        query = select(*_VERSION).where(
            images.c.account_id == account, images.c.status == Status.ACTIVE, images.c.id.in_(batch)
        )
        for row in tx.execute(query):
            sides, format = (row.width, row.height), Format(row.format)
            targets[row.id] = LinkTarget(row.id, row.number, row.version, *sides, format, row.has_alpha)
    return targets


def get(tx: Transaction, account: UUID, id: UUID, *, for_update: bool = False) -> Image | None:
    """One image of an account; None if there is none.

    With `for_update`, no other transaction changes it until this one has ended.
    """
    query = _select_images().where(images.c.account_id == account, images.c.id == id)
    return _one(tx, query.with_for_update(of=images) if for_update else query)


def find(tx: Transaction, key: UUID | int) -> Image | None:
    """An image of any account, by id or number; only for the owner of the library."""
    return None if _is_out_of_range(key) else _one(tx, _select_images().where(_by_key(key)))


def find_deliverable(
    tx: Transaction, dialect: str, key: UUID | int, version: int | None, default: Links | None
) -> tuple[Image, Publications] | None:
    """The image of any account that a delivery link refers to, and its account's publications.

    None both if there is none and if it may not be delivered. It is one statement, so that neither the
    response nor its time tells the two apart.

    Args:
        tx: the transaction.
        dialect: the dialect of the link.
        key: the image, by id or number.
        version: the required version; None: any.
        default: for a plain link, the default kind of links in the dialect; None for a signed link.
    """
    if _is_out_of_range(key):
        return None
    given = {"key": key, "dialect": dialect, "version": version, "default": default}
    row = tx.execute(_deliverable(by_number=isinstance(key, int)), given).first()
    return None if row is None else (_image(row), read_packed(row.published))


def find_duplicate(tx: Transaction, account: UUID, sha256: str, filename: str) -> Image | None:
    """An image of the account with the same bytes and the same file name; None if there is none."""
    alike = (images.c.account_id == account, images.c.sha256 == sha256, images.c.filename == filename)
    return _one(tx, _select_images().where(*alike).limit(1))


def list_page(tx: Transaction, account: UUID, selection: ListQuery) -> tuple[int, list[Image]]:
    """The number of images that match, and those of the requested page."""
    matching = _matching(account, selection)
    total = tx.execute(select(func.count()).select_from(images).where(*matching)).scalar_one()
    if selection.skip >= min(total, MAX_ROW):
        return total, []
    column = _SORT_COLUMNS[selection.sort]
    order = (column.desc(), images.c.number.desc()) if selection.descending else (column, images.c.number)
    rows = tx.execute(
        _select_images().where(*matching).order_by(*order).limit(selection.limit).offset(selection.skip)
    )
    return total, [_image(row) for row in rows]


def list_newest(tx: Transaction, account: UUID, before: int | None, limit: int) -> list[Image]:
    """Up to `limit` images of an account, newest first, with numbers below `before` if it is given."""
    return _newest(tx, _matching(account, ListQuery()), before, limit)


def list_matching(
    tx: Transaction, account: UUID | None, selection: ListQuery, before: int | None
) -> list[tuple[str, Image]]:
    """As `list_newest`, those that match, with the names of their accounts; None: of all accounts."""
    found = _newest(tx, _matching(account, selection), before, selection.limit)
    owners = {image.account_id for image in found}
    rows = tx.execute(select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(owners)))
    names = {row.id: row.name for row in rows}
    return [(names[image.account_id], image) for image in found]


def _newest(
    tx: Transaction, conditions: Sequence[ColumnElement[bool]], before: int | None, limit: int
) -> list[Image]:
    query = _select_images().where(*conditions).order_by(images.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(images.c.number < min(before, MAX_ROW))
    return [_image(row) for row in tx.execute(query)]


def by_numbers(tx: Transaction, account: UUID, numbers: Sequence[int]) -> dict[int, Image]:
    """The images with these numbers that the account owns, by number."""
    by_number: dict[int, Image] = {}
    for batch in batches(numbers):
        query = _select_images().where(images.c.account_id == account, images.c.number.in_(batch))
        by_number |= {row.number: _image(row) for row in tx.execute(query)}
    return by_number


def set_status(tx: Transaction, image: Image, status: Status, person: Person, now: datetime) -> Image:
    """Set the status of an image."""
    given: dict[str, Any] = {"status": status, "modified_at": now}
    _change(tx, image, person, **given)
    return structs.replace(image, modified_by=person, **given)


def replace(tx: Transaction, image: Image, new: NewImage, person: Person, now: datetime) -> Image:
    """Replace an image by its next version: all fields of `new` but the id."""
    columns = {name: value for name, value in structs.asdict(new).items() if name != "id"}
    given: dict[str, Any] = {**columns, "version": image.version + 1, "modified_at": now}
    _change(tx, image, person, **given, folded=fold(new.name))
    usage.add(tx, image.account_id, count=0, size=new.bytes - image.bytes)
    return structs.replace(image, modified_by=person, **given)


def delete_image(tx: Transaction, account: UUID, id: UUID) -> DeletedImage | None:
    """Delete an image and its placements; returns the deleted image, None if there was none."""
    columns = (images.c.filename, images.c.sha256, images.c.bytes)
    query = delete(images).where(images.c.account_id == account, images.c.id == id).returning(*columns)
    row = tx.execute(query).first()
    if row is None:
        return None
    usage.add(tx, account, count=-1, size=-row.bytes)
    return DeletedImage(row.filename, row.sha256, row.bytes)


def is_referenced(tx: Transaction, sha256: str) -> bool:
    """Whether an image of any account has this original."""
    return tx.execute(select(images.c.number).where(images.c.sha256 == sha256).limit(1)).first() is not None


def referenced_digests(tx: Transaction, digests: Sequence[str]) -> set[str]:
    """The digests of originals that images of any account have."""
    query = select(images.c.sha256).where(images.c.sha256.in_(digests))
    return {row.sha256 for row in tx.execute(query)}


def existing(tx: Transaction, ids: Sequence[UUID]) -> set[UUID]:
    """Those of these ids that images of any account have."""
    query = select(images.c.id).where(images.c.id.in_(ids))
    return {row.id for row in tx.execute(query)}


def originals(tx: Transaction, after: int, limit: int) -> list[tuple[int, UUID, str, int]]:
    """Number, id, digest and size of images of all accounts, by number, with numbers above `after`."""
    columns = (images.c.number, images.c.id, images.c.sha256, images.c.bytes)
    query = select(*columns).where(images.c.number > after).order_by(images.c.number).limit(limit)
    return [(row.number, row.id, row.sha256, row.bytes) for row in tx.execute(query)]


def without_placeholder(tx: Transaction, after: int, limit: int) -> list[Image]:
    """Images of all accounts without a placeholder, by number, with numbers above `after`."""
    lacking = (images.c.number > after, images.c.thumbhash.is_(None))
    query = _select_images().where(*lacking).order_by(images.c.number).limit(limit)
    return [_image(row) for row in tx.execute(query)]


def count_without_placeholder(tx: Transaction) -> int:
    """The number of images of all accounts without a placeholder."""
    query = select(func.count()).select_from(images).where(images.c.thumbhash.is_(None))
    images_left: int = tx.execute(query).scalar_one()
    return images_left


def set_placeholder(tx: Transaction, sha256: str, thumbhash: str, colour: str | None) -> None:
    """Set the placeholder of all images with this original that have none; their version stays the same."""
    bare = (images.c.sha256 == sha256, images.c.thumbhash.is_(None))
    tx.execute(update(images).where(*bare).values(thumbhash=thumbhash, colour=colour))


def count(tx: Transaction) -> int:
    """The number of images of all accounts."""
    number: int = tx.execute(select(func.count()).select_from(images)).scalar_one()
    return number


def _change(tx: Transaction, image: Image, person: Person, **values: Any) -> None:  # noqa: ANN401  any columns
    own = (images.c.account_id == image.account_id, images.c.number == image.number)
    tx.execute(update(images).where(*own).values(**values, modified_by=person.id))


def _is_out_of_range(key: UUID | int) -> bool:
    return isinstance(key, int) and key > MAX_ROW


def _by_key(key: UUID | int) -> ColumnElement[bool]:
    return images.c.number == key if isinstance(key, int) else images.c.id == key


@cache
def _deliverable(*, by_number: bool) -> Select[Any]:
    """The query of all deliveries, built once: building it each time makes SQLAlchemy six times slower."""
    default = bindparam("default", type_=String)
    published = (
        select(publications.c.dialect)
        .where(
            publications.c.account_id == images.c.account_id,
            publications.c.dialect == bindparam("dialect"),
            default.is_(None) | (func.coalesce(publications.c.links, default) == Links.PLAIN.value),
        )
        .exists()
    )
    key = images.c.number if by_number else images.c.id
    return (
        _select_images()
        .add_columns(packed(images.c.account_id).label("published"))
        .where(
            key == bindparam("key"),
            images.c.version == func.coalesce(bindparam("version", type_=Integer), images.c.version),
            images.c.status == Status.ACTIVE.value,
            published,
        )
    )


def _matching(account: UUID | None, selection: ListQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [] if account is None else [images.c.account_id == account]
    if selection.extensions:
        conditions.append(func.lower(images.c.extension).in_(selection.extensions))
    if selection.statuses:
        conditions.append(images.c.status.in_([status.value for status in selection.statuses]))
    if selection.search:
        conditions.append(Contains(images.c.folded, fold(selection.search)))
    return conditions


@cache
def _select_images() -> Select[Any]:
    return (
        select(images, _creator.c.name.label("creator_name"), _editor.c.name.label("editor_name"))
        .join(_creator, _creator.c.id == images.c.created_by)
        .join(_editor, _editor.c.id == images.c.modified_by)
    )


def _one(tx: Transaction, query: Select[Any]) -> Image | None:
    row = tx.execute(query).first()
    return None if row is None else _image(row)


def _image(row: Row[Any]) -> Image:
    return Image(
        id=row.id,
        number=row.number,
        account_id=row.account_id,
        filename=row.filename,
        name=row.name,
        extension=row.extension,
        format=Format(row.format),
        sha256=row.sha256,
        bytes=row.bytes,
        width=row.width,
        height=row.height,
        frames=row.frames,
        has_alpha=row.has_alpha,
        status=Status(row.status),
        version=row.version,
        created_by=Person(row.created_by, row.creator_name),
        created_at=row.created_at,
        modified_by=Person(row.modified_by, row.editor_name),
        modified_at=row.modified_at,
        thumbhash=row.thumbhash,
        colour=row.colour,
    )
