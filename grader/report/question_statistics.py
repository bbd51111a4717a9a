"""Describe how a class did on each question: mean, spread, difficulty, discrimination, alpha."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import StatisticsError, correlation, fmean, stdev, variance

MIN_SUBMISSIONS = 10
"""Fewer say nothing about a question: discrimination and alpha are then not shown."""

Points = Mapping[str, Fraction | None]
"""The points of one submission by question; None while they are pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionStatistics:
    """How a class did on one question, without what is pending."""

    count: int
    """Submissions whose points are known."""
    mean: float | None
    spread: float | None
    """The standard deviation of the sample; None for fewer than two."""
    difficulty: float | None
    """The mean as a share of the question's points: the higher, the easier."""
    discrimination: float | None
    """The correlation with the sum of all other questions; None where it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStatistics:
    """How a class did on all questions."""

    questions: Mapping[str, QuestionStatistics]
    complete: int
    """Submissions in which all compared questions have points."""
    compared: tuple[str, ...]
    """The questions of which at least half of the submissions have points."""
    alpha: float | None
    """Cronbach's alpha over the compared questions; None where it says nothing."""

    @property
    def enough(self) -> bool:
        """Return whether there are enough submissions for discrimination and alpha."""
        return self.complete >= MIN_SUBMISSIONS


def describe_class(rows: Sequence[Points], *, possible: Mapping[str, Fraction]) -> ClassStatistics:
    """Describe a class by the points of its submissions; `possible` has those of each question."""
    known = {
        question: [float(p) for row in rows if (p := row.get(question)) is not None]
        for question in possible
    }
    compared = tuple(q for q in possible if known[q] and 2 * len(known[q]) >= len(rows))
    complete = [
        points
        for row in rows
        if len(points := {q: float(p) for q in compared if (p := row.get(q)) is not None})
        == len(compared)
    ]
    return ClassStatistics(
        questions={
            question: describe_question(
                known[question],
                possible=float(possible[question]),
                discrimination=_discrimination(complete, question=question),
            )
            for question in possible
        },
        complete=len(complete) if compared else 0,
        compared=compared,
        alpha=_alpha(complete, questions=compared),
    )


def describe_question(
    points: Sequence[float], *, possible: float, discrimination: float | None = None
) -> QuestionStatistics:
    """Describe a question by the points that are known, out of `possible`."""
    mean = fmean(points) if points else None
    return QuestionStatistics(
        count=len(points),
        mean=mean,
        spread=stdev(points) if len(points) > 1 else None,
        difficulty=mean / possible if mean is not None and possible else None,
        discrimination=discrimination,
    )


def _discrimination(rows: Sequence[Mapping[str, float]], *, question: str) -> float | None:
    if len(rows) < MIN_SUBMISSIONS or question not in rows[0]:
        return None
    own = [row[question] for row in rows]
    rest = [sum(points for other, points in row.items() if other != question) for row in rows]
    try:
        return correlation(own, rest)
    except StatisticsError:  # all have the same points, of this question or of the others
        return None


def _alpha(rows: Sequence[Mapping[str, float]], *, questions: Sequence[str]) -> float | None:
    if len(rows) < MIN_SUBMISSIONS or len(questions) < 2:  # noqa: PLR2004 - one agrees with itself
        return None
    total = variance([sum(row.values()) for row in rows])
    if not total:
        return None
    parts = sum(variance([row[question] for row in rows]) for question in questions)
    return len(questions) / (len(questions) - 1) * (1 - parts / total)
