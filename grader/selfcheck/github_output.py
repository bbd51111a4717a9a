"""Renders what GitHub shows: annotations at the cell in the file, and a summary of the step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from grader.report.text_format import VERDICTS, one_line, printable
from grader.selfcheck.public_findings import LOSING_VERDICTS, FileOutcome
from grader.selfcheck.student_feedback import FindingFeedback, closing_line, list_feedback

MAX_ANNOTATIONS = 10
"""Annotations of one kind that GitHub shows for a step; it drops the rest silently."""
MAX_SUMMARY_BYTES = 1024 * 1024
"""Size from which GitHub shows nothing of a step's summary."""
_CELL = re.compile(r'(?<!\\)"cell_type"(?=\s*:)')
"""The key of a cell in the file: within a text its quotes would be escaped."""


def render_commands(outcomes: Sequence[FileOutcome]) -> str:
    """Return workflow commands, a line each: errors for lost points, warnings for what to mind."""
    commands: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for outcome in outcomes:
        result, path = outcome.result, outcome.path
        if result is None:
            commands["error"].append(_command("error", outcome.reason, file=path))
            continue
        lines = find_cell_lines(path)
        for item in list_feedback(result):
            for feedback in item.findings:
                kind = "error" if feedback.finding.verdict in LOSING_VERDICTS else "warning"
                commands[kind].append(_annotation(kind, feedback, path=path, lines=lines))
        commands["warning"] += [_command("warning", text, file=path) for text in result.warnings]
        closing_text = f"{closing_line(result)} Checks: {result.public.sha256}"
        commands["notice"].append(_command("notice", closing_text, file=path))
    return "".join(f"{line}\n" for kind in commands for line in _limit_lines(kind, commands[kind]))


def _limit_lines(kind: str, lines: list[str]) -> list[str]:
    """Return as many lines as GitHub shows; the last gives the number of those left out."""
    if len(lines) <= MAX_ANNOTATIONS:
        return lines
    omitted = len(lines) - MAX_ANNOTATIONS + 1
    rest = _command(kind, f"and {omitted} more: see the summary of this step")
    return [*lines[: MAX_ANNOTATIONS - 1], rest]


def _annotation(kind: str, feedback: FindingFeedback, *, path: Path, lines: Sequence[int]) -> str:
    finding, cell = feedback.finding, feedback.cell
    location = f", cell {cell}" if cell is not None else ""
    line = lines[cell] if cell is not None and cell < len(lines) else None
    title = f"{finding.item}: {finding.title}{location}"
    return _command(kind, feedback.text, file=path, line=line, title=title)


def _command(
    kind: str, text: str, *, file: Path | None = None, line: int | None = None, title: str = ""
) -> str:
    """Return one workflow command; nothing in it can begin another."""
    values = {
        "file": file.as_posix() if file else "",
        "line": str(line) if line else "",
        "title": title,
    }
    properties = ",".join(
        f"{name}={_escape_data(value).replace(':', '%3A').replace(',', '%2C')}"
        for name, value in values.items()
        if value
    )
    return f"::{kind}{' ' if properties else ''}{properties}::{_escape_data(text)}"


def _escape_data(text: str) -> str:
    text = printable(one_line(text))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def find_cell_lines(path: Path) -> list[int]:
    """Return the line of the file, from 1, on which each cell names its type; [] without a file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    line_ends = (part.count("\n") for part in _CELL.split(text)[:-1])
    return [count + 1 for count in accumulate(line_ends)]


def render_summary(outcomes: Sequence[FileOutcome]) -> str:
    """Return Markdown for the file `GITHUB_STEP_SUMMARY`, below GitHub's limit."""
    text = "\n".join(line for outcome in outcomes for line in _summary_lines(outcome)) + "\n"
    data = text.encode()
    if len(data) <= MAX_SUMMARY_BYTES // 2:  # other steps of the job may write, too
        return text
    shortened = data[: MAX_SUMMARY_BYTES // 2].decode("utf-8", "ignore").rpartition("\n")[0]
    return f"{shortened}\n\nThe rest was left out: a summary may be no longer.\n"


def _summary_lines(outcome: FileOutcome) -> Iterator[str]:
    result, name = outcome.result, _escape_markdown(outcome.path.name)
    if result is None:
        yield f"### {name}\n\nCould not be checked: {_escape_markdown(outcome.reason)}\n"
        return
    yield f"### {name}: {_escape_markdown(result.public.rubric.title)}\n"
    yield "| | item | checks | |\n| --- | --- | --- | --- |"
    for feedback in list_feedback(result):
        sign, item = VERDICTS[feedback.verdict].sign, feedback.item
        details = "<br>".join(
            (f"**{_escape_markdown(finding.title)}** " if finding.title else "")
            + _escape_markdown(finding.text)
            for finding in feedback.findings
        )
        title = f"{item.id} {_escape_markdown(item.title)}"
        yield f"| {sign} | {title} | {feedback.count} | {details} |"
    for heading, lines in (
        ("Before you submit", result.warnings),
        ("Costs nothing", result.notices),
    ):
        if lines:
            yield f"\n**{heading}**\n"
        yield from (f"- {_escape_markdown(line)}" for line in lines)
    yield f"\n{closing_line(result)}\n\nChecks: `{result.public.sha256}`\n"


def _escape_markdown(text: str) -> str:
    """Return text that stays in its cell of a table, and is no Markdown and no HTML."""
    text = printable(one_line(text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\|*_\[\]#~$])", r"\\\1", text)
