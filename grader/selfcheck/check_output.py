"""Shows in the terminal what was checked: an item a line, and below it what to think about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from grader.model import Verdict
from grader.report.text_format import VERDICTS, printable
from grader.selfcheck.public_findings import SelfcheckResult
from grader.selfcheck.student_feedback import ItemFeedback, closing_line, list_feedback

WIDTH = 96
"""Columns of the widest line."""
_COLORS = {
    Verdict.PASSED: "green",
    Verdict.PARTIAL: "yellow",
    Verdict.FAILED: "red",
    Verdict.BLOCKED: "bright_black",
    Verdict.PENDING: "bright_black",
    Verdict.ERROR: "magenta",
}


def render_result(result: SelfcheckResult, *, path: Path, width: int) -> RenderableType:
    """The whole result of one file, for a terminal of that width in columns."""
    return Group(*_result_lines(result, path=path, width=min(width, WIDTH)))


def _result_lines(result: SelfcheckResult, *, path: Path, width: int) -> Iterator[Text]:
    rubric = result.public.rubric
    yield Text(printable(f"{path.name}: {rubric.title}"), style="bold")
    yield Text(f"checks {result.public.sha256}", style="bright_black")
    yield Text("")
    for item_feedback in list_feedback(result):
        yield from _item_lines(item_feedback, width=width)
    for title, lines, sign in (
        ("Before you hand in", result.warnings, "!"),
        ("Costs nothing", result.notices, "·"),
    ):
        if lines:
            yield Text(f"\n{title}", style="bold")
        for line in lines:
            yield _paragraph(f"{sign} {line}", indent=2, hanging=4, width=width)
    yield Text("")
    yield _paragraph(closing_line(result), indent=0, hanging=0, width=width)


def _item_lines(item_feedback: ItemFeedback, *, width: int) -> Iterator[Text]:
    line = Text(f"{VERDICTS[item_feedback.verdict].sign} ", style=_COLORS[item_feedback.verdict])
    line.append(printable(f"{item_feedback.item.id}  {item_feedback.item.title}"), style="default")
    line.append(f"  {item_feedback.count}", style="bright_black")
    yield line
    for feedback in item_feedback.findings:
        location = f" ({feedback.location})" if feedback.location else ""
        if feedback.title:
            yield _paragraph(
                f"{feedback.title}{location}", indent=4, hanging=4, width=width, style="bold"
            )
        yield _paragraph(feedback.text, indent=4, hanging=4, width=width)


def _paragraph(text: str, *, indent: int, hanging: int, width: int, style: str = "") -> Text:
    wrapped = textwrap.fill(
        " ".join(printable(text).split()),
        width=max(40, width),
        initial_indent=" " * indent,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return Text(wrapped, style=style)
