"""Findings, marks and a rubric to a score: the only place where points are added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from grader.model import Finding, Item, ItemScore, Lateness, Mark, Rubric, Score, Tally, Verdict

NOTHING = Fraction(0)
FOLLOW_THROUGH = 5
"""Blocked points from which a person is asked."""


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
    return _summed(
        tuple(
            _item_score(item, findings=tuple(by_item[item.id]), mark=given.get(item.id))
            for item in rubric.items
        )
    )


def with_marks(
    score: Score,
    *,
    marks: Mapping[str, Mark],
    outdated: Mapping[str, Mark] | None = None,
    items: Mapping[str, Item] | None = None,
) -> Score:
    """The score with these marks and no others.

    Args:
        score: as it was concluded; marks in it are let go.
        marks: what people gave, by item.
        outdated: what they gave to answers that have changed since, by item; it does not count.
        items: items to put in the place of the score's own, by id.
    """
    older, others = outdated or {}, items or {}
    made = (
        _item_score(
            others.get(one.item.id, one.item),
            findings=one.findings,
            mark=marks.get(one.item.id),
            outdated=older.get(one.item.id),
        )
        for one in score.items
    )
    return _summed(tuple(made))


def within(points: Fraction, *, item: Item) -> Fraction:
    """Points that an item can have: rounded, and from 0 to what it is worth."""
    return min(max(rounded(points), NOTHING), item.points)


def by_criteria(mark: Mark) -> bool:
    """Whether a mark was given by criteria; one that gives nothing says that none is met."""
    return bool(mark.criteria) or (mark.points == 0 and mark.adjustment == 0)


def concluded(one: ItemScore) -> Fraction | None:
    """What checks came to on an item, whatever a person gave; None where they left it open."""
    return _item_score(one.item, findings=one.findings, mark=None).earned


def attention(score: Score) -> tuple[str, ...]:
    """What in a score asks for a person, in words for staff; written answers wait anyway."""
    told = []
    if score.total.blocked >= FOLLOW_THROUGH:
        points = float(score.total.blocked)
        told.append(f"{points:g} points blocked: follow-through may be awarded")
    for words, ids in (
        ("the grader could not judge", _ids(score, lambda i: i.verdict is Verdict.ERROR)),
        ("a person decides", _ids(score, _waits_though_automatic)),
        ("changed since it was marked:", _ids(score, lambda i: i.outdated is not None)),
    ):
        if ids:
            told.append(f"{words} {', '.join(ids)}")
    return tuple(told)


def _ids(score: Score, asks: Callable[[ItemScore], bool]) -> list[str]:
    return [one.item.id for one in score.items if asks(one)]


def _waits_though_automatic(one: ItemScore) -> bool:
    return one.verdict is Verdict.PENDING and one.item.kind == "auto"


def _summed(items: tuple[ItemScore, ...]) -> Score:
    sources = dict.fromkeys(one.item.source for one in items)
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


def _item_score(
    item: Item,
    *,
    findings: tuple[Finding, ...],
    mark: Mark | None,
    outdated: Mark | None = None,
) -> ItemScore:
    blocked = rounded(
        sum((f.possible for f in findings if f.verdict is Verdict.BLOCKED), start=NOTHING)
    )
    if mark is not None:
        points = within(mark.points, item=item)
        verdict = _by_points(points, item.points)
        return ItemScore(
            item=item,
            verdict=verdict,
            earned=points,
            blocked=NOTHING,
            findings=findings,
            mark=mark,
            outdated=outdated,
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
        outdated=outdated,
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
