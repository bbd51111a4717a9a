"""The statements on the ledger: rows are added to it, and nothing that was written ever changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, delete, func, insert, select

from grader.gradebook.tables import item_lists, marked_answers, marks, rendered, submissions
from grader.gradebook.tables import weights as weights_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the ledger; points are fractions as text, exact."""

    id: str
    """The same in every store it is copied to."""
    submission: str
    item: str
    follows: int
    """The number of the entry before it on this item of this submission, or 0."""
    replaced: int | None
    """The number of the mark that was current before, if one was."""
    takes_back: int | None
    """The number of the mark that this takes back; None for a mark."""
    restores: int | None
    """The number of the mark that is current again since one was taken back, if one is."""
    answer: str
    criteria: str
    adjustment: str
    points: str | None
    came_to: str
    comment: str
    reason: str
    marker: str
    made_at: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRow:
    """A row of what criteria are worth; points are fractions as text."""

    id: str
    assignment: str
    item: str
    criterion: str
    points: str
    instead_of: str
    marker: str
    made_at: str
    number: int = 0


STALE = "?"
"""The stamp of pages that nobody knows to be current."""
_OF = marks.c.submission == bindparam("of")
_ON = marks.c.item == bindparam("on")
_CHAIN = select(marks).where(_OF, _ON).order_by(marks.c.number)
_LAST = select(func.max(marks.c.number)).where(_OF, _ON)
_BY_NUMBER = select(marks).where(marks.c.number == bindparam("number"))
_ALL = select(marks).order_by(marks.c.number)
_WEIGHTS = select(weights_table).order_by(weights_table.c.number)
_LAST_WEIGHT = select(func.max(weights_table.c.number))
_LAST_MARKS = select(marks.c.submission, func.max(marks.c.number)).group_by(marks.c.submission)
_LAST_MARK_OF = select(func.max(marks.c.number)).where(_OF)
_LAST_MARKS_ON = select(marks.c.item, func.max(marks.c.number)).group_by(marks.c.item)
_LAST_MARK = select(func.max(marks.c.number))
_GRADED_BY = select(submissions.c.name, submissions.c.assignment, submissions.c.item_list).where(
    submissions.c.item_list.is_not(None)
)


def _currents(*conditions: Any) -> Select[Any]:
    """The mark that counts for each item of each submission: the last entry says which that is."""
    ends = select(func.max(marks.c.number)).where(*conditions)
    ends = ends.group_by(marks.c.submission, marks.c.item)
    last = marks.alias("last")
    counts = case((last.c.takes_back.is_(None), last.c.number), else_=last.c.restores)
    return (
        select(marks)
        .join(last, marks.c.number == counts)
        .where(last.c.number.in_(ends))
        .order_by(marks.c.number)
    )


_CURRENT = _currents()
_CURRENT_OF = _currents(_OF)
_CURRENT_ON = _currents(_ON)
_CURRENT_OF_ON = _currents(_OF, _ON)


def current(
    connection: Connection, *, submission: str | None = None, item: str | None = None
) -> list[Row]:
    """The marks that count, of all or of one submission, on all items or on one."""
    if submission is None:
        statement = _CURRENT if item is None else _CURRENT_ON
    else:
        statement = _CURRENT_OF if item is None else _CURRENT_OF_ON
    return _rows(connection, statement, of=submission, on=item)


def chain(connection: Connection, submission: str, item: str) -> list[Row]:
    """All entries on one item of one submission, oldest first."""
    return _rows(connection, _CHAIN, of=submission, on=item)


def every(connection: Connection) -> list[Row]:
    """The whole ledger, oldest first."""
    return _rows(connection, _ALL)


def numbered(connection: Connection, number: int) -> Row | None:
    """The entry of a number."""
    return next(iter(_rows(connection, _BY_NUMBER, number=number)), None)


def last(connection: Connection, submission: str, item: str) -> int:
    """The number of the last entry on one item of one submission; 0 where there is none."""
    found = connection.execute(_LAST, {"of": submission, "on": item}).scalar_one()
    return int(found or 0)


def append(connection: Connection, row: Row) -> int:
    """Write an entry; its number.

    Raises:
        IntegrityError: another entry follows the same one already.
    """
    values = {name: value for name, value in asdict(row).items() if name != "number"}
    key = connection.execute(insert(marks).values(**values)).inserted_primary_key
    return int(key[0]) if key else 0


def append_weight(connection: Connection, row: WeightRow) -> int:
    """Write what a criterion is worth from now on; the number of the row."""
    values = {name: value for name, value in asdict(row).items() if name != "number"}
    key = connection.execute(insert(weights_table).values(**values)).inserted_primary_key
    return int(key[0]) if key else 0


def weights(connection: Connection) -> list[WeightRow]:
    """All that was ever said of what criteria are worth, oldest first."""
    return [WeightRow(**row._mapping) for row in connection.execute(_WEIGHTS)]  # noqa: SLF001 (public, in spite of its name)


def keep_answer(connection: Connection, digest: str, document: bytes) -> None:
    """Remember an answer as it was marked, once."""
    if answer(connection, digest) is None:
        connection.execute(insert(marked_answers), {"digest": digest, "document": document})


def answer(connection: Connection, digest: str) -> bytes | None:
    """An answer as it was marked."""
    statement = select(marked_answers.c.document).where(marked_answers.c.digest == digest)
    return connection.execute(statement).scalar_one_or_none()


def answers(connection: Connection) -> Mapping[str, bytes]:
    """All answers as they were marked, by digest."""
    return {row.digest: row.document for row in connection.execute(select(marked_answers))}


def graded_by(connection: Connection) -> list[tuple[str, str, str]]:
    """Name, assignment and the digest of the items of each submission that has a score."""
    return [(row[0], row[1], row[2]) for row in connection.execute(_GRADED_BY)]


def lists(connection: Connection) -> Mapping[str, bytes]:
    """The documents of all lists of items, by digest."""
    return {row.digest: row.document for row in connection.execute(select(item_lists))}


def stamps(connection: Connection) -> Mapping[str, str]:
    """With which marks pages would be made now, by submission; only those that have marks."""
    weight = connection.execute(_LAST_WEIGHT).scalar_one() or 0
    return {name: f"{mark}.{weight}" for name, mark in connection.execute(_LAST_MARKS)}


def item_stamps(connection: Connection) -> Mapping[str, str]:
    """The same for as long as no mark on an item changes, by item; only those that have marks."""
    weight = connection.execute(_LAST_WEIGHT).scalar_one() or 0
    return {item: f"{mark}.{weight}" for item, mark in connection.execute(_LAST_MARKS_ON)}


def moment(connection: Connection) -> str:
    """How far the ledger is: the same for as long as nothing is added to it."""
    last_mark = connection.execute(_LAST_MARK).scalar_one() or 0
    return f"{last_mark}.{connection.execute(_LAST_WEIGHT).scalar_one() or 0}"


def stamp(connection: Connection, name: str) -> str:
    """With which marks the pages of one submission would be made now; '' without marks."""
    mark = connection.execute(_LAST_MARK_OF, {"of": name}).scalar_one()
    if mark is None:
        return ""
    return f"{mark}.{connection.execute(_LAST_WEIGHT).scalar_one() or 0}"


def pages(connection: Connection) -> Mapping[str, str]:
    """With which marks the pages were made, by submission."""
    return {row.name: row.stamp for row in connection.execute(select(rendered))}


def page(connection: Connection, name: str) -> str:
    """With which marks the pages of one submission were made; '' without marks."""
    found = connection.execute(select(rendered.c.stamp).where(rendered.c.name == name))
    return found.scalar_one_or_none() or ""


def replace_page(connection: Connection, name: str, *, stamp: str) -> None:
    """Say with which marks the pages of a submission were made."""
    connection.execute(delete(rendered).where(rendered.c.name == name))
    if stamp:
        connection.execute(insert(rendered), {"name": name, "stamp": stamp})


def settle_page(connection: Connection, name: str, *, seen: str, stamp: str) -> bool:
    """The same, if nobody else was at these pages since that was seen; else they are stale."""
    alone = page(connection, name) == seen
    if not alone or seen != stamp:
        replace_page(connection, name, stamp=stamp if alone else STALE)
    return alone


def _rows(connection: Connection, statement: Select[Any], **values: object) -> list[Row]:
    told = {name: value for name, value in values.items() if value is not None}
    found: Sequence[Any] = connection.execute(statement, told).all()
    return [Row(**row._mapping) for row in found]  # noqa: SLF001 (public, in spite of its name)


def newest(rows: Iterable[WeightRow]) -> Mapping[tuple[str, str, str], WeightRow]:
    """The last row of each, by assignment, item and criterion."""
    return {(row.assignment, row.item, row.criterion): row for row in rows}
