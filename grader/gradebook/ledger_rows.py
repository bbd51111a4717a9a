"""The statements on the ledger: rows are added to it, and nothing that was written ever changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, delete, func, insert, select

from grader.gradebook.tables import item_lists, marked_answers, marks, rendered, submissions
from grader.gradebook.tables import weights as weights_table


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
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
_OF_SUBMISSION = marks.c.submission == bindparam("of")
_ON_ITEM = marks.c.item == bindparam("on")
_HISTORY = select(marks).where(_OF_SUBMISSION, _ON_ITEM).order_by(marks.c.number)
_LAST_NUMBER = select(func.max(marks.c.number)).where(_OF_SUBMISSION, _ON_ITEM)
_BY_NUMBER = select(marks).where(marks.c.number == bindparam("number"))
_ALL = select(marks).order_by(marks.c.number)
_WEIGHTS = select(weights_table).order_by(weights_table.c.number)
_LAST_WEIGHT = select(func.max(weights_table.c.number))
_LAST_MARKS = select(marks.c.submission, func.max(marks.c.number)).group_by(marks.c.submission)
_LAST_MARK_OF = select(func.max(marks.c.number)).where(_OF_SUBMISSION)
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
_CURRENT_OF = _currents(_OF_SUBMISSION)
_CURRENT_ON = _currents(_ON_ITEM)
_CURRENT_OF_ON = _currents(_OF_SUBMISSION, _ON_ITEM)


def current_rows(
    connection: Connection, *, submission: str | None = None, item: str | None = None
) -> list[LedgerRow]:
    """The marks that count, of all or of one submission, on all items or on one."""
    if submission is None:
        statement = _CURRENT if item is None else _CURRENT_ON
    else:
        statement = _CURRENT_OF if item is None else _CURRENT_OF_ON
    return _read_rows(connection, statement, of=submission, on=item)


def item_history(connection: Connection, submission: str, item: str) -> list[LedgerRow]:
    """All entries on one item of one submission, oldest first."""
    return _read_rows(connection, _HISTORY, of=submission, on=item)


def all_rows(connection: Connection) -> list[LedgerRow]:
    """The whole ledger, oldest first."""
    return _read_rows(connection, _ALL)


def row_by_number(connection: Connection, number: int) -> LedgerRow | None:
    """The entry of a number."""
    return next(iter(_read_rows(connection, _BY_NUMBER, number=number)), None)


def last_number(connection: Connection, submission: str, item: str) -> int:
    """The number of the last entry on one item of one submission; 0 where there is none."""
    number = connection.execute(_LAST_NUMBER, {"of": submission, "on": item}).scalar_one()
    return int(number or 0)


def append_row(connection: Connection, row: LedgerRow) -> int:
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


def weight_rows(connection: Connection) -> list[WeightRow]:
    """All that was ever said of what criteria are worth, oldest first."""
    return [WeightRow(**row._mapping) for row in connection.execute(_WEIGHTS)]  # noqa: SLF001 (public, in spite of its name)


def save_answer(connection: Connection, digest: str, document: bytes) -> None:
    """Remember an answer as it was marked, once."""
    if answer_document(connection, digest) is None:
        connection.execute(insert(marked_answers), {"digest": digest, "document": document})


def answer_document(connection: Connection, digest: str) -> bytes | None:
    """An answer as it was marked."""
    statement = select(marked_answers.c.document).where(marked_answers.c.digest == digest)
    return connection.execute(statement).scalar_one_or_none()


def answer_documents(connection: Connection) -> Mapping[str, bytes]:
    """All answers as they were marked, by digest."""
    return {row.digest: row.document for row in connection.execute(select(marked_answers))}


def graded_item_lists(connection: Connection) -> list[tuple[str, str, str]]:
    """Name, assignment and the digest of the items of each submission that has a score."""
    return [(row[0], row[1], row[2]) for row in connection.execute(_GRADED_BY)]


def item_list_documents(connection: Connection) -> Mapping[str, bytes]:
    """The documents of all lists of items, by digest."""
    return {row.digest: row.document for row in connection.execute(select(item_lists))}


def mark_revisions(connection: Connection) -> Mapping[str, str]:
    """With which marks pages would be made now, by submission; only those that have marks."""
    weight = connection.execute(_LAST_WEIGHT).scalar_one() or 0
    return {name: f"{last_mark}.{weight}" for name, last_mark in connection.execute(_LAST_MARKS)}


def item_revisions(connection: Connection) -> Mapping[str, str]:
    """The same for as long as no mark on an item changes, by item; only those that have marks."""
    weight = connection.execute(_LAST_WEIGHT).scalar_one() or 0
    return {item: f"{last_mark}.{weight}" for item, last_mark in connection.execute(_LAST_MARKS_ON)}


def ledger_revision(connection: Connection) -> str:
    """How far the ledger is: the same for as long as nothing is added to it."""
    last_mark = connection.execute(_LAST_MARK).scalar_one() or 0
    return f"{last_mark}.{connection.execute(_LAST_WEIGHT).scalar_one() or 0}"


def mark_revision(connection: Connection, name: str) -> str:
    """With which marks the pages of one submission would be made now; '' without marks."""
    last_mark = connection.execute(_LAST_MARK_OF, {"of": name}).scalar_one()
    if last_mark is None:
        return ""
    return f"{last_mark}.{connection.execute(_LAST_WEIGHT).scalar_one() or 0}"


def rendered_revisions(connection: Connection) -> Mapping[str, str]:
    """With which marks the pages were made, by submission."""
    return {row.name: row.stamp for row in connection.execute(select(rendered))}


def rendered_revision(connection: Connection, name: str) -> str:
    """With which marks the pages of one submission were made; '' without marks."""
    result = connection.execute(select(rendered.c.stamp).where(rendered.c.name == name))
    return result.scalar_one_or_none() or ""


def set_rendered_revision(connection: Connection, name: str, *, revision: str) -> None:
    """Say with which marks the pages of a submission were made."""
    connection.execute(delete(rendered).where(rendered.c.name == name))
    if revision:
        connection.execute(insert(rendered), {"name": name, "stamp": revision})


def finish_rendering(connection: Connection, name: str, *, expected: str, revision: str) -> bool:
    """The same, if nobody else was at these pages since that was seen; else they are stale."""
    unchanged = rendered_revision(connection, name) == expected
    if not unchanged or expected != revision:
        set_rendered_revision(connection, name, revision=revision if unchanged else STALE)
    return unchanged


def _read_rows(connection: Connection, statement: Select[Any], **values: object) -> list[LedgerRow]:
    bindings = {name: value for name, value in values.items() if value is not None}
    result: Sequence[Any] = connection.execute(statement, bindings).all()
    return [LedgerRow(**row._mapping) for row in result]  # noqa: SLF001 (public, in spite of its name)


def newest_weights(rows: Iterable[WeightRow]) -> Mapping[tuple[str, str, str], WeightRow]:
    """The last row of each, by assignment, item and criterion."""
    return {(row.assignment, row.item, row.criterion): row for row in rows}
