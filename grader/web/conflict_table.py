"""Words a conflict: what two graders gave one answer at the same time, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Item, Mark
from grader.report.text_format import format_number
from grader.web.marking_form import MarkForm

NOTHING = "\u2013"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictLine:
    """One thing that two marks say, in words."""

    label: str
    saved: str
    own: str


def conflict_lines(mark: Mark | None, *, form: MarkForm, item: Item) -> tuple[ConflictLine, ...]:
    """Return what a mark and a form say: points, each rubric item of either, and texts.

    Args:
        mark: the mark that is saved; None where it was undone.
        form: the form that was refused.
        item: the item that both are about.
    """
    if mark is None:
        return ()
    saved = MarkForm.from_mark(mark, item=item)
    own_points = form.points if item.kind == "auto" else format_number(form.total(item))
    lines = [ConflictLine(label="Points", saved=format_number(mark.points), own=own_points)]
    lines += [
        ConflictLine(
            label=criterion.text,
            saved="met" if criterion.id in saved.criteria else "not met",
            own="met" if criterion.id in form.criteria else "not met",
        )
        for criterion in item.criteria
        if criterion.id in {*saved.criteria, *form.criteria}
    ]
    texts = (
        ("Point adjustment", saved.adjustment, form.adjustment.strip()),
        ("Reason", saved.reason, form.reason),
        ("Comment", saved.comment, form.comment),
    )
    return (
        *lines,
        *(
            ConflictLine(label=label, saved=theirs or NOTHING, own=own or NOTHING)
            for label, theirs, own in texts
            if theirs or own
        ),
    )
