"""Sends a submission through the session of its notebook, or its notebooks through one each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.model import Isolation
from grader.pipeline import GradingResult, GradingSession, grade_submission
from grader.pipeline.cache_keys import PreparedSubmission
from grader.pipeline.joined_grades import WholeJudge
from grader.pipeline.judge import Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSessions:
    """The sessions of an assignment."""

    sessions: Mapping[str, GradingSession]
    """By the id of their notebook; '' where the assignment has one."""
    whole: WholeJudge | None
    """What makes one grade of several; None where there is one notebook."""

    @classmethod
    def of(cls, sessions: Sequence[GradingSession], *, whole: WholeJudge | None) -> OpenSessions:
        """Return sessions by the id of their notebook."""
        by_notebook = {session.judge.rubric.notebook: session for session in sessions}
        return cls(sessions=by_notebook, whole=whole)

    @property
    def judge(self) -> Judge | WholeJudge:
        """What knows whose a submission is."""
        return self.whole or next(iter(self.sessions.values())).judge

    @property
    def isolation(self) -> Isolation:
        """How notebooks are isolated from this computer."""
        return next(iter(self.sessions.values())).isolation

    def grade(self, prepared: PreparedSubmission) -> GradingResult:
        """Grade a submission as far as a machine can."""
        if self.whole is None or not prepared.parts:
            (session, *_) = self.sessions.values()
            return _grade(prepared, session)
        return self.whole.grade(
            prepared.submission,
            grade_part=lambda notebook, first: _grade(
                prepared.parts[notebook], self.sessions[notebook], first=first
            ),
        )


def _grade(
    prepared: PreparedSubmission, session: GradingSession, *, first: int = 0
) -> GradingResult:
    return grade_submission(
        prepared.submission, session=session, supplied=prepared.supplied, first=first
    )
