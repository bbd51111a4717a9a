"""SQL statements for the ledger, whose rows are appended and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
)

from grader.gradebook.mark_points import Weight
from grader.gradebook.tables import marked_answers, marks, rendered, weights
from grader.model import Mark

STALE = "?"
"""The revision of pages that nobody knows to be current."""

# Built once: building a statement takes longer than SQLite takes to run it.
_OF_SUBMISSION = marks.c.submission == bindparam("of")
_ON_ITEM = marks.c.item == bindparam("on")
_HISTORY = select(marks).where(_OF_SUBMISSION, _ON_ITEM).order_by(marks.c.number)
_BY_NUMBER = select(marks).where(marks.c.number == bindparam("number"))
_ALL = select(marks).order_by(marks.c.number)
_LAST_NUMBER = select(func.max(marks.c.number))
_LAST_WEIGHT = select(func.max(weights.c.number))


def _select_current(*conditions: Any) -> Select[Any]:
    """Select the mark that counts for each item of each submission; the last row says which."""
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
    (True, False): _select_current(_OF_SUBMISSION),
    (False, True): _select_current(_ON_ITEM),
    (True, True): _select_current(_OF_SUBMISSION, _ON_ITEM),
}
"""By whether it is asked of one submission, and of one item."""


def load_current_marks(
    connection: Connection, *, submission: str | None = None, item: str | None = None
) -> list[Mark]:
    """Return the marks that count, of all or of one submission, on all items or on one."""
    statement = _CURRENT[submission is not None, item is not None]
    return _load_marks(connection, statement, of=submission, on=item)


def load_history(connection: Connection, submission: str, item: str) -> list[Mark]:
    """Return all rows on one item of one submission, oldest first."""
    return _load_marks(connection, _HISTORY, of=submission, on=item)


def load_all_marks(connection: Connection) -> list[Mark]:
    """Return the whole ledger, oldest first."""
    return _load_marks(connection, _ALL)


def load_mark(connection: Connection, number: int) -> Mark | None:
    """Return the row of a number."""
    return next(iter(_load_marks(connection, _BY_NUMBER, number=number)), None)


def last_number(connection: Connection, submission: str, item: str) -> int:
    """Return the number of the last ledger row on an item of a submission."""
    statement = _LAST_NUMBER.where(_OF_SUBMISSION, _ON_ITEM)
    return int(connection.execute(statement, {"of": submission, "on": item}).scalar_one() or 0)


def append_mark(connection: Connection, mark: Mark) -> int:
    """Add a row to the ledger and return its number.

    Raises:
        IntegrityError: another row follows the same one already.
    """
    return _append(connection, marks, mark)


def append_weight(connection: Connection, weight: Weight) -> int:
    """Append a weight and return its row number."""
    return _append(connection, weights, weight)


def load_weights(connection: Connection) -> list[Weight]:
    """Return all weights, oldest first."""
    rows = connection.execute(select(weights).order_by(weights.c.number)).mappings()
    return [Weight(**row) for row in rows]


def save_answer(connection: Connection, digest: str, document: bytes) -> None:
    """Store the encoded bytes of a marked answer, unless they are stored already."""
    if load_answer(connection, digest) is None:
        connection.execute(insert(marked_answers), {"digest": digest, "document": document})


def load_answer(connection: Connection, digest: str) -> bytes | None:
    """Return the document of an answer as it was marked."""
    statement = select(marked_answers.c.document).where(marked_answers.c.digest == digest)
    return connection.execute(statement).scalar_one_or_none()


def load_answers(connection: Connection) -> Mapping[str, bytes]:
    """Return the documents of all answers as they were marked, by digest."""
    return {row.digest: row.document for row in connection.execute(select(marked_answers))}


# ---------------------------------------------------------------- revisions


def ledger_revision(connection: Connection) -> str:
    """Return a text that stays the same for as long as nothing is added to the ledger."""
    return f"{connection.execute(_LAST_NUMBER).scalar_one() or 0}.{_last_weight(connection)}"


def submission_revision(connection: Connection, name: str) -> str:
    """Return the revision of the marks on one submission; '' without marks."""
    number = connection.execute(_LAST_NUMBER.where(_OF_SUBMISSION), {"of": name}).scalar_one()
    return "" if number is None else f"{number}.{_last_weight(connection)}"


def submission_revisions(connection: Connection) -> Mapping[str, str]:
    """Return the revision of the marks on each submission that has any."""
    return _revisions_by(connection, marks.c.submission)


def item_revisions(connection: Connection) -> Mapping[str, str]:
    """Return the revision of the marks on each item that has any."""
    return _revisions_by(connection, marks.c.item)


def _revisions_by(connection: Connection, column: Column[Any]) -> Mapping[str, str]:
    weight = _last_weight(connection)
    rows = connection.execute(select(column, func.max(marks.c.number)).group_by(column)).all()
    return {key: f"{number}.{weight}" for key, number in rows}


def _last_weight(connection: Connection) -> int:
    """Return the number of the last weight: it changes points as the last mark does."""
    return int(connection.execute(_LAST_WEIGHT).scalar_one() or 0)


def rendered_revisions(connection: Connection) -> Mapping[str, str]:
    """Return the revision that the pages of each submission show."""
    return {row.name: row.revision for row in connection.execute(select(rendered))}


def rendered_revision(connection: Connection, name: str) -> str:
    """Return the revision that the pages of one submission show; '' without marks."""
    result = connection.execute(select(rendered.c.revision).where(rendered.c.name == name))
    return result.scalar_one_or_none() or ""


def set_rendered_revision(connection: Connection, name: str, *, revision: str) -> None:
    """Store the revision that the pages of a submission show."""
    connection.execute(delete(rendered).where(rendered.c.name == name))
    if revision:
        connection.execute(insert(rendered), {"name": name, "revision": revision})


def finish_rendering(connection: Connection, name: str, *, expected: str, revision: str) -> bool:
    """Store the revision that pages show now, or that they are stale if another wrote them, too.

    Args:
        connection: a transaction that writes.
        name: the submission.
        expected: the revision that was stored when rendering began.
        revision: the revision that was rendered.

    Returns:
        Whether nobody else rendered these pages meanwhile.
    """
    unchanged = rendered_revision(connection, name) == expected
    if not unchanged or expected != revision:
        set_rendered_revision(connection, name, revision=revision if unchanged else STALE)
    return unchanged


def _append(connection: Connection, table: Table, record: Mark | Weight) -> int:
    values = {name: value for name, value in asdict(record).items() if name != "number"}
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    return int(key[0]) if key else 0


def _load_marks(connection: Connection, statement: Select[Any], **values: object) -> list[Mark]:
    bindings = {name: value for name, value in values.items() if value is not None}
    return [Mark(**row) for row in connection.execute(statement, bindings).mappings()]
