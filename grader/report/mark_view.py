"""Lays out what a person decided on one item, for the student: points, criteria and comment."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from markupsafe import Markup

from grader.model import Criterion, ItemScore, Mark, Rubric
from grader.report.markdown_html import prose
from grader.scoring import by_criteria, concluded

DAY = len("2031-05-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionLine:
    """A criterion that was met, or was not; one that takes points off, and did."""

    text: str
    met: bool
    takes: bool
    points: Fraction
    """What it gives or takes, without a sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A mark, ready to be read."""

    heading: str
    points: Fraction
    by: str
    day: str
    lines: tuple[CriterionLine, ...]
    more: Fraction
    """Points given beside the criteria."""
    less: Fraction
    """Points taken beside the criteria."""
    reason: str
    comment: Markup | None
    found: Fraction | None
    """What checks came to, where a person decided instead of them."""
    instead: bool
    """Whether it takes the place of what checks found."""


def decision(score: ItemScore, *, rubric: Rubric) -> Decision | None:
    """What a person decided on an item; None where nobody did, or on another answer."""
    mark = score.mark
    if mark is None:
        return None
    instead = score.item.kind == "auto"
    beside = mark.adjustment if mark.criteria else Fraction(0)
    return Decision(
        heading="A person decided" if instead else "What the person who marked it says",
        points=mark.points,
        by=mark.by if rubric.marking.show_markers else "staff",
        day=mark.at[:DAY],
        lines=_lines(score, mark),
        more=max(beside, Fraction(0)),
        less=max(-beside, Fraction(0)),
        reason=mark.reason.strip(),
        comment=prose(mark.comment) if mark.comment.strip() else None,
        found=concluded(score) if instead else None,
        instead=instead,
    )


def _lines(score: ItemScore, mark: Mark) -> tuple[CriterionLine, ...]:
    """All that give points; of those that take some, the ones that did."""
    if not by_criteria(mark):
        return ()
    met = frozenset(mark.criteria)
    shown = (c for c in score.item.criteria if c.points >= 0 or c.id in met)
    return tuple(_line(criterion, met=criterion.id in met) for criterion in shown)


def _line(criterion: Criterion, *, met: bool) -> CriterionLine:
    return CriterionLine(
        text=criterion.text, met=met, takes=criterion.points < 0, points=abs(criterion.points)
    )
