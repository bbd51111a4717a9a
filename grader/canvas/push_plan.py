"""Decides what would be sent to Canvas, and says why the rest is not; sends nothing itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from grader import timestamps
from grader.canvas.criteria import match_criteria
from grader.canvas.records import CanvasAssignment, CanvasSubmission, CanvasUser
from grader.errors import UsageError
from grader.exports.canvas_export import EXCUSED, SYSTEM, list_point_notes
from grader.exports.export import ListedStudent
from grader.exports.row_matching import LmsRow, match_rows, normalize_text
from grader.exports.student_grades import StudentGrade, list_student_grades, two_decimals
from grader.gradebook.pushes import PushedGrade
from grader.model import Graded, ItemScore, Rubric

POINTS_TYPES = frozenset({"points", "percent", "letter_grade"})
"""How Canvas may show an assignment's grades, so that it takes points for points."""
DIGEST_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedWork:
    """What is needed of a graded submission: little enough to hold a large class in memory."""

    grades: tuple[StudentGrade, ...]
    digest: str
    """Changes with what its report says of points."""
    item_points: Mapping[str, Fraction | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPush:
    """What one student would be sent."""

    user: int
    grade: StudentGrade
    old: float | None
    """The score on Canvas."""
    score: str
    """The score to send, with two decimals."""
    sends_score: bool
    report: str
    """The digest of the report to send; '' for none."""
    criterion_points: Mapping[str, str] = field(default_factory=dict)

    @property
    def report_name(self) -> str:
        """The name of the report's file, by which it is known again on Canvas."""
        return f"report-{self.report}.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """What would be sent, and who would be sent nothing, and why."""

    title: str
    """What Canvas calls the assignment."""
    sends: tuple[PlannedPush, ...]
    current: tuple[StudentGrade, ...]
    """Students whose score and report are on Canvas already."""
    pending: tuple[ListedStudent, ...]
    left_out: tuple[ListedStudent, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """What a person wants to be sent."""

    reports: bool = True
    replace: bool = False
    """Whether a score is sent where somebody has changed on Canvas what was sent before."""


def summarize_work(graded: Graded) -> GradedWork:
    """Return what is needed of a graded submission."""
    items = graded.score.items if graded.score else ()
    item_texts = [_told_of_item(item) for item in items]
    text = repr((item_texts, graded.lateness, graded.reason))
    return GradedWork(
        grades=list_student_grades([graded]),
        digest=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:DIGEST_LENGTH],
        item_points={item.item.id: item.earned for item in items},
    )


def _told_of_item(score: ItemScore) -> tuple[object, ...]:
    """Return what a report tells of an item's points."""
    mark = score.mark
    return (
        score.item.id,
        score.earned,
        [(f.code, f.verdict, f.earned, f.expected, f.found, f.hint) for f in score.findings],
        mark and (mark.points, mark.comment, mark.criteria, mark.reason),
    )


class PushPlanner:
    """Plans a push.

    Args:
        assignment: what Canvas says of the assignment.
        rubric: what was graded by.
        pushed: what was sent before, by user.
        options: what a person wants.

    Raises:
        UsageError: the assignment takes no points.
    """

    def __init__(
        self,
        assignment: CanvasAssignment,
        *,
        rubric: Rubric,
        pushed: Mapping[str, PushedGrade],
        options: PushOptions,
    ) -> None:
        if assignment.grading_type not in POINTS_TYPES:
            raise UsageError(
                f"{assignment.name}: its grades on Canvas are of the kind "
                f"{assignment.grading_type.replace('_', ' ')!r}, so no points can be sent; choose "
                "points in the assignment's settings"
            )
        self._assignment = assignment
        self._rubric = rubric
        self._pushed = pushed
        self._options = options
        self._criteria = match_criteria(assignment, rubric=rubric)

    def plan(
        self, works: Sequence[GradedWork], submissions: Sequence[CanvasSubmission]
    ) -> PushPlan:
        """Return what would be sent.

        Args:
            works: what was graded.
            submissions: what is on Canvas, with comments and users.
        """
        by_user = {submission.user_id: submission for submission in submissions}
        matches = match_rows(
            [grade for work in works for grade in work.grades],
            rows=[_row(submission) for submission in submissions],
            system=SYSTEM,
        )
        works_by_name = {work.grades[0].submission: work for work in works}
        uneven = self._uneven_groups(matches.by_index, by_user)
        sends, current = [], []
        pending: list[ListedStudent] = []
        left_out = list(matches.left_out)
        for user, grade in sorted(matches.by_index.items()):
            submission = by_user[user]
            refusal = next(self._refusals(grade, submission), "")
            refusal = refusal or uneven.get(submission.group_id, "")
            if refusal:
                left_out.append(ListedStudent(label=grade.label, reason=refusal))
            elif grade.final is None:
                pending.append(ListedStudent(label=grade.label, reason=grade.why_not_final))
            else:
                work = works_by_name[grade.submission]
                push = self._push(grade, work, submission, two_decimals(grade.final))
                if push.sends_score or push.report:
                    sends.append(push)
                else:
                    current.append(grade)
        return PushPlan(
            title=self._assignment.name,
            sends=tuple(sends),
            current=tuple(current),
            pending=tuple(pending),
            left_out=tuple(left_out),
            notes=tuple(self._notes([by_user[row.index] for row in matches.unmatched_rows])),
        )

    def _refusals(self, grade: StudentGrade, submission: CanvasSubmission) -> Iterator[str]:
        """Yield the reasons why a student must be sent nothing."""
        if grade.reason:
            yield grade.why_not_final
        if submission.excused:
            yield EXCUSED
        if not grade.submitted_at:
            yield "when it was submitted is not known, so that a later attempt could be missed"
        if _moment(submission.submitted_at) != _moment(grade.submitted_at):
            yield (
                f"submitted again since it was graded ({submission.submitted_at or 'withdrawn'}, "
                f"graded: {grade.submitted_at}): fetch and grade again"
            )
        pushed = self._pushed.get(str(submission.user_id))
        shown = shown_score(submission)
        if pushed and pushed.shown not in {"", shown} and not self._options.replace:
            yield (
                f"somebody changed it on Canvas, from {pushed.shown} to {shown or 'nothing'}; "
                "--replace sends ours all the same"
            )

    def _uneven_groups(
        self, grades: Mapping[int, StudentGrade], by_user: Mapping[int, CanvasSubmission]
    ) -> Mapping[int | None, str]:
        """Return the groups whose members would get different scores, though Canvas has one."""
        if not self._assignment.is_graded_by_group:
            return {}
        finals: dict[int, set[Fraction | None]] = {}
        for user, grade in grades.items():
            group = by_user[user].group_id
            if group is not None:
                finals.setdefault(group, set()).add(grade.final)
        return {
            group: "Canvas has one grade for the group, and its members' differ; assign grades to "
            "each student individually there"
            for group, scores in finals.items()
            if len(scores) > 1
        }

    def _push(
        self, grade: StudentGrade, work: GradedWork, submission: CanvasSubmission, score: str
    ) -> PlannedPush:
        pushed = self._pushed.get(str(submission.user_id))
        # What Canvas's own late policy makes of a score is no reason to send it again.
        is_current = shown_score(submission) == score or (
            pushed is not None and pushed.score == score and pushed.shown == shown_score(submission)
        )
        has_report = (pushed is not None and pushed.report == work.digest) or any(
            work.digest in attachment.label
            for comment in submission.submission_comments
            for attachment in comment.attachments
        )
        return PlannedPush(
            user=submission.user_id,
            grade=grade,
            old=submission.score,
            score=score,
            sends_score=not is_current,
            report=work.digest if self._options.reports and not has_report else "",
            criterion_points={} if is_current else self._criterion_points(work, score=score),
        )

    def _criterion_points(self, work: GradedWork, *, score: str) -> Mapping[str, str]:
        """Return the points of Canvas's criteria; none where their sum would replace the score."""
        points = {
            criterion: two_decimals(work.item_points.get(item) or Fraction(0))
            for item, criterion in self._criteria.by_item.items()
        }
        differs = sum(map(Fraction, points.values())) != Fraction(score)
        return {} if differs and self._assignment.use_rubric_for_grading else points

    def _notes(self, unmatched: Iterable[CanvasSubmission]) -> Iterator[str]:
        possible = self._assignment.points_possible
        if possible is not None:
            yield from list_point_notes(possible, shown=f"{possible:g}", rubric=self._rubric)
        if self._criteria.note:
            yield self._criteria.note
        submitters = [_user(submission) for submission in unmatched if submission.submitted_at]
        if submitters:
            names = "; ".join(user.name or str(user.id) for user in submitters)
            yield f"Handed in on Canvas, but not among the graded ({len(submitters)}): {names}"


def _user(submission: CanvasSubmission) -> CanvasUser:
    return submission.user or CanvasUser(id=submission.user_id)


def _row(submission: CanvasSubmission) -> LmsRow:
    user = _user(submission)
    ids = (user.sis_user_id, user.login_id, user.email)
    return LmsRow(
        index=submission.user_id,
        name=user.name,
        lms_id=str(submission.user_id),
        ids=frozenset(normalize_text(text) for text in ids if text),
    )


def _moment(text: str | None) -> datetime | None:
    try:
        return timestamps.parse_due(text) if text else None
    except ValueError:
        return None


def shown_score(submission: CanvasSubmission) -> str:
    """Return the score on Canvas with two decimals, or ''."""
    return "" if submission.score is None else two_decimals(Fraction(str(submission.score)))
