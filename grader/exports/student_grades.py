"""Makes of each submission the grades of its students, as every export needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from grader.exports.export import ListedStudent
from grader.exports.number_format import to_number
from grader.model import Graded, Lateness, Student
from grader.scoring import ZERO_POINTS, final_points

NOBODY = Student(name="", id="")
"""The student of a submission that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentGrade:
    """One student's grade in one submission."""

    student: Student
    submission: str
    display_path: str
    """The path of the file below the folder of submissions."""
    submitted_at: str
    """When it was submitted, in ISO 8601; '' if unknown."""
    possible: Fraction | None
    """None where it is ungradable, as are the next three."""
    total: Fraction | None
    """The points before the late deduction; None while marks are pending."""
    provisional: Fraction | None
    """The points so far, less the late deduction as far as it is known."""
    final: Fraction | None
    """The points that count; None while marks are pending."""
    pending: Fraction
    lateness: Lateness | None
    reason: str
    """Why it could not be graded; '' where it could."""

    @property
    def label(self) -> str:
        """Name and id, or the submission's name where no student is named."""
        name, student_id = self.student.name, self.student.id
        if name and student_id:
            return f"{name} ({student_id})"
        return name or student_id or self.student.email or f"nobody, in {self.submission}"

    @property
    def why_not_final(self) -> str:
        """The reason why there is no final number, or ''."""
        if self.reason:
            return f"could not be graded: {self.reason}"
        if self.pending:
            return f"{to_number(self.pending)} points are ungraded"
        return "" if self.final is not None else "the late penalty is not known"


def list_student_grades(results: Iterable[Graded]) -> tuple[StudentGrade, ...]:
    """Return a grade per student of each submission, or a single one if no student is named."""
    return tuple(grade for graded in results for grade in _submission_grades(graded))


def _submission_grades(graded: Graded) -> Iterator[StudentGrade]:
    total = graded.score.total if graded.score else None
    team = graded.students or (NOBODY,)
    lateness = graded.lateness or (None,) * len(team)
    for student, student_lateness in zip(team, lateness, strict=True):
        deduction = student_lateness.deduction or ZERO_POINTS if student_lateness else ZERO_POINTS
        yield StudentGrade(
            student=student,
            submission=graded.submission.name,
            display_path=graded.submission.display_path,
            submitted_at=graded.submission.submitted_at,
            possible=total.possible if total else None,
            total=total.final if total else None,
            provisional=max(total.earned - deduction, ZERO_POINTS) if total else None,
            final=final_points(total, late=student_lateness) if total else None,
            pending=total.pending if total else ZERO_POINTS,
            lateness=student_lateness,
            reason="" if total else graded.reason or "no reason was recorded",
        )


def list_not_final(
    grades: Iterable[StudentGrade],
) -> tuple[tuple[ListedStudent, ...], tuple[ListedStudent, ...]]:
    """Return the students without a final grade: those with pending marks, and ungradable ones."""
    pending: list[ListedStudent] = []
    ungradable: list[ListedStudent] = []
    for grade in grades:
        if grade.why_not_final:
            listed = ListedStudent(label=grade.label, reason=grade.why_not_final)
            (ungradable if grade.reason else pending).append(listed)
    return tuple(pending), tuple(ungradable)


def two_decimals(points: Fraction) -> str:
    """Format points with two decimals, rounded half up: '26.50'."""
    return f"{to_number(points):.2f}"
