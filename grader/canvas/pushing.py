"""Sends grades and reports to Canvas, looks at what it made of them, and remembers it.

A write is asked for, and done by Canvas later; it says nothing of a student for whom it failed.
So each is remembered before anybody waits for it, and all are read back at the end. A push that
was killed begins by waiting for the writes it had asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from grader.canvas.course import RemoteAssignment
from grader.canvas.push_plan import (
    GradedWork,
    PlannedPush,
    PushOptions,
    PushPlan,
    PushPlanner,
    shown_score,
    summarize_work,
)
from grader.canvas.records import CanvasSubmission
from grader.errors import UsageError
from grader.exports import Grades
from grader.exports.export import ListedStudent
from grader.exports.number_format import to_number
from grader.exports.student_grades import two_decimals
from grader.gradebook import Gradebook
from grader.gradebook.pushes import PushedGrade, load_pushes, save_pushes
from grader.model import Rubric

PER_WRITE = 20
"""Students in one write: so many reports are uploaded again if it is interrupted."""
MAX_PROGRESS_S = 600.0
LONGEST_POLL_S = 5.0
DONE_STATES = frozenset({"completed", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What Canvas has after a push."""

    scores: int
    reports: int
    refused: tuple[ListedStudent, ...]
    """Students for whom Canvas has something else than what was sent."""


class GradePusher:
    """Pushes the grades of one gradebook to one assignment.

    Args:
        remote: the assignment on Canvas.
        book: remembers what was sent.
        grades: the grades.
        sleep: waits for seconds.
        on_student: is called before each student's report, with its number and the number of all.
    """

    def __init__(
        self,
        remote: RemoteAssignment,
        *,
        book: Gradebook,
        grades: Grades,
        sleep: Callable[[float], None] = time.sleep,
        on_student: Callable[[int, int], None] = lambda _number, _count: None,
    ) -> None:
        self._remote = remote
        self._book = book
        self._rubric: Rubric = grades.rubric
        self._render = grades.render_report
        self._works: Sequence[GradedWork] = [summarize_work(graded) for graded in grades.results]
        self._sleep = sleep
        self._on_student = on_student
        self._target = remote.source.address

    def plan(self, options: PushOptions) -> PushPlan:
        """Return what would be sent; wait first for what was asked for before.

        Raises:
            UsageError: Canvas refuses, or the assignment takes no points.
        """
        pushed = self._pushed()
        waiting = {who: push for who, push in pushed.items() if push.progress}
        for progress in sorted({push.progress for push in waiting.values()}):
            self._wait_for(int(progress))
        assignment = self._remote.details()
        submissions = self._remote.submissions("submission_comments")
        if waiting:
            self._compare(waiting, submissions, reported=waiting.keys())
        planner = PushPlanner(
            assignment, rubric=self._rubric, pushed=self._pushed(), options=options
        )
        return planner.plan(self._works, submissions)

    def send(self, push_plan: PushPlan) -> PushResult:
        """Send what was planned, and read it back.

        Raises:
            UsageError: Canvas refuses; what it took before is remembered.
        """
        sends = push_plan.sends
        for start in range(0, len(sends), PER_WRITE):
            self._send_some(sends[start : start + PER_WRITE], start=start, count=len(sends))
        labels = {str(push.user): push.grade.label for push in sends}
        submissions = self._remote.submissions("submission_comments", "rubric_assessment")
        refused = self._compare(
            {who: push for who, push in self._pushed().items() if who in labels},
            submissions,
            reported={str(push.user) for push in sends if push.report},
        )
        refused = {**dict(_unfilled_rubrics(sends, submissions)), **refused}
        return PushResult(
            scores=sum(push.sends_score for push in sends if str(push.user) not in refused),
            reports=sum(bool(push.report) for push in sends if str(push.user) not in refused),
            refused=tuple(
                ListedStudent(label=labels[who], reason=reason) for who, reason in refused.items()
            ),
        )

    def _pushed(self) -> Mapping[str, PushedGrade]:
        return load_pushes(self._book, self._rubric.id, target=self._target)

    def _send_some(self, sends: Sequence[PlannedPush], *, start: int, count: int) -> None:
        """Upload the reports of some students, ask for one write, remember it, wait for it."""
        grade_data: dict[int, Mapping[str, Any]] = {}
        for number, push in enumerate(sends, start=start + 1):
            self._on_student(number, count)
            grade_data[push.user] = dict(self._fields(push))
        progress = self._remote.update_grades(grade_data)
        before = self._pushed()
        asked = [_remembered(push, before.get(str(push.user))) for push in sends]
        waiting = [replace(push, progress=str(progress.id)) for push in asked]
        save_pushes(self._book, self._rubric.id, target=self._target, sent=waiting)
        self._wait_for(progress.id)

    def _fields(self, push: PlannedPush) -> Iterator[tuple[str, Any]]:
        """Yield what a write says of a student; the report is uploaded for it."""
        if push.sends_score:
            yield "posted_grade", push.score
        if push.criterion_points:
            points = push.criterion_points.items()
            yield "rubric_assessment", {key: {"points": value} for key, value in points}
        if push.report:
            page = self._render(self._book.graded(push.grade.submission)).encode()
            file_id = self._remote.upload_comment_file(push.user, name=push.report_name, data=page)
            yield "file_ids", [file_id]
            yield "text_comment", self._comment(push)

    def _comment(self, push: PlannedPush) -> str:
        possible = to_number(self._rubric.total)
        return (
            f"{self._rubric.title}: {push.score} of {possible} points. The attached report says "
            "what each question earned: save it, and open it in a browser."
        )

    def _wait_for(self, number: int) -> None:
        """Wait for the end of a write, whatever it is: reading back tells what was done.

        Raises:
            UsageError: It does not end.
        """
        waited_s, pause_s = 0.0, 0.5
        while self._remote.progress(number).workflow_state not in DONE_STATES:
            if waited_s > MAX_PROGRESS_S:
                raise UsageError(
                    "Canvas has not done yet what it was asked to; run the same command again later"
                )
            self._sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 2, LONGEST_POLL_S)

    def _compare(
        self,
        pushed: Mapping[str, PushedGrade],
        submissions: Sequence[CanvasSubmission],
        *,
        reported: Collection[str],
    ) -> Mapping[str, str]:
        """Compare what was sent with what Canvas has, and remember that; return what differs.

        Args:
            pushed: what was sent, by user.
            submissions: what Canvas has.
            reported: users who were sent a report, too.
        """
        by_user = {str(submission.user_id): submission for submission in submissions}
        differences = {who: "is not on Canvas any more" for who in pushed if who not in by_user}
        save = partial(save_pushes, self._book, self._rubric.id, target=self._target)
        save(sent=[], withdrawn=tuple(differences))
        seen: list[PushedGrade] = []
        for who, push in pushed.items():
            if who in differences:
                continue
            submission = by_user[who]
            lacks_report = who in reported and not _has_report(submission, push)
            score_difference = _score_difference(push, submission)
            if score_difference or lacks_report:
                differences[who] = score_difference or "the report is not on Canvas"
            is_taken = not score_difference or _is_late_policy(push, submission)
            seen.append(
                replace(
                    push,
                    score=push.score if is_taken else "",
                    shown=shown_score(submission) if is_taken else "",
                    report="" if lacks_report else push.report,
                    progress="",
                )
            )
        save(sent=seen)
        return differences


def _remembered(push: PlannedPush, before: PushedGrade | None) -> PushedGrade:
    """Return what a student has been sent after a push, with what was sent before."""
    return PushedGrade(
        who=str(push.user),
        submission=push.grade.submission,
        score=push.score,
        report=push.report or (before.report if before else ""),
    )


def _has_report(submission: CanvasSubmission, push: PushedGrade) -> bool:
    return bool(push.report) and any(
        push.report in attachment.label
        for comment in submission.submission_comments
        for attachment in comment.attachments
    )


def _is_late_policy(push: PushedGrade, submission: CanvasSubmission) -> bool:
    """Return whether Canvas has the score, less what its own late policy takes."""
    deducted = Fraction(str(submission.points_deducted or 0))
    return bool(deducted) and shown_score(submission) == two_decimals(
        max(Fraction(push.score) - deducted, Fraction(0))
    )


def _score_difference(push: PushedGrade, submission: CanvasSubmission) -> str:
    """Return in which way Canvas has another score than was sent, or ''."""
    shown = shown_score(submission)
    if shown == push.score:
        return ""
    reason = f"{push.score} was sent, and Canvas says {shown or 'nothing'}"
    if not _is_late_policy(push, submission):
        return reason
    return (
        f"{reason}: its own late policy took {submission.points_deducted:g}. Switch that off, or "
        "[late] in the rubric"
    )


def _unfilled_rubrics(
    sends: Sequence[PlannedPush], submissions: Sequence[CanvasSubmission]
) -> Iterator[tuple[str, str]]:
    """Yield users whose rubric on Canvas has other points than were sent, and that."""
    assessments = {s.user_id: s.rubric_assessment or {} for s in submissions}
    for push in sends:
        filled = assessments.get(push.user, {})
        for criterion, points in push.criterion_points.items():
            entry = filled.get(criterion)
            value = entry.get("points") if isinstance(entry, dict) else None
            if not isinstance(value, int | float) or f"{value:.2f}" != points:
                yield str(push.user), "Canvas's rubric has other points than were sent"
                break
