"""Compares the scores of a class before and after judging it again, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.model import Graded
from grader.report.text_format import format_count, format_number, one_line, printable

NOTHING = "-"
LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChange:
    """One number of one submission, before and after."""

    submission: str
    item: str
    """An item's id, '' for the sum, or `LATE` for the deduction for lateness."""
    before: Fraction | None
    """The points before; None while a person was needed."""
    after: Fraction | None


def score_changes(before: Graded, after: Graded) -> Iterator[ScoreChange]:
    """Yield what changed: the sum first, then items, then the largest deduction for lateness."""
    if before.score is None or after.score is None:
        return
    name = after.submission.name
    sums = (before.score.total.earned, after.score.total.earned)
    earned = {score.item.id: score.earned for score in before.score.items}
    rows = [
        ScoreChange(
            submission=name,
            item=score.item.id,
            before=earned.get(score.item.id),
            after=score.earned,
        )
        for score in after.score.items
        if earned.get(score.item.id, Fraction(0)) != score.earned
    ]
    if rows or sums[0] != sums[1]:
        yield ScoreChange(submission=name, item="", before=sums[0], after=sums[1])
    yield from rows
    deductions = (_largest_deduction(before), _largest_deduction(after))
    if deductions[0] != deductions[1]:
        yield ScoreChange(submission=name, item=LATE, before=deductions[0], after=deductions[1])


def _largest_deduction(graded: Graded) -> Fraction | None:
    """Return the most that lateness takes from a member of the team; None where it isn't known."""
    deductions = [late.deduction for late in graded.lateness if late is not None]
    if None in deductions:
        return None
    return max((points for points in deductions if points is not None), default=Fraction(0))


def changes_report(
    changes: Sequence[ScoreChange],
    *,
    count: int,
    needs_rerun: Sequence[str],
    unanswered: Mapping[str, Sequence[str]],
) -> RenderableType:
    """Return a table of the changes, and closing lines.

    Args:
        changes: in the order of submissions, each submission's sum before its items.
        count: how many submissions were judged.
        needs_rerun: submissions that must run again, since a check asks something new.
        unanswered: by test that asks something new, those that were judged in all else.
    """
    changed_count = len({change.submission for change in changes})
    judged = format_count(count, singular="submission")
    changed = format_count(changed_count, singular="score") if changed_count else "no score"
    parts: list[RenderableType] = [_table(changes), Text("")] if changes else []
    parts.append(Text(f"re-scored {judged} from saved runs: {changed} changed"))
    if needs_rerun:
        parts.append(
            Text(
                "to be run again by `grade SUBMISSIONS`, since a check asks something new: "
                + _names(needs_rerun)
            )
        )
    for test, names in unanswered.items():
        keep = format_count(len(names), singular="submission keeps", plural="submissions keep")
        parts.append(
            Text(f"  {_names([test])} asks something new: until then {keep} its points of before")
        )
    judged_in_part = {name for names in unanswered.values() for name in names}
    if judged_in_part and (whole := [name for name in needs_rerun if name not in judged_in_part]):
        parts.append(Text(f"  not re-scored at all until then: {_names(whole)}"))
    return Group(*parts)


def _names(names: Sequence[str]) -> str:
    return printable(one_line(", ".join(names)))


def _table(changes: Sequence[ScoreChange]) -> Table:
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
