"""Lays out the page of the whole class, which only course staff may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from statistics import median

from grader.model import Graded, Item, ItemScore, Rubric, Score, Verdict
from grader.report.press import page
from grader.report.wording import counted, number

BINS = 10
_STATUS = {"graded": "graded", "needs_marks": "needs marks", "ungradable": "ungradable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One submission of the table."""

    graded: Graded
    score: Score | None
    status: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """How many submissions earned how much of one item."""

    item: Item
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bar of the distribution, in the units of its drawing."""

    low: str
    high: str
    amount: int
    x: float
    y: float
    height: float


COLUMNS = (
    ("in full", Verdict.PASSED),
    ("in part", Verdict.PARTIAL),
    ("not", Verdict.FAILED),
    ("blocked", Verdict.BLOCKED),
    ("pending", Verdict.PENDING),
    ("our error", Verdict.ERROR),
)
_WIDTH, _HEIGHT, _TOP = 60.0, 150.0, 24.0


def class_page(results: Sequence[Graded], *, rubric: Rubric) -> str:
    """The class at a glance, a whole page of HTML for staff only.

    Args:
        results: every submission, gradable or not.
        rubric: what they were graded by.
    """
    scores = [graded.score for graded in results if graded.score is not None]
    earned = [score.total.earned for score in scores]
    return page(
        "class.html",
        script="sort.js",
        rubric=rubric,
        rows=tuple(_row(graded) for graded in results),
        facts=_facts(results, earned=earned),
        bins=_bins(earned, possible=rubric.total),
        columns=tuple(name for name, _ in COLUMNS),
        items=tuple(_line(item, scores=scores) for item in rubric.items),
        pending=any(score.total.final is None for score in scores),
    )


def _row(graded: Graded) -> Row:
    items = graded.score.items if graded.score else ()
    failures = sum(item.verdict is Verdict.ERROR for item in items)
    ours = (
        (f"{counted(failures, one='item', many='items')} with an error of ours",)
        if failures
        else ()
    )
    return Row(
        graded=graded,
        score=graded.score,
        status=_STATUS[graded.status],
        flags=(*ours, *graded.flags),
    )


def _facts(results: Sequence[Graded], *, earned: Sequence[Fraction]) -> tuple[tuple[str, str], ...]:
    statuses = Counter(graded.status for graded in results)
    people = chain.from_iterable(graded.students for graded in results)
    return (
        ("submissions", str(len(results))),
        ("students named", str(sum(1 for _ in people))),
        ("wait for marks", str(statuses["needs_marks"])),
        ("ungradable", str(statuses["ungradable"])),
        ("flagged", str(sum(bool(_row(graded).flags) for graded in results))),
        ("median so far", number(Fraction(median(earned))) if earned else "none"),
    )


def _bins(earned: Sequence[Fraction], *, possible: Fraction) -> tuple[Bin, ...]:
    width = max(possible, Fraction(1)) / BINS
    amounts = Counter(max(0, min(int(points / width), BINS - 1)) for points in earned)
    highest = max(amounts.values(), default=1)
    made = []
    for place in range(BINS):
        height = _HEIGHT * amounts[place] / highest
        made.append(
            Bin(
                low=number(width * place),
                high=number(width * (place + 1)),
                amount=amounts[place],
                x=place * _WIDTH + 4,
                y=_TOP + _HEIGHT - height,
                height=height,
            )
        )
    return tuple(made)


def _line(item: Item, *, scores: Sequence[Score]) -> ItemLine:
    found = Counter(
        one.verdict for score in scores for one in score.items if _is_of(one, item=item)
    )
    return ItemLine(item=item, counts=tuple(found[verdict] for _, verdict in COLUMNS))


def _is_of(score: ItemScore, *, item: Item) -> bool:
    return score.item.id == item.id
