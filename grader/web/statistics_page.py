"""Shows how a class does on one question: points, rubric items, and both by grader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

from starlette.responses import Response

from grader.model import Criterion, Item, Mark
from grader.report.histogram import points_bins
from grader.report.question_statistics import QuestionStatistics, describe_question
from grader.scoring import is_given_by_criteria
from grader.web.console import Visit
from grader.web.marking_queue import QueueFilter, QueueItem
from grader.web.page_rendering import render_page

Fact = tuple[str, str]
NOTHING = "\u2013"


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionShare:
    """How often a criterion is met in the answers that a grader, or all, graded by criteria."""

    met: int
    count: int
    address: str
    """The query of the list of answers that meet it."""

    @property
    def percent(self) -> str:
        """The share, or '' where nothing was graded."""
        return f"{100 * self.met / self.count:.0f} %" if self.count else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRow:
    """A criterion, and how often it is met: by all graders, then by each."""

    criterion: Criterion
    shares: tuple[CriterionShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraderRow:
    """What one grader gave."""

    name: str
    figures: QuestionStatistics
    address: str
    """The query of the list of answers that they graded."""


def show_statistics(visit: Visit) -> Response:
    """Show the statistics of a question; what is pending is left out."""
    item = visit.item
    queue = visit.console.queue(item.id)
    known = [points for each in queue if (points := _points(each)) is not None]
    marks = [each.mark for each in queue if each.mark is not None and each.state == "marked"]
    graders = sorted({mark.by for mark in marks}, key=str.casefold)
    return render_page(
        visit,
        "statistics.html",
        item=item,
        facts=_facts(known, possible=item.points),
        pending=len(queue) - len(known),
        bins=points_bins(known, possible=item.points) if known else (),
        graders=tuple(_grader_row(item, name, marks) for name in graders),
        criteria=tuple(_criterion_row(c, marks=marks, graders=graders) for c in item.criteria),
        by_criteria=sum(is_given_by_criteria(mark) for mark in marks),
        marks=len(marks),
    )


def _points(queue_item: QueueItem) -> Fraction | None:
    """Return the points that count now, or None while a person has to decide."""
    if queue_item.pending:
        return None
    return queue_item.mark.points if queue_item.mark else queue_item.answer.earned


def _facts(points: Sequence[Fraction], *, possible: Fraction) -> tuple[Fact, ...]:
    figures = describe_question([float(each) for each in points], possible=float(possible))
    return (
        ("n", str(figures.count)),
        ("mean", _two_decimals(figures.mean)),
        ("SD", _two_decimals(figures.spread)),
        ("median", f"{float(median(points)):.4g}" if points else NOTHING),
        ("difficulty", _two_decimals(figures.difficulty)),
    )


def _two_decimals(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _grader_row(item: Item, name: str, marks: Sequence[Mark]) -> GraderRow:
    points = [float(mark.points) for mark in marks if mark.by == name]
    return GraderRow(
        name=name,
        figures=describe_question(points, possible=float(item.points)),
        address=QueueFilter(by=name).query_string,
    )


def _criterion_row(
    criterion: Criterion, *, marks: Sequence[Mark], graders: Sequence[str]
) -> CriterionRow:
    return CriterionRow(
        criterion=criterion,
        shares=tuple(_share(criterion, marks, by=name) for name in ("", *graders)),
    )


def _share(criterion: Criterion, marks: Sequence[Mark], *, by: str) -> CriterionShare:
    own = [m for m in marks if is_given_by_criteria(m) and by in {"", m.by}]
    queue_filter = QueueFilter(criterion=criterion.id)
    return CriterionShare(
        met=sum(criterion.id in mark.criteria for mark in own),
        count=len(own),
        address=replace(queue_filter, by=by).query_string,
    )
