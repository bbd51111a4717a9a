"""Summarize a run in the terminal: a plain table, then where to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.model import Graded, Rubric, Tally, Verdict
from grader.report.flag_text import flag_text
from grader.report.lateness_view import late_cells
from grader.report.text_format import format_count, format_number, one_line, printable

NOTHING = "-"


def run_summary(
    results: Iterable[Graded],
    *,
    rubric: Rubric,
    out: Path,
    missing: int = 0,
    module_lines: Sequence[str] = (),
) -> RenderableType:
    """Return a table with a row for each submission, and closing lines.

    Args:
        results: every submission, gradable or not; each is read once and not kept.
        rubric: the rubric that they were graded by.
        out: the folder that was written.
        missing: the number of students on the roster without a submission.
        module_lines: what notebooks import and did not find, and what would help.
    """
    table = _empty_table(rubric)
    statuses: Counter[str] = Counter()
    for graded in results:
        statuses[graded.status] += 1
        table.add_row(
            _untrusted_text(graded.submission.name),
            _untrusted_text(", ".join(student.name or student.id for student in graded.students)),
            *_points_cells(graded.score.total if graded.score else None),
            *([_untrusted_text("; ".join(late_cells(graded.lateness)))] if rubric.late else []),
            _untrusted_text(_needs(graded)),
        )
    modules = [Text("missing where notebooks run:"), *(Text(f"  {line}") for line in module_lines)]
    return Group(
        table,
        Text(""),
        *_closing_lines(statuses, out=out, missing=missing),
        *(modules if module_lines else ()),
    )


def _empty_table(rubric: Rubric) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("submission", overflow="fold")
    table.add_column("students", overflow="fold")
    for name in (f"of {format_number(rubric.total)}", "pending", "blocked"):
        table.add_column(name, justify="right", no_wrap=True)
    if rubric.late:
        table.add_column("late", overflow="fold")
    table.add_column("needs", overflow="fold")
    return table


def _untrusted_text(text: str) -> Text:
    """Return untrusted text without control characters and markup."""
    return Text(printable(one_line(text)) or NOTHING)


def _points_cells(tally: Tally | None) -> list[Text]:
    if tally is None:
        return [Text(NOTHING)] * 3
    return [
        Text(format_number(tally.earned)),
        *(Text(format_number(n) if n else NOTHING) for n in (tally.pending, tally.blocked)),
    ]


def _needs(graded: Graded) -> str:
    if graded.score is None:
        return f"ungradable: {graded.reason or 'no reason was recorded'}"
    failures = sum(item.verdict is Verdict.ERROR and not item.lacks for item in graded.score.items)
    grader_errors = [f"{format_count(failures, singular='error')} of ours"] if failures else []
    marks = ["marks"] if any(i.verdict is Verdict.PENDING for i in graded.score.items) else []
    flags = (flag_text(flag).rstrip(".") for flag in graded.flags)
    return "; ".join([*grader_errors, *flags, *marks])


def _closing_lines(statuses: Counter[str], *, out: Path, missing: int) -> list[Text]:
    status_counts = [
        (statuses["graded"], "graded"),
        (statuses["needs_marks"], "waiting for marks"),
        (statuses["ungradable"], "ungradable"),
    ]
    counts = ", ".join(f"{amount} {words}" for amount, words in status_counts if amount)
    files = (
        ("the class", "index.html", " (staff only)"),
        ("for students", "reports", ""),
        ("gradebook", "gradebook.csv", ""),
    )
    head = format_count(statuses.total(), singular="submission")
    absent = format_count(
        missing, singular="student of the roster", plural="students of the roster"
    )
    return [
        Text(f"{head}: {counts}" if counts else head),
        *([Text(f"in no submission: {absent} (empty in the gradebook)")] if missing else []),
        *(Text(f"{name:<13} {printable(str(out / file))}{more}") for name, file, more in files),
    ]
