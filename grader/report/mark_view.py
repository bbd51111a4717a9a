"""Show a student what a person decided on an item: points, criteria and comment."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from markupsafe import Markup

from grader.model import Criterion, ItemScore, Mark, Rubric
from grader.report.markdown_html import render_markdown
from grader.scoring import automatic_points, is_given_by_criteria

DAY = len("2031-05-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionLine:
    """A criterion as it was met or not, or one that took points off."""

    text: str
    met: bool
    takes: bool
    points: Fraction
    """What it gives or takes, without a sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkView:
    """A mark, ready to be read."""

    heading: str
    points: Fraction
    by: str
    day: str
    lines: tuple[CriterionLine, ...]
    points_added: Fraction
    """Points given beside the criteria."""
    points_taken: Fraction
    """Points taken beside the criteria."""
    reason: str
    comment: Markup | None
    check_points: Fraction | None
    """What checks came to, where a person decided instead of them."""
    overrides_checks: bool
    """Whether it takes the place of what checks found."""


def view_mark(score: ItemScore, *, rubric: Rubric) -> MarkView | None:
    """Lay out the mark on an item, or return None where no mark counts."""
    mark = score.mark
    if mark is None:
        return None
    overrides_checks = score.item.kind == "auto"
    adjustment = mark.adjustment if mark.criteria else Fraction(0)
    return MarkView(
        heading="A person decided" if overrides_checks else "What the person who marked it says",
        points=mark.points,
        by=mark.by if rubric.marking.show_markers else "staff",
        day=mark.at[:DAY],
        lines=_criterion_lines(score, mark),
        points_added=max(adjustment, Fraction(0)),
        points_taken=max(-adjustment, Fraction(0)),
        reason=mark.reason.strip(),
        comment=render_markdown(mark.comment) if mark.comment.strip() else None,
        check_points=automatic_points(score) if overrides_checks else None,
        overrides_checks=overrides_checks,
    )


def _criterion_lines(score: ItemScore, mark: Mark) -> tuple[CriterionLine, ...]:
    """Return all criteria that give points, and those that took some."""
    if not is_given_by_criteria(mark):
        return ()
    met = frozenset(mark.criteria)
    listed = (c for c in score.item.criteria if c.points >= 0 or c.id in met)
    return tuple(_criterion_line(criterion, met=criterion.id in met) for criterion in listed)


def _criterion_line(criterion: Criterion, *, met: bool) -> CriterionLine:
    return CriterionLine(
        text=criterion.text, met=met, takes=criterion.points < 0, points=abs(criterion.points)
    )
