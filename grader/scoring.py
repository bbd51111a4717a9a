"""Turns findings and marks into a score: the only place where points are added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from grader.model import (
    Answer,
    Finding,
    Flag,
    FlagKind,
    Graded,
    Item,
    ItemScore,
    Lateness,
    Mark,
    Rubric,
    Score,
    Tally,
    Verdict,
)

ZERO_POINTS = Fraction(0)
UNANSWERED = "WRI000"
"""The code of the finding that a written item is not answered; no check has it."""
CARRIED_FORWARD_THRESHOLD = 5
"""Blocked points from which a submission is flagged, since a person may award some of them."""


def round_points(points: Fraction) -> Fraction:
    """Return points rounded half up to 0.01."""
    half_up = (points.numerator * 200 + points.denominator) // (2 * points.denominator)
    return Fraction(half_up, 100)


def score_submission(rubric: Rubric, *, findings: Iterable[Finding]) -> Score:
    """Return the score of one submission: the rounded points of its items, and their sums."""
    by_item: dict[str, list[Finding]] = {item.id: [] for item in rubric.items}
    for finding in findings:
        by_item[finding.item].append(finding)
    return _build_score(
        tuple(
            _score_item(item, findings=tuple(by_item[item.id]), mark=None) for item in rubric.items
        )
    )


def unanswered_findings(rubric: Rubric, *, answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """Yield a finding for each written item that is certainly not answered: it earns 0."""
    for item in rubric.items:
        answer = answers.get(item.id)
        if answer is not None and answer.unanswered:
            yield Finding(
                item=item.id,
                code=UNANSWERED,
                title="An answer",
                verdict=Verdict.FAILED,
                earned=ZERO_POINTS,
                possible=item.points,
                public=False,
                expected="an answer of your own",
                found=f"There is none: {answer.unanswered}.",
            )


def replace_marks(
    score: Score,
    *,
    marks: Mapping[str, Mark],
    outdated: Mapping[str, Mark] | None = None,
    items: Mapping[str, Item] | None = None,
) -> Score:
    """Return a score with other marks.

    Args:
        score: The score; its own marks are dropped.
        marks: The marks that count, by item.
        outdated: Marks of answers that have changed since, by item; they don't count.
        items: Items that replace the score's own, by id.
    """
    outdated_marks, replacement_items = outdated or {}, items or {}
    item_scores = (
        _score_item(
            replacement_items.get(item_score.item.id, item_score.item),
            findings=item_score.findings,
            mark=marks.get(item_score.item.id),
            outdated=outdated_marks.get(item_score.item.id),
        )
        for item_score in score.items
    )
    return _build_score(tuple(item_scores))


def clamp_points(points: Fraction, *, item: Item) -> Fraction:
    """Return points rounded to 0.01 and limited to the range from 0 to the item's points."""
    return min(max(round_points(points), ZERO_POINTS), item.points)


def is_given_by_criteria(mark: Mark) -> bool:
    """Return whether a mark was given by criteria; if it has none, it must be worth 0 points."""
    return bool(mark.criteria) or (mark.points == 0 and mark.adjustment == 0)


def automatic_points(item_score: ItemScore) -> Fraction | None:
    """Return the points that checks alone give an item; None if pending or in error."""
    return _score_item(item_score.item, findings=item_score.findings, mark=None).earned


def score_flags(score: Score) -> tuple[Flag, ...]:
    """Return the flags of a score; pending written items are not flagged, since all of them are."""
    errors = [i for i in score.items if i.verdict is Verdict.ERROR and not i.lacks]
    lacks = tuple(dict.fromkeys(lack for i in score.items for lack in i.lacks))
    pending = [i for i in score.items if i.verdict is Verdict.PENDING and i.item.kind == "auto"]
    changed = [i for i in score.items if i.outdated is not None]
    flags = []
    if score.total.blocked >= CARRIED_FORWARD_THRESHOLD:
        flags.append(Flag(FlagKind.POINTS_BLOCKED, (f"{float(score.total.blocked):g}",)))
    for kind, item_scores in (
        (FlagKind.CHECK_ERROR, errors),
        (FlagKind.CHECK_PENDING, pending),
        (FlagKind.CHANGED_SINCE_MARKED, changed),
    ):
        if item_scores:
            flags.append(Flag(kind, tuple(item_score.item.id for item_score in item_scores)))
    if lacks:
        flags.append(Flag(FlagKind.MISSING_MODULE, lacks))
    return tuple(flags)


def _build_score(items: tuple[ItemScore, ...]) -> Score:
    sources = dict.fromkeys(item_score.item.source for item_score in items)
    return Score(
        total=_tally(items),
        by_source={
            source: _tally(tuple(i for i in items if i.item.source == source)) for source in sources
        },
        items=items,
    )


def with_late_deductions(graded: Graded) -> Graded:
    """Return the grade with late deductions that are computed from its current points."""
    if not graded.lateness:
        return graded
    total = graded.score.total if graded.score else None
    lateness = tuple(
        None if late is None else replace(late, deduction=_late_deduction(late, total))
        for late in graded.lateness
    )
    return graded if lateness == graded.lateness else replace(graded, lateness=lateness)


def final_points(tally: Tally, *, late: Lateness | None) -> Fraction | None:
    """Return a student's points after the late deduction, at least 0; None while unknown.

    Args:
        tally: The points of the submission.
        late: The student's lateness; None where lateness takes no points.
    """
    if late is None or tally.final is None:
        return tally.final
    return None if late.deduction is None else max(tally.final - late.deduction, ZERO_POINTS)


def _late_deduction(late: Lateness, total: Tally | None) -> Fraction | None:
    """Return the points that lateness takes, at most all; None if they depend on pending marks."""
    if total is None or not late.at:
        return None
    if late.days == 0:
        return ZERO_POINTS
    deduction = late.days * late.per_day
    if late.cap is not None:
        deduction = min(deduction, late.cap)
    if late.unit == "percent":
        if total.final is None:
            return None
        deduction = total.final * deduction / 100
    maximum = total.possible if total.final is None else total.final
    return round_points(max(ZERO_POINTS, min(deduction, maximum)))


def _score_item(
    item: Item,
    *,
    findings: tuple[Finding, ...],
    mark: Mark | None,
    outdated: Mark | None = None,
) -> ItemScore:
    earned: Fraction | None = None
    blocked = ZERO_POINTS
    if mark is not None:
        earned = clamp_points(mark.points, item=item)
        verdict = _verdict_for_points(earned, item.points)
    else:
        verdict = _item_verdict(item, findings)
        if verdict not in {Verdict.PENDING, Verdict.ERROR}:
            earned = round_points(_sum(f.earned for f in findings))
            blocked = round_points(
                _sum(f.possible for f in findings if f.verdict is Verdict.BLOCKED)
            )
    return ItemScore(
        item=item,
        verdict=verdict,
        earned=earned,
        blocked=blocked,
        findings=findings,
        mark=mark,
        outdated=outdated,
    )


def _item_verdict(item: Item, findings: tuple[Finding, ...]) -> Verdict:
    verdicts = {finding.verdict for finding in findings}
    if any(finding.lack for finding in findings):
        return Verdict.ERROR  # ours: it costs nobody a point
    for undecided in (Verdict.ERROR, Verdict.PENDING):
        if undecided in verdicts:
            return undecided
    if item.kind == "written" and not any(finding.possible for finding in findings):
        return Verdict.PENDING
    earned = _sum(finding.earned for finding in findings)
    if earned == 0 and verdicts and verdicts <= {Verdict.BLOCKED}:
        return Verdict.BLOCKED
    return _verdict_for_points(earned, item.points)


def _verdict_for_points(earned: Fraction, possible: Fraction) -> Verdict:
    if earned >= possible:
        return Verdict.PASSED
    return Verdict.PARTIAL if earned > 0 else Verdict.FAILED


def _tally(items: tuple[ItemScore, ...]) -> Tally:
    decided = [(i.mark, i.earned) for i in items if i.earned is not None]
    return Tally(
        auto=_sum(earned for mark, earned in decided if mark is None),
        marked=_sum(earned for mark, earned in decided if mark is not None),
        pending=_sum(i.item.points for i in items if i.earned is None),
        blocked=_sum(i.blocked for i in items),
        possible=_sum(i.item.points for i in items),
    )


def _sum(points: Iterable[Fraction]) -> Fraction:
    return sum(points, start=ZERO_POINTS)
