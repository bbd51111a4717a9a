"""SQL statements for the ledger, whose rows are appended and never changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, case, func, insert, select

from grader.gradebook.criterion_edits import CriterionEdit
from grader.gradebook.tables import criterion_edits, marked_answers, marks
from grader.model import Mark

# Built once: building a statement takes longer than SQLite takes to run it.
_SAME_SUBMISSION = marks.c.submission == bindparam("submission")
_SAME_ITEM = marks.c.item == bindparam("item")
_HISTORY = select(marks).where(_SAME_SUBMISSION, _SAME_ITEM).order_by(marks.c.number)
_BY_NUMBER = select(marks).where(marks.c.number == bindparam("number"))
_ALL = select(marks).order_by(marks.c.number)
_LAST_NUMBER = select(func.max(marks.c.number)).where(_SAME_SUBMISSION, _SAME_ITEM)


def _select_current(*conditions: Any) -> Select[Any]:
    """Select the current mark on each item of each submission; its last row says which that is."""
    last_numbers = select(func.max(marks.c.number)).where(*conditions)
    last_numbers = last_numbers.group_by(marks.c.submission, marks.c.item)
    last = marks.alias("last")
    current = case((last.c.takes_back.is_(None), last.c.number), else_=last.c.restores)
    return (
        select(marks)
        .join(last, marks.c.number == current)
        .where(last.c.number.in_(last_numbers))
        .order_by(marks.c.number)
    )


_CURRENT = {
    (False, False): _select_current(),
    (True, False): _select_current(_SAME_SUBMISSION),
    (False, True): _select_current(_SAME_ITEM),
    (True, True): _select_current(_SAME_SUBMISSION, _SAME_ITEM),
}
"""Keyed by (for one submission only, for one item only)."""


def load_current_marks(
    connection: Connection, *, submission: str | None = None, item: str | None = None
) -> list[Mark]:
    """Return the current marks, optionally for one submission or one item only."""
    statement = _CURRENT[submission is not None, item is not None]
    return _load_marks(connection, statement, submission=submission, item=item)


def load_history(connection: Connection, submission: str, item: str) -> list[Mark]:
    """Return all rows on one item of one submission, oldest first."""
    return _load_marks(connection, _HISTORY, submission=submission, item=item)


def load_all_marks(connection: Connection) -> list[Mark]:
    """Return the whole ledger, oldest first."""
    return _load_marks(connection, _ALL)


def load_mark(connection: Connection, number: int) -> Mark | None:
    """Return the ledger row with this number, or None."""
    return next(iter(_load_marks(connection, _BY_NUMBER, number=number)), None)


def last_number(connection: Connection, submission: str, item: str) -> int:
    """Return the number of the last ledger row on an item of a submission; 0 without one."""
    bindings = {"submission": submission, "item": item}
    return int(connection.execute(_LAST_NUMBER, bindings).scalar_one() or 0)


def append_mark(connection: Connection, mark: Mark) -> int:
    """Add a row to the ledger and return its number.

    Raises:
        IntegrityError: another row follows the same one already.
    """
    return _append(connection, marks, mark)


def append_criterion_edit(connection: Connection, edit: CriterionEdit) -> int:
    """Append an edit of a criterion and return its row number.

    Raises:
        IntegrityError: another edit of the item follows the same one already.
    """
    return _append(connection, criterion_edits, edit)


def load_criterion_edits(connection: Connection) -> list[CriterionEdit]:
    """Return all edits of criteria, oldest first."""
    statement = select(criterion_edits).order_by(criterion_edits.c.number)
    return [CriterionEdit(**row) for row in connection.execute(statement).mappings()]


def save_answer(connection: Connection, digest: str, document: bytes) -> None:
    """Store the encoded bytes of a marked answer, unless they are stored already."""
    if load_answer(connection, digest) is None:
        connection.execute(insert(marked_answers), {"digest": digest, "document": document})


def load_answer(connection: Connection, digest: str) -> bytes | None:
    """Return the encoded bytes of an answer as it was when it was marked, or None."""
    statement = select(marked_answers.c.document).where(marked_answers.c.digest == digest)
    return connection.execute(statement).scalar_one_or_none()


def _append(connection: Connection, table: Table, record: Mark | CriterionEdit) -> int:
    values = {name: value for name, value in asdict(record).items() if name != "number"}
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    return int(key[0]) if key else 0


def _load_marks(connection: Connection, statement: Select[Any], **values: object) -> list[Mark]:
    bindings = {name: value for name, value in values.items() if value is not None}
    return [Mark(**row) for row in connection.execute(statement, bindings).mappings()]
