"""Trials: a few answers that all mark, each without seeing the others, to agree on a measure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from sqlalchemy import delete, insert, select

from grader.gradebook.console_tables import trial_answers, trials
from grader.gradebook.store import Gradebook


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationMark:
    """What one marker would give one answer; it counts for no student."""

    item: str
    submission: str
    by: str
    criteria: tuple[str, ...] = ()
    adjustment: Fraction = Fraction(0)
    comment: str = ""


def choose_answers(book: Gradebook, item: str, names: Sequence[str]) -> None:
    """Say which answers to an item all are to mark; what was given to others on trial goes."""
    with book.writing() as connection:
        connection.execute(delete(trial_answers).where(trial_answers.c.item == item))
        dropped = (trials.c.item == item, trials.c.submission.not_in(list(names)))
        connection.execute(delete(trials).where(*dropped))
        rows = [
            {"item": item, "submission": name, "place": position}
            for position, name in enumerate(names)
        ]
        if rows:
            connection.execute(insert(trial_answers), rows)


def chosen_submissions(book: Gradebook, item: str) -> tuple[str, ...]:
    """The submissions whose answers all are to mark, in order."""
    statement = select(trial_answers.c.submission).where(trial_answers.c.item == item)
    with book.reading() as connection:
        return tuple(connection.execute(statement.order_by(trial_answers.c.place)).scalars())


def save_calibration_mark(book: Gradebook, calibration_mark: CalibrationMark) -> None:
    """Keep what a marker would give, in the place of what they said before."""
    same_mark = (
        trials.c.item == calibration_mark.item,
        trials.c.submission == calibration_mark.submission,
        trials.c.marker == calibration_mark.by,
    )
    row = {
        "item": calibration_mark.item,
        "submission": calibration_mark.submission,
        "marker": calibration_mark.by,
        "criteria": json.dumps(calibration_mark.criteria),
        "adjustment": str(calibration_mark.adjustment),
        "comment": calibration_mark.comment,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with book.writing() as connection:
        connection.execute(delete(trials).where(*same_mark))
        connection.execute(insert(trials), row)


def calibration_marks(book: Gradebook, item: str) -> tuple[CalibrationMark, ...]:
    """What all would give, by marker and submission in the order of their names."""
    statement = select(trials).where(trials.c.item == item)
    with book.reading() as connection:
        rows = connection.execute(statement.order_by(trials.c.marker, trials.c.submission)).all()
    return tuple(
        CalibrationMark(
            item=row.item,
            submission=row.submission,
            by=row.marker,
            criteria=tuple(json.loads(row.criteria)),
            adjustment=Fraction(row.adjustment),
            comment=row.comment,
        )
        for row in rows
    )
