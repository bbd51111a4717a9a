"""Findings, marks and a rubric to a score: the only place where points are added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from grader.model import Finding, Item, ItemScore, Lateness, Mark, Rubric, Score, Tally, Verdict

NOTHING = Fraction(0)


def rounded(points: Fraction) -> Fraction:
    """Points rounded half up to 0.01."""
    half_up = (points.numerator * 200 + points.denominator) // (2 * points.denominator)
    return Fraction(half_up, 100)


def score(
    rubric: Rubric, *, findings: Iterable[Finding], marks: Mapping[str, Mark] | None = None
) -> Score:
    """The score of one submission; totals are sums of rounded items."""
    by_item: dict[str, list[Finding]] = {item.id: [] for item in rubric.items}
    for finding in findings:
        by_item[finding.item].append(finding)
    given = marks or {}
    items = tuple(
        _item_score(item, findings=tuple(by_item[item.id]), mark=given.get(item.id))
        for item in rubric.items
    )
    sources = dict.fromkeys(item.source for item in rubric.items)
    return Score(
        total=_tally(items),
        by_source={
            source: _tally(tuple(i for i in items if i.item.source == source)) for source in sources
        },
        items=items,
    )


def final(tally: Tally, *, late: Lateness | None) -> Fraction | None:
    """What counts for one student, never below 0; None while the sum or what is taken isn't known.

    Args:
        tally: the points of the submission.
        late: how late it is for that student; None where that takes nothing.
    """
    if late is None or tally.final is None:
        return tally.final
    return None if late.deduction is None else max(tally.final - late.deduction, NOTHING)


def _item_score(item: Item, *, findings: tuple[Finding, ...], mark: Mark | None) -> ItemScore:
    blocked = rounded(
        sum((f.possible for f in findings if f.verdict is Verdict.BLOCKED), start=NOTHING)
    )
    if mark is not None:
        points = rounded(mark.points)
        verdict = _by_points(points, item.points)
        return ItemScore(
            item=item,
            verdict=verdict,
            earned=points,
            blocked=NOTHING,
            findings=findings,
            mark=mark,
        )
    verdict = _verdict(item, findings)
    waiting = verdict in {Verdict.PENDING, Verdict.ERROR}
    earned = None if waiting else rounded(sum((f.earned for f in findings), start=NOTHING))
    return ItemScore(
        item=item,
        verdict=verdict,
        earned=earned,
        blocked=NOTHING if waiting else blocked,
        findings=findings,
    )


def _verdict(item: Item, findings: tuple[Finding, ...]) -> Verdict:
    verdicts = {finding.verdict for finding in findings}
    for waiting in (Verdict.ERROR, Verdict.PENDING):
        if waiting in verdicts:
            return waiting
    if item.kind == "written":
        return Verdict.PENDING
    earned = sum((finding.earned for finding in findings), start=NOTHING)
    if earned == 0 and verdicts and verdicts <= {Verdict.BLOCKED}:
        return Verdict.BLOCKED
    return _by_points(earned, item.points)


def _by_points(earned: Fraction, possible: Fraction) -> Verdict:
    if earned >= possible:
        return Verdict.PASSED
    return Verdict.PARTIAL if earned > 0 else Verdict.FAILED


def _tally(items: tuple[ItemScore, ...]) -> Tally:
    auto = sum((i.earned for i in items if i.earned is not None and i.mark is None), start=NOTHING)
    marked = sum(
        (i.earned for i in items if i.earned is not None and i.mark is not None), start=NOTHING
    )
    return Tally(
        auto=auto,
        marked=marked,
        pending=sum((i.item.points for i in items if i.earned is None), start=NOTHING),
        blocked=sum((i.blocked for i in items), start=NOTHING),
        possible=sum((i.item.points for i in items), start=NOTHING),
    )
