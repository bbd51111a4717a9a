"""Renders a result for the terminal: a line for each item, and its findings below."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from grader.model import Verdict
from grader.report.text_format import VERDICTS, printable
from grader.selfcheck.public_findings import SelfcheckResult
from grader.selfcheck.student_feedback import closing_line, list_feedback

MAX_WIDTH, MIN_WIDTH = 96, 40
"""Columns of the widest line, and those that a narrower terminal gets nonetheless."""
_COLORS = {
    Verdict.PASSED: "green",
    Verdict.PARTIAL: "yellow",
    Verdict.FAILED: "red",
    Verdict.BLOCKED: "bright_black",
    Verdict.PENDING: "bright_black",
    Verdict.ERROR: "magenta",
}


def render_result(result: SelfcheckResult, *, path: Path, width: int) -> RenderableType:
    """Return the result of one file, for a terminal of that width in columns."""
    return Group(*_result_lines(result, path=path, width=max(MIN_WIDTH, min(width, MAX_WIDTH))))


def _result_lines(result: SelfcheckResult, *, path: Path, width: int) -> Iterator[Text]:
    yield Text(printable(f"{path.name}: {result.public.rubric.title}"), style="bold")
    yield Text(f"version {result.public.sha256[:12]} of the checks", style="bright_black")
    yield Text("")
    for item_feedback in list_feedback(result):
        item, verdict = item_feedback.item, item_feedback.verdict
        line = Text(f"{VERDICTS[verdict].sign} ", style=_COLORS[verdict])
        line.append(printable(f"{item.id}  {item.title}"), style="default")
        yield line.append(f"  {item_feedback.count}", style="bright_black")
        for feedback in item_feedback.findings:
            if feedback.title:
                yield Text(_wrap(feedback.located_title, "    ", width=width), style="bold")
            yield Text(_wrap(feedback.text, "    ", width=width))
    for title, lines, sign in (
        ("Before you submit", result.warnings, "!"),
        ("Costs nothing", result.notices, "·"),
    ):
        if lines:
            yield Text(f"\n{title}", style="bold")
        for text in lines:
            yield Text(_wrap(f"{sign} {text}", "  ", "    ", width=width))
    yield Text("")
    yield Text(_wrap(closing_line(result), "", width=width))


def _wrap(text: str, indent: str, hanging: str | None = None, *, width: int) -> str:
    return textwrap.fill(
        " ".join(printable(text).split()),
        width=width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
