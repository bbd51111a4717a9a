"""What GitHub shows: annotations at the cell in the file, and a summary of the step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.report.text_format import VERDICTS, one_line, printable
from grader.selfcheck.outcome import Outcome
from grader.selfcheck.public_findings import LOST, Checked
from grader.selfcheck.student_feedback import Told, closing, told_items

MOST = 10
"""Annotations of one kind that GitHub shows for a step; the rest it drops without a word."""
SUMMARY_BYTES = 1024 * 1024
"""A larger summary is not shown at all."""
_CELL = re.compile(r'(?<!\\)"cell_type"\s*:')
"""How a cell is seen in the file: within a text the quotes would be escaped."""


def commands(outcomes: Sequence[Outcome]) -> str:
    """Workflow commands, a line each: errors for lost points, warnings for what to mind."""
    errors: list[str] = []
    warnings: list[str] = []
    notices: list[str] = []
    for outcome in outcomes:
        checked = outcome.checked
        if checked is None:
            errors.append(_command("error", outcome.reason, file=outcome.path))
            continue
        lines = lines_of_cells(outcome.path)
        for told in _told(checked):
            kind = errors if told.finding.verdict in LOST else warnings
            kind.append(_annotation(told, outcome.path, lines))
        warnings += [_command("warning", text, file=outcome.path) for text in checked.warnings]
        told_last = f"{closing(checked)} Checks: {checked.public.sha256}"
        notices.append(_command("notice", told_last, file=outcome.path))
    return "".join(f"{line}\n" for line in (*_few(errors), *_few(warnings), *_few(notices)))


def _few(lines: list[str]) -> list[str]:
    """As many as are shown, the last of which says how many are not."""
    if len(lines) <= MOST:
        return lines
    kind = lines[0].partition(" ")[0].removeprefix("::")
    left = len(lines) - MOST + 1
    return [*lines[: MOST - 1], _command(kind, f"and {left} more: see the summary of this step")]


def _told(checked: Checked) -> Iterator[Told]:
    for item in told_items(checked):
        yield from item.told


def _annotation(told: Told, path: Path, lines: Sequence[int]) -> str:
    finding = told.finding
    kind = "error" if finding.verdict in LOST else "warning"
    cell = told.cell
    where = f", cell {cell}" if cell is not None else ""
    line = lines[cell] if cell is not None and cell < len(lines) else None
    title = f"{finding.item}: {finding.title}{where}"
    return _command(kind, told.text, file=path, line=line, title=title)


def _command(
    kind: str, text: str, *, file: Path | None = None, line: int | None = None, title: str = ""
) -> str:
    """One workflow command; nothing in it can begin another."""
    words = {
        "file": file.as_posix() if file else "",
        "line": str(line) if line else "",
        "title": title,
    }
    told = ",".join(f"{name}={_property(word)}" for name, word in words.items() if word)
    return f"::{kind}{' ' if told else ''}{told}::{_data(text)}"


def _data(text: str) -> str:
    text = printable(one_line(text))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def lines_of_cells(path: Path) -> list[int]:
    """The line of the file, from 1, on which each cell says what it is; none if it is gone."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    places: list[int] = []
    line, begin = 1, 0
    for found in _CELL.finditer(text):
        line += text.count("\n", begin, found.start())
        begin = found.start()
        places.append(line)
    return places


def summary(outcomes: Sequence[Outcome]) -> str:
    """Markdown for `GITHUB_STEP_SUMMARY`, below its limit."""
    whole = "\n".join(line for outcome in outcomes for line in _section(outcome)) + "\n"
    data = whole.encode()
    if len(data) <= SUMMARY_BYTES // 2:  # other steps of the job may write, too
        return whole
    kept = data[: SUMMARY_BYTES // 2].decode("utf-8", "ignore").rpartition("\n")[0]
    return f"{kept}\n\nThe rest was left out: a summary may be no longer.\n"


def _section(outcome: Outcome) -> Iterator[str]:
    checked = outcome.checked
    if checked is None:
        yield f"### {_cell(outcome.path.name)}\n\nCould not be checked: {_cell(outcome.reason)}\n"
        return
    yield f"### {_cell(outcome.path.name)}: {_cell(checked.public.rubric.title)}\n"
    yield "| | item | checks | |\n| --- | --- | --- | --- |"
    for item in told_items(checked):
        sign = VERDICTS[item.verdict].sign
        told = "<br>".join(f"{_bold(t.title)}{_cell(t.text)}" for t in item.told)
        yield f"| {sign} | {item.item.id} {_cell(item.item.title)} | {item.count} | {told} |"
    for title, lines in (
        ("Before you hand in", checked.warnings),
        ("Costs nothing", checked.notices),
    ):
        if lines:
            yield f"\n**{title}**\n"
        yield from (f"- {_cell(line)}" for line in lines)
    yield f"\n{closing(checked)}\n\nChecks: `{checked.public.sha256}`\n"


def _bold(title: str) -> str:
    return f"**{_cell(title)}** " if title else ""


def _cell(text: str) -> str:
    """Text that stays in its cell of a table, and is no Markdown and no HTML."""
    text = printable(one_line(text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\|*_\[\]#~$])", r"\\\1", text)
