"""Shows in the terminal what was checked: an item a line, and below it what to think about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from grader.model import Verdict
from grader.report.text_format import VERDICTS, printable
from grader.selfcheck.public_findings import Checked
from grader.selfcheck.student_feedback import ToldItem, closing, told_items

WIDTH = 96
"""Columns of the widest line."""
_COLOURS = {
    Verdict.PASSED: "green",
    Verdict.PARTIAL: "yellow",
    Verdict.FAILED: "red",
    Verdict.BLOCKED: "bright_black",
    Verdict.PENDING: "bright_black",
    Verdict.ERROR: "magenta",
}


def shown(checked: Checked, *, path: Path, width: int) -> RenderableType:
    """The whole result of one file, for a terminal of that width in columns."""
    return Group(*_parts(checked, path=path, width=min(width, WIDTH)))


def _parts(checked: Checked, *, path: Path, width: int) -> Iterator[Text]:
    rubric = checked.public.rubric
    yield Text(printable(f"{path.name}: {rubric.title}"), style="bold")
    yield Text(f"checks {checked.public.sha256}", style="bright_black")
    yield Text("")
    for told in told_items(checked):
        yield from _item(told, width=width)
    for title, lines, sign in (
        ("Before you hand in", checked.warnings, "!"),
        ("Costs nothing", checked.notices, "·"),
    ):
        if lines:
            yield Text(f"\n{title}", style="bold")
        for line in lines:
            yield _paragraph(f"{sign} {line}", indent=2, hanging=4, width=width)
    yield Text("")
    yield _paragraph(closing(checked), indent=0, hanging=0, width=width)


def _item(told: ToldItem, *, width: int) -> Iterator[Text]:
    line = Text(f"{VERDICTS[told.verdict].sign} ", style=_COLOURS[told.verdict])
    line.append(printable(f"{told.item.id}  {told.item.title}"), style="default")
    line.append(f"  {told.count}", style="bright_black")
    yield line
    for one in told.told:
        where = f" ({one.where})" if one.where else ""
        if one.title:
            yield _paragraph(f"{one.title}{where}", indent=4, hanging=4, width=width, style="bold")
        yield _paragraph(one.text, indent=4, hanging=4, width=width)


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
