"""Who changed what in the criteria of an item, when, and from what to what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.gradebook.criterion_edits import CriterionEdit, criterion_after, sequence_after
from grader.model import Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionChange:
    """One edit of a criterion, beside what was there before it."""

    by: str
    at: str
    before: Criterion | None
    """None where the edit added it."""
    after: Criterion
    order_before: tuple[str, ...] = ()
    """The ids of the criteria in their order; () where the edit left it as it was."""
    order_after: tuple[str, ...] = ()


def list_changes(edits: Iterable[CriterionEdit]) -> tuple[CriterionChange, ...]:
    """Return what each edit of an item changed.

    Args:
        edits: the edits of the item, oldest first.
    """
    changes: list[CriterionChange] = []
    earlier: list[CriterionEdit] = []
    for edit in edits:
        of_criterion = [other for other in earlier if other.criterion == edit.criterion]
        if of_criterion and _is_same_change(of_criterion[-1], edit):
            earlier.append(edit)
            continue
        before = criterion_after(of_criterion, in_file=_criterion_in_file(edit))
        after = Criterion(
            id=edit.criterion,
            text=edit.text or (before.text if before else edit.criterion),
            points=edit.points,
            retired=edit.retired,
        )
        order = sequence_after(earlier, in_file=edit.file_sequence)
        both = set(order) & set(edit.sequence)
        moved = [name for name in order if name in both] != [
            name for name in edit.sequence if name in both
        ]
        changes.append(
            CriterionChange(
                by=edit.by,
                at=edit.at,
                before=before,
                after=after,
                order_before=order if moved else (),
                order_after=edit.sequence if moved else (),
            )
        )
        earlier.append(edit)
    return tuple(changes)


def _is_same_change(first: CriterionEdit, other: CriterionEdit) -> bool:
    """Return whether one change was made over two files: see `save_criteria`."""
    states = [
        (edit.by, edit.at, edit.text, edit.points, edit.retired, edit.sequence)
        for edit in (first, other)
    ]
    return states[0] == states[1]


def _criterion_in_file(edit: CriterionEdit) -> Criterion | None:
    """Return what the rubric's file said of the criterion when it was edited."""
    if edit.file_points is None:
        return None
    return Criterion(
        id=edit.criterion,
        text=edit.file_text or edit.text or edit.criterion,
        points=edit.file_points,
        retired=edit.file_retired,
    )
