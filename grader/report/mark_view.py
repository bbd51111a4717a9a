"""Show a student what a person decided on an item: points, criteria and comment."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from markupsafe import Markup

from grader.model import Criterion, ItemScore, Rubric
from grader.report.markdown_html import render_markdown
from grader.scoring import automatic_points, is_given_by_criteria

DAY = len("2031-05-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkView:
    """A mark, ready to be read."""

    heading: str
    points: Fraction
    by: str
    day: str
    criteria: tuple[Criterion, ...]
    """All criteria that give points, and those that took some; none for points given directly."""
    met: frozenset[str]
    """Ids of the criteria that are met."""
    points_added: Fraction
    """Points given beside the criteria."""
    points_taken: Fraction
    """Points taken beside the criteria."""
    reason: str
    comment: Markup | None
    check_points: Fraction | None
    """The points of the checks, where a person decided instead of them."""
    overrides_checks: bool
    """Whether it replaces the points of checks."""


def view_mark(score: ItemScore, *, rubric: Rubric) -> MarkView | None:
    """Lay out the mark on an item, or return None where no mark counts."""
    mark = score.mark
    if mark is None:
        return None
    overrides_checks = score.item.kind == "auto"
    adjustment = mark.adjustment if mark.criteria else Fraction(0)
    listed = score.item.criteria_for(mark.criteria) if is_given_by_criteria(mark) else ()
    return MarkView(
        heading="Score overridden by a person" if overrides_checks else "Grader feedback",
        points=mark.points,
        by=mark.by if rubric.marking.show_markers else "staff",
        day=mark.at[:DAY],
        criteria=tuple(c for c in listed if c.points >= 0 or c.id in mark.criteria),
        met=frozenset(mark.criteria),
        points_added=max(adjustment, Fraction(0)),
        points_taken=max(-adjustment, Fraction(0)),
        reason=mark.reason.strip(),
        comment=render_markdown(mark.comment) if mark.comment.strip() else None,
        check_points=automatic_points(score) if overrides_checks else None,
        overrides_checks=overrides_checks,
    )
