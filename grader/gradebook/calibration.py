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
class Trial:
    """What one marker would give one answer; it counts for no student."""

    item: str
    submission: str
    by: str
    criteria: tuple[str, ...] = ()
    adjustment: Fraction = Fraction(0)
    comment: str = ""


def choose(book: Gradebook, item: str, names: Sequence[str]) -> None:
    """Say which answers to an item all are to mark; what was given to others on trial goes."""
    with book.writing() as connection:
        connection.execute(delete(trial_answers).where(trial_answers.c.item == item))
        gone = (trials.c.item == item, trials.c.submission.not_in(list(names)))
        connection.execute(delete(trials).where(*gone))
        rows = [{"item": item, "submission": n, "place": at} for at, n in enumerate(names)]
        if rows:
            connection.execute(insert(trial_answers), rows)


def chosen(book: Gradebook, item: str) -> tuple[str, ...]:
    """The submissions whose answers all are to mark, in order."""
    found = select(trial_answers.c.submission).where(trial_answers.c.item == item)
    with book.reading() as connection:
        return tuple(connection.execute(found.order_by(trial_answers.c.place)).scalars())


def try_out(book: Gradebook, trial: Trial) -> None:
    """Keep what a marker would give, in the place of what they said before."""
    same = (
        trials.c.item == trial.item,
        trials.c.submission == trial.submission,
        trials.c.marker == trial.by,
    )
    row = {
        "item": trial.item,
        "submission": trial.submission,
        "marker": trial.by,
        "criteria": json.dumps(trial.criteria),
        "adjustment": str(trial.adjustment),
        "comment": trial.comment,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with book.writing() as connection:
        connection.execute(delete(trials).where(*same))
        connection.execute(insert(trials), row)


def tried(book: Gradebook, item: str) -> tuple[Trial, ...]:
    """What all would give, by marker and submission in the order of their names."""
    found = select(trials).where(trials.c.item == item)
    with book.reading() as connection:
        rows = connection.execute(found.order_by(trials.c.marker, trials.c.submission)).all()
    return tuple(
        Trial(
            item=row.item,
            submission=row.submission,
            by=row.marker,
            criteria=tuple(json.loads(row.criteria)),
            adjustment=Fraction(row.adjustment),
            comment=row.comment,
        )
        for row in rows
    )
