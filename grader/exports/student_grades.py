"""What each student has, as everyone who wants a file needs to know it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from grader.exports.number_format import rounded
from grader.model import Graded, Lateness, Student
from grader.scoring import NOTHING, final

NOBODY = Student(name="", id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One student in one submission."""

    student: Student
    submission: str
    shown: str
    """The file, as the instructor knows it."""
    at: str
    """When it was handed in, in ISO 8601; '' where nobody said."""
    possible: Fraction | None
    """None where it is ungradable, as are the next three."""
    total: Fraction | None
    """The sum before anything is taken off for lateness; None while something waits."""
    so_far: Fraction | None
    """What is earned up to now, less what lateness takes as far as that is known."""
    final: Fraction | None
    """What counts; None while something waits."""
    pending: Fraction
    late: Lateness | None
    reason: str
    """Why it could not be graded; '' where it could."""

    @property
    def who(self) -> str:
        """The student in a line of a list: name and id, or the submission where it names nobody."""
        name, number = self.student.name, self.student.id
        if name and number:
            return f"{name} ({number})"
        return name or number or self.student.email or f"nobody, in {self.submission}"

    @property
    def waits(self) -> str:
        """Why there is no final number, in words; '' where there is one."""
        if self.reason:
            return f"could not be graded: {self.reason}"
        if self.pending:
            return f"{rounded(self.pending)} points wait for marks"
        return "" if self.final is not None else "what lateness takes off isn't known"


def standings(results: Iterable[Graded]) -> tuple[Standing, ...]:
    """Every student of every submission: a team of two gives two, one without names gives one."""
    return tuple(standing for graded in results for standing in _of(graded))


def _of(graded: Graded) -> Iterator[Standing]:
    total = graded.score.total if graded.score else None
    team = graded.students or (NOBODY,)
    lateness = graded.lateness or (None,) * len(team)
    for student, late in zip(team, lateness, strict=True):
        known = late.deduction or NOTHING if late else NOTHING
        yield Standing(
            student=student,
            submission=graded.submission.name,
            shown=graded.submission.shown,
            at=graded.submission.at,
            possible=total.possible if total else None,
            total=total.final if total else None,
            so_far=max(total.earned - known, NOTHING) if total else None,
            final=final(total, late=late) if total else None,
            pending=total.pending if total else NOTHING,
            late=late,
            reason="" if total else graded.reason or "no reason was recorded",
        )


def two_decimals(points: Fraction) -> str:
    """Points with two decimals and a point, half up, without separators: '26.50'."""
    return f"{rounded(points):.2f}"
