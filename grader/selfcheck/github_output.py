"""What GitHub shows: annotations at the cell in the file, and a summary of the step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.report.text_format import VERDICTS, one_line, printable
from grader.selfcheck.outcome import FileOutcome
from grader.selfcheck.public_findings import LOSING_VERDICTS, SelfcheckResult
from grader.selfcheck.student_feedback import FindingFeedback, closing_line, list_feedback

MAX_ANNOTATIONS = 10
"""Annotations of one kind that GitHub shows for a step; the rest it drops without a word."""
MAX_SUMMARY_BYTES = 1024 * 1024
"""A larger summary is not shown at all."""
_CELL = re.compile(r'(?<!\\)"cell_type"\s*:')
"""How a cell is seen in the file: within a text the quotes would be escaped."""


def render_commands(outcomes: Sequence[FileOutcome]) -> str:
    """Workflow commands, a line each: errors for lost points, warnings for what to mind."""
    errors: list[str] = []
    warnings: list[str] = []
    notices: list[str] = []
    for outcome in outcomes:
        result = outcome.result
        if result is None:
            errors.append(_command("error", outcome.reason, file=outcome.path))
            continue
        lines = find_cell_lines(outcome.path)
        for feedback in _all_feedback(result):
            target = errors if feedback.finding.verdict in LOSING_VERDICTS else warnings
            target.append(_annotation(feedback, outcome.path, lines))
        warnings += [_command("warning", text, file=outcome.path) for text in result.warnings]
        closing_text = f"{closing_line(result)} Checks: {result.public.sha256}"
        notices.append(_command("notice", closing_text, file=outcome.path))
    return "".join(
        f"{line}\n"
        for line in (*_limit_lines(errors), *_limit_lines(warnings), *_limit_lines(notices))
    )


def _limit_lines(lines: list[str]) -> list[str]:
    """As many as are shown, the last of which says how many are not."""
    if len(lines) <= MAX_ANNOTATIONS:
        return lines
    kind = lines[0].partition(" ")[0].removeprefix("::")
    omitted = len(lines) - MAX_ANNOTATIONS + 1
    return [
        *lines[: MAX_ANNOTATIONS - 1],
        _command(kind, f"and {omitted} more: see the summary of this step"),
    ]


def _all_feedback(result: SelfcheckResult) -> Iterator[FindingFeedback]:
    for item in list_feedback(result):
        yield from item.findings


def _annotation(feedback: FindingFeedback, path: Path, lines: Sequence[int]) -> str:
    finding = feedback.finding
    kind = "error" if finding.verdict in LOSING_VERDICTS else "warning"
    cell = feedback.cell
    location = f", cell {cell}" if cell is not None else ""
    line = lines[cell] if cell is not None and cell < len(lines) else None
    title = f"{finding.item}: {finding.title}{location}"
    return _command(kind, feedback.text, file=path, line=line, title=title)


def _command(
    kind: str, text: str, *, file: Path | None = None, line: int | None = None, title: str = ""
) -> str:
    """One workflow command; nothing in it can begin another."""
    values = {
        "file": file.as_posix() if file else "",
        "line": str(line) if line else "",
        "title": title,
    }
    properties = ",".join(
        f"{name}={_escape_property(value)}" for name, value in values.items() if value
    )
    return f"::{kind}{' ' if properties else ''}{properties}::{_escape_data(text)}"


def _escape_data(text: str) -> str:
    text = printable(one_line(text))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def find_cell_lines(path: Path) -> list[int]:
    """The line of the file, from 1, on which each cell says what it is; none if it is gone."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    cell_lines: list[int] = []
    line, begin = 1, 0
    for match in _CELL.finditer(text):
        line += text.count("\n", begin, match.start())
        begin = match.start()
        cell_lines.append(line)
    return cell_lines


def render_summary(outcomes: Sequence[FileOutcome]) -> str:
    """Markdown for `GITHUB_STEP_SUMMARY`, below its limit."""
    text = "\n".join(line for outcome in outcomes for line in _section(outcome)) + "\n"
    data = text.encode()
    if len(data) <= MAX_SUMMARY_BYTES // 2:  # other steps of the job may write, too
        return text
    shortened = data[: MAX_SUMMARY_BYTES // 2].decode("utf-8", "ignore").rpartition("\n")[0]
    return f"{shortened}\n\nThe rest was left out: a summary may be no longer.\n"


def _section(outcome: FileOutcome) -> Iterator[str]:
    result = outcome.result
    if result is None:
        yield f"### {_escape_cell(outcome.path.name)}\n\nCould not be checked: {_escape_cell(outcome.reason)}\n"
        return
    yield f"### {_escape_cell(outcome.path.name)}: {_escape_cell(result.public.rubric.title)}\n"
    yield "| | item | checks | |\n| --- | --- | --- | --- |"
    for item_feedback in list_feedback(result):
        sign = VERDICTS[item_feedback.verdict].sign
        details = "<br>".join(
            f"{_bold(feedback.title)}{_escape_cell(feedback.text)}"
            for feedback in item_feedback.findings
        )
        yield f"| {sign} | {item_feedback.item.id} {_escape_cell(item_feedback.item.title)} | {item_feedback.count} | {details} |"
    for title, lines in (
        ("Before you hand in", result.warnings),
        ("Costs nothing", result.notices),
    ):
        if lines:
            yield f"\n**{title}**\n"
        yield from (f"- {_escape_cell(line)}" for line in lines)
    yield f"\n{closing_line(result)}\n\nChecks: `{result.public.sha256}`\n"


def _bold(title: str) -> str:
    return f"**{_escape_cell(title)}** " if title else ""


def _escape_cell(text: str) -> str:
    """Text that stays in its cell of a table, and is no Markdown and no HTML."""
    text = printable(one_line(text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\|*_\[\]#~$])", r"\\\1", text)
