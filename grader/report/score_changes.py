"""Show in the terminal which scores changed when a class was judged again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.report.text_format import format_count, format_number, one_line, printable

NOTHING = "-"


class ScoreChangeRow(Protocol):
    """One number of one submission, before and after; `item` is '' for the sum."""

    @property
    def submission(self) -> str:
        """Return the submission's name."""
        ...

    @property
    def item(self) -> str:
        """Return the item's id."""
        ...

    @property
    def before(self) -> Fraction | None:
        """Return the points until now, or None while a person was needed."""
        ...

    @property
    def after(self) -> Fraction | None:
        """Return the points from now on, or None while a person is needed."""
        ...


def changes_report(
    changes: Sequence[ScoreChangeRow], *, count: int, needs_rerun: Sequence[str]
) -> RenderableType:
    """Return a table of the changes, and closing lines.

    Args:
        changes: in the order of submissions, each submission's sum before its items.
        count: how many submissions were judged.
        needs_rerun: those of which a check wants to know what was never asked.
    """
    changed_count = len({change.submission for change in changes})
    judged = format_count(count, singular="submission", plural="submissions")
    changed = (
        format_count(changed_count, singular="score", plural="scores")
        if changed_count
        else "no score"
    )
    parts: list[RenderableType] = [_table(changes), Text("")] if changes else []
    parts.append(Text(f"judged {judged} again, without a kernel: {changed} moved"))
    if needs_rerun:
        names = printable(one_line(", ".join(needs_rerun)))
        parts.append(
            Text(f"as before, until they are run again (a check asks something new): {names}")
        )
    return Group(*parts)


def _table(changes: Sequence[ScoreChangeRow]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("submission", overflow="fold")
    table.add_column("item", no_wrap=True)
    for name in ("before", "after"):
        table.add_column(name, justify="right", no_wrap=True)
    for change in changes:
        name = "" if change.item else printable(one_line(change.submission))
        cells = (name, change.item or "sum", _points(change.before), _points(change.after))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _points(points: Fraction | None) -> str:
    return NOTHING if points is None else format_number(points)
