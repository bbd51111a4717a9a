"""Calibration: a few answers that all graders mark, each without seeing the others' points."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from grader.gradebook.ledger import NewMark
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import calibration_answers, calibration_marks


def choose_answers(book: Gradebook, item: str, names: Sequence[str]) -> None:
    """Choose the submissions whose answers every grader marks; delete marks on any others."""
    rows = [
        {"item": item, "submission": name, "place": position} for position, name in enumerate(names)
    ]
    with book.writing() as connection:
        connection.execute(delete(calibration_answers).where(calibration_answers.c.item == item))
        connection.execute(
            delete(calibration_marks).where(
                calibration_marks.c.item == item, calibration_marks.c.submission.not_in(list(names))
            )
        )
        if rows:
            connection.execute(insert(calibration_answers), rows)


def chosen_submissions(book: Gradebook, item: str) -> tuple[str, ...]:
    """Return the submissions whose answers every grader marks, in order."""
    statement = select(calibration_answers.c.submission).where(calibration_answers.c.item == item)
    with book.reading() as connection:
        return tuple(connection.execute(statement.order_by(calibration_answers.c.place)).scalars())


def save_calibration_mark(book: Gradebook, new_mark: NewMark) -> None:
    """Store what a grader would give; it replaces what they entered before."""
    key = {"item": new_mark.item, "submission": new_mark.submission, "by": new_mark.by}
    same_mark = (calibration_marks.c[name] == value for name, value in key.items())
    row = {
        **key,
        "answer_digest": new_mark.answer_digest,
        "criteria": new_mark.criteria,
        "adjustment": new_mark.adjustment,
        "comment": new_mark.comment,
    }
    with book.writing() as connection:
        connection.execute(delete(calibration_marks).where(*same_mark))
        connection.execute(insert(calibration_marks), row)


def load_calibration_marks(book: Gradebook, item: str) -> tuple[NewMark, ...]:
    """Return what each grader would give, by grader and submission; it counts for no student."""
    order = (calibration_marks.c.by, calibration_marks.c.submission)
    statement = select(calibration_marks).where(calibration_marks.c.item == item).order_by(*order)
    with book.reading() as connection:
        return tuple(NewMark(**row) for row in connection.execute(statement).mappings())
