"""Summarize a run in the terminal: counts, what needs somebody, and where to look."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model import Graded, Rubric, list_some
from grader.report.class_page import AttentionLine, ClassPageRow, attention_lines, class_row
from grader.report.text_format import format_count, format_number, one_line, printable

NOTHING = "-"
WIDTH = 80
"""The narrowest terminal in which no name and no word is cut."""
MAX_NAMES = 20
"""Submissions that are named below one sentence."""
SEPARATOR = re.compile(r"(?<=[\s_.\-])(?![\s_.\-])")
"""Where a long name may be broken: after what separates its words."""


def run_summary(
    results: Iterable[Graded],
    *,
    rubric: Rubric,
    out: Path,
    missing: int = 0,
    module_lines: Sequence[str] = (),
    show_all: bool = False,
) -> RenderableType:
    """Return counts, what needs somebody other than to grade answers, and where the files are.

    Args:
        results: every submission, gradable or not; each is read once and not kept.
        rubric: the rubric that they were graded by.
        out: the folder that was written.
        missing: the number of students on the roster without a submission.
        module_lines: what notebooks import and did not find, and what would help.
        show_all: whether each submission has a row with its score; a single one always has.
    """
    rows = [class_row(graded) for graded in results]
    table: list[RenderableType] = []
    if show_all or len(rows) == 1:
        table += [_score_table(rows, rubric), Text()]
    return Group(
        *table,
        *_count_lines(rows, missing=missing, show_hint=not table),
        *_attention(rows),
        *_module_lines(module_lines),
        *_file_lines(out),
    )


def _count_lines(
    rows: Sequence[ClassPageRow], *, missing: int, show_hint: bool
) -> Iterator[RenderableType]:
    statuses = Counter(row.status_text for row in rows)
    words = ("graded", "to grade", "ungradable")
    counts = ", ".join(f"{statuses[word]} {word}" for word in words if statuses[word])
    head = format_count(len(rows), singular="submission")
    hint = " (--all shows each score)" if show_hint and rows else ""
    yield Text.assemble((head, "bold"), f": {counts}" if counts else "", (hint, "dim"))
    if missing:
        yield Text(
            f"no submission from {format_count(missing, singular='student')} of the roster "
            "(empty in the gradebook)"
        )


def _attention(rows: Sequence[ClassPageRow]) -> Iterator[RenderableType]:
    lines = attention_lines(rows)
    names = {name for line in lines for name in line.names}
    if lines:
        yield Text.assemble("\n", ("needs attention", "bold"), f": {len(names)} of {len(rows)}")
    for line in lines:
        yield from _attention_entry(line)


def _attention_entry(line: AttentionLine) -> Iterator[RenderableType]:
    sign = Text("✕" if line.urgent else "!", style="bold red" if line.urgent else "bold yellow")
    text = f"ungradable: {line.text}" if line.urgent else line.text
    entry = Table.grid(padding=(0, 1))
    entry.add_row(sign, _plain(text))
    names = [_breakable(_one_line(name), WIDTH - 4) for name in line.names]
    entry.add_row("", Padding(Text(list_some(names, most=MAX_NAMES), style="cyan"), (0, 0, 0, 2)))
    yield entry


def _module_lines(lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield Text("\nmissing where notebooks run", style="bold")
        yield from (Padding(_plain(line), (0, 0, 0, 2)) for line in lines)


def _file_lines(out: Path) -> Iterator[RenderableType]:
    yield Text()
    for name, file, more in (
        ("class page", "index.html", " (staff only)"),
        ("for students", "reports", ""),
        ("gradebook", "gradebook.csv", ""),
    ):
        # A path that is longer than the line is left whole, so that it can be copied.
        yield Text(
            f"{name:<13} {printable(str(out / file))}{more}", no_wrap=True, overflow="ignore"
        )


def _score_table(rows: Sequence[ClassPageRow], rubric: Rubric) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("")
    table.add_column("submission", no_wrap=True)
    names = [_one_line(row.name) for row in rows]
    students = [_one_line(", ".join(s.name or s.id for s in row.students)) for row in rows]
    budget = WIDTH - 30 - (11 if rubric.late else 0)
    longest_word = max((cell_len(word) for text in students for word in text.split()), default=1)
    beside = max(map(cell_len, names), default=1) + 2 + max(longest_word, 8) <= budget
    if beside:
        table.add_column("students", min_width=longest_word)
    for head in (f"score\nof {format_number(rubric.total)}", "to\ngrade", "not\nevaluated"):
        table.add_column(head, justify="right", no_wrap=True)
    if rubric.late:
        table.add_column("late", min_width=9)
    for row, name, people in zip(rows, names, students, strict=True):
        cells = [name, people or NOTHING]
        if not beside:
            cells = [_breakable("\n  ".join(filter(None, (name, people))), budget)]
        late = [_one_line("; ".join(row.late)) or NOTHING] if rubric.late else []
        table.add_row(_sign(row), *map(Text, (*cells, *_points(row), *late)))
    return table


def _sign(row: ClassPageRow) -> Text:
    if row.tally is None:
        return Text("✕", style="bold red")
    return Text("!", style="bold yellow") if row.flags else Text()


def _points(row: ClassPageRow) -> tuple[str, str, str]:
    if row.tally is None:
        return NOTHING, NOTHING, NOTHING
    pending, blocked = (
        format_number(n) if n else NOTHING for n in (row.tally.pending, row.tally.blocked)
    )
    return format_number(row.tally.earned), pending, blocked


def _breakable(text: str, width: int) -> str:
    """Return a text whose lines are broken between words where one would not fit."""
    lines: list[str] = []
    for line in text.split("\n"):
        lines.append("")
        for word in SEPARATOR.split(line):
            if lines[-1].strip() and cell_len(lines[-1] + word.rstrip()) > width:
                lines.append("  ")
            lines[-1] += word
    return "\n".join(line.rstrip() for line in lines)


def _one_line(text: str) -> str:
    """Return untrusted text without control characters."""
    return printable(one_line(text))


def _plain(text: str) -> Text:
    """Return untrusted text without control characters and markup."""
    return Text(_one_line(text))
