"""What was sent to learning management systems, so that nothing is sent twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select

from grader import timestamps
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import lms_sources, pushes
from grader.submissions.fetch_manifest import CanvasSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedGrade:
    """What one student was sent last."""

    who: str
    """The system's own id of the student."""
    submission: str
    score: str
    """With two decimals; '' where only a report was sent."""
    report: str = ""
    """The digest of the report that the student has; '' for none."""
    shown: str = ""
    """What the system had afterwards; '' where nobody has looked yet."""
    progress: str = ""
    """The number of the write, as long as nobody has seen its end."""


def save_source(book: Gradebook, assignment: str, *, source: CanvasSource) -> None:
    """Remember where the submissions of an assignment were fetched from."""
    row = {"assignment": assignment, "document": source.model_dump_json()}
    with book.writing() as connection:
        connection.execute(delete(lms_sources).where(lms_sources.c.assignment == assignment))
        connection.execute(insert(lms_sources), row)


def load_source(book: Gradebook, assignment: str) -> CanvasSource | None:
    """Return where the submissions of an assignment were fetched from; None if by hand."""
    statement = select(lms_sources.c.document).where(lms_sources.c.assignment == assignment)
    with book.reading() as connection:
        document = connection.execute(statement).scalar_one_or_none()
    return None if document is None else CanvasSource.model_validate_json(document)


def load_pushes(book: Gradebook, assignment: str, *, target: str) -> Mapping[str, PushedGrade]:
    """Return what each student was sent last, by the system's id of the student."""
    statement = select(pushes).where(pushes.c.assignment == assignment, pushes.c.target == target)
    with book.reading() as connection:
        rows = connection.execute(statement).all()
    return {
        row.who: PushedGrade(
            who=row.who,
            submission=row.submission,
            score=row.score,
            report=row.report,
            shown=row.shown,
            progress=row.progress,
        )
        for row in rows
    }


def save_pushes(
    book: Gradebook,
    assignment: str,
    *,
    target: str,
    sent: Sequence[PushedGrade],
    withdrawn: Iterable[str] = (),
) -> None:
    """Replace what these students were sent last, and forget it of others, in one transaction.

    Args:
        book: the gradebook.
        assignment: the rubric's id.
        target: where it was sent.
        sent: what was sent.
        withdrawn: ids of students who turned out to have been sent nothing.
    """
    common = {"assignment": assignment, "target": target, "at": timestamps.now_text()}
    replaced = [*(push.who for push in sent), *withdrawn]
    with book.writing() as connection:
        for who in replaced:
            connection.execute(
                delete(pushes).where(
                    pushes.c.assignment == assignment,
                    pushes.c.target == target,
                    pushes.c.who == who,
                )
            )
        if sent:
            connection.execute(insert(pushes), [common | asdict(push) for push in sent])
