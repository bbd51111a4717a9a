"""Render the page of the whole class, which only course staff may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from grader.model import FlagKind, Graded, Rubric, Student, Tally, Verdict
from grader.report.flag_text import flag_text
from grader.report.histogram import Bin, draw_bins, points_bins
from grader.report.lateness_view import final_cells, late_cells
from grader.report.page_template import render_report_page
from grader.report.question_statistics import describe_class
from grader.report.text_format import format_count, format_number

_STATUS = {"graded": "graded", "needs_marks": "to grade", "ungradable": "ungradable"}
MAX_DAYS = 7
"""Days late that have a bar of their own; all beyond share one."""


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
    earned: tuple[tuple[str, Fraction | None], ...]
    """The id and the points of each item; None while they are pending."""
    flags: tuple[str, ...]
    remarks: tuple[str, ...]
    """Remarks from when the submission was collected, which need no person."""
    unsafe: bool
    """Whether its code ran without isolation."""
    late: tuple[str, ...] = ()
    """How late, for each student or for all; empty where nothing has a due date."""
    finals: tuple[Fraction | None, ...] = ()
    """The points that count after that, for each student or for all."""
    days_late: tuple[int | None, ...] = ()
    """The days that count, one entry for each student; None where the time is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionLine:
    """What needs somebody, in one sentence, and the submissions that it is about."""

    text: str
    names: tuple[str, ...]
    urgent: bool = False
    """Whether these submissions have no points at all."""


COLUMNS = (
    ("full", Verdict.PASSED),
    ("partial", Verdict.PARTIAL),
    ("none", Verdict.FAILED),
    ("not evaluated", Verdict.BLOCKED),
    ("to grade", Verdict.PENDING),
    ("grader error", Verdict.ERROR),
)


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
    possible = {item.id: item.points for item in rubric.items}
    by_question = [dict(row.earned) for row in rows if row.tally is not None]
    timed = any(row.late for row in rows)
    finals = [final for row in rows for final in _student_finals(row) if final is not None]
    return render_report_page(
        "class.html",
        script="sort.js",
        rubric=rubric,
        rows=rows,
        missing=missing,
        remarks=remarks,
        module_lines=module_lines,
        timed=timed,
        facts=(
            *_facts(rows, earned=earned),
            *((("no submission", str(len(missing))),) if missing else ()),
        ),
        attention=attention_lines(rows),
        score_bins=points_bins(earned, possible=rubric.total),
        final_bins=points_bins(finals, possible=rubric.total) if timed and finals else (),
        late_bins=_late_bins(rows) if timed else (),
        columns=COLUMNS,
        question_bins={
            question: points_bins(
                [points for row in by_question if (points := row.get(question)) is not None],
                possible=most,
            )
            for question, most in possible.items()
        },
        verdict_counts=Counter(verdict for row in rows for verdict in row.verdicts),
        heat=_heat,
        possible=possible,
        statistics=describe_class(by_question, possible=possible),
        unsafe=sum(row.unsafe for row in rows),
        pending=any(tally.final is None for tally in tallies),
    )


def class_row(graded: Graded) -> ClassPageRow:
    """Return the table row of a grade, so that the grade itself need not stay in memory."""
    items = graded.score.items if graded.score else ()
    failures = sum(item.verdict is Verdict.ERROR and not item.lacks for item in items)
    grader_errors = (
        (f"grader error in {format_count(failures, singular='question')}",) if failures else ()
    )
    return ClassPageRow(
        name=graded.submission.name,
        students=graded.students,
        status=graded.status,
        status_text=_STATUS[graded.status],
        reason=graded.reason or "",
        tally=graded.score.total if graded.score else None,
        verdicts=tuple((score.item.id, score.verdict) for score in items),
        earned=tuple((score.item.id, score.earned) for score in items),
        flags=(
            *grader_errors,
            *(flag_text(f) for f in graded.flags if f.kind is not FlagKind.NOT_GRADED),
        ),
        remarks=graded.submission.remarks,
        unsafe=graded.provenance is not None and graded.provenance.level == "none",
        late=late_cells(graded.lateness),
        finals=final_cells(graded),
        days_late=tuple(
            late.days if late is not None and late.at else None for late in graded.lateness
        ),
    )


def attention_lines(rows: Sequence[ClassPageRow]) -> tuple[AttentionLine, ...]:
    """Return what needs somebody: what could not be graded, then flags, each sentence once."""
    reasons: dict[str, list[str]] = {}
    flags: dict[str, list[str]] = {}
    for row in rows:
        if row.tally is None:
            reasons.setdefault(row.reason or "no reason was recorded", []).append(row.name)
        for flag in dict.fromkeys(row.flags):
            flags.setdefault(flag, []).append(row.name)
    # Sorting is stable: of sentences about as many submissions, the class's order decides.
    by_size = sorted(flags.items(), key=lambda entry: -len(entry[1]))
    return (
        *(AttentionLine(text=t, names=tuple(n), urgent=True) for t, n in reasons.items()),
        *(AttentionLine(text=text, names=tuple(names)) for text, names in by_size),
    )


def _student_finals(row: ClassPageRow) -> tuple[Fraction | None, ...]:
    """Return the final points once for each student, also where the table shows them once."""
    return row.finals * len(row.days_late) if len(row.finals) == 1 else row.finals


def _facts(
    rows: Sequence[ClassPageRow], *, earned: Sequence[Fraction]
) -> tuple[tuple[str, str], ...]:
    statuses = Counter(row.status for row in rows)
    return (
        ("submissions", str(len(rows))),
        ("students", str(sum(len(row.students) for row in rows))),
        ("to grade", str(statuses["needs_marks"])),
        ("ungradable", str(statuses["ungradable"])),
        ("flagged", str(sum(bool(row.flags) for row in rows))),
        ("median so far", format_number(Fraction(median(earned))) if earned else "none"),
    )


def _heat(points: Fraction, possible: Fraction) -> int:
    """Return how dark a cell of the heat map is: 4 for all points, 0 for none."""
    return 4 if points >= possible else min(3, int(4 * points / possible))


def _late_bins(rows: Sequence[ClassPageRow]) -> tuple[Bin, ...]:
    """Count students by the days that their submission was late, unknown times last."""
    days = Counter(
        None if late is None else min(late, MAX_DAYS) for row in rows for late in row.days_late
    )
    bars = [("on time", "on time", days[0])]
    for day in range(1, max((day for day in days if day is not None), default=0) + 1):
        more = "+" if day == MAX_DAYS else ""
        bars.append((f"{day}{more}", f"{format_count(day, singular='day')}{more} late", days[day]))
    if days[None]:
        bars.append(("unknown", "time unknown", days[None]))
    return draw_bins(bars)
