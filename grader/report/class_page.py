"""Render the page of the whole class, which only course staff may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from grader.model import Graded, Rubric, Student, Tally, Verdict
from grader.report.flag_text import flag_text
from grader.report.lateness_view import final_cells, late_cells
from grader.report.page_template import render_report_page
from grader.report.text_format import format_count, format_number

BINS = 10
_STATUS = {"graded": "graded", "needs_marks": "needs marks", "ungradable": "ungradable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPageRow:
    """One submission in the table; small enough to hold a large class in memory."""

    name: str
    students: tuple[Student, ...]
    status: str
    """'graded', 'needs_marks' or 'ungradable'."""
    status_text: str
    """The status, in words."""
    reason: str
    tally: Tally | None
    verdicts: tuple[tuple[str, Verdict], ...]
    """The id and the verdict of each item."""
    flags: tuple[str, ...]
    remarks: tuple[str, ...]
    """Remarks from when the submission was collected, which need no person."""
    unsafe: bool
    """Whether its code ran without isolation."""
    late: tuple[str, ...] = ()
    """How late, for each student or for all; empty where nothing has a due date."""
    finals: tuple[Fraction | None, ...] = ()
    """The points that count after that, for each student or for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bar of the histogram, in the units of its drawing."""

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


def class_page(
    rows: Sequence[ClassPageRow],
    *,
    rubric: Rubric,
    missing: Sequence[Student] = (),
    remarks: Sequence[str] = (),
    module_lines: Sequence[str] = (),
) -> str:
    """Render the class page as HTML, for staff only.

    Args:
        rows: every submission, gradable or not, as `class_row` makes them.
        rubric: what they were graded by.
        missing: students on the roster without a submission.
        remarks: other sentences about people and times.
        module_lines: what notebooks import and did not find, and what would help.
    """
    tallies = [row.tally for row in rows if row.tally is not None]
    earned = [tally.earned for tally in tallies]
    return render_report_page(
        "class.html",
        script="sort.js",
        rubric=rubric,
        rows=rows,
        missing=missing,
        remarks=remarks,
        module_lines=module_lines,
        timed=any(row.late for row in rows),
        facts=(
            *_facts(rows, earned=earned),
            *((("handed in nothing", str(len(missing))),) if missing else ()),
        ),
        bins=_bins(earned, possible=rubric.total),
        columns=COLUMNS,
        verdict_counts=Counter(verdict for row in rows for verdict in row.verdicts),
        unsafe=sum(row.unsafe for row in rows),
        pending=any(tally.final is None for tally in tallies),
    )


def class_row(graded: Graded) -> ClassPageRow:
    """Return the table row of a grade, so that the grade itself need not stay in memory."""
    items = graded.score.items if graded.score else ()
    failures = sum(item.verdict is Verdict.ERROR and not item.lacks for item in items)
    grader_errors = (
        (f"{format_count(failures, singular='item')} with an error of ours",) if failures else ()
    )
    return ClassPageRow(
        name=graded.submission.name,
        students=graded.students,
        status=graded.status,
        status_text=_STATUS[graded.status],
        reason=graded.reason or "",
        tally=graded.score.total if graded.score else None,
        verdicts=tuple((score.item.id, score.verdict) for score in items),
        flags=(*grader_errors, *map(flag_text, graded.flags)),
        remarks=graded.submission.remarks,
        unsafe=graded.provenance is not None and graded.provenance.level == "none",
        late=late_cells(graded.lateness),
        finals=final_cells(graded),
    )


def _facts(
    rows: Sequence[ClassPageRow], *, earned: Sequence[Fraction]
) -> tuple[tuple[str, str], ...]:
    statuses = Counter(row.status for row in rows)
    return (
        ("submissions", str(len(rows))),
        ("students named", str(sum(len(row.students) for row in rows))),
        ("wait for marks", str(statuses["needs_marks"])),
        ("ungradable", str(statuses["ungradable"])),
        ("flagged", str(sum(bool(row.flags) for row in rows))),
        ("median so far", format_number(Fraction(median(earned))) if earned else "none"),
    )


def _bins(earned: Sequence[Fraction], *, possible: Fraction) -> tuple[Bin, ...]:
    width = max(possible, Fraction(1)) / BINS
    amounts = Counter(max(0, min(int(points / width), BINS - 1)) for points in earned)
    highest = max(amounts.values(), default=1)
    bins = []
    for index in range(BINS):
        height = _HEIGHT * amounts[index] / highest
        bins.append(
            Bin(
                low=format_number(width * index),
                high=format_number(width * (index + 1)),
                amount=amounts[index],
                x=index * _WIDTH + 4,
                y=_TOP + _HEIGHT - height,
                height=height,
            )
        )
    return tuple(bins)
