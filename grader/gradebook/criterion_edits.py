"""What graders changed in the criteria of a rubric, and how that stands over the rubric's file.

An edit keeps a criterion whole, as it is from then on, and what the file said at that time. It
counts for as long as the file says something that an edit was made over; a value that no edit
has seen was written by hand since, and wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from grader.model import Criterion, Item
from grader.model.assignment import Retired

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionEdit:
    """A criterion as a grader left it; a row of `criterion_edits`."""

    id: str
    """The same in every gradebook that it is copied to."""
    assignment: str
    item: str
    criterion: str
    text: str | None = None
    """None where only the points were changed, by an early version."""
    points: Fraction
    retired: Retired = ""
    sequence: tuple[str, ...] = ()
    """The criteria of the item in their order after this; () where it says nothing of that."""
    file_text: str | None = None
    file_points: Fraction | None = None
    """What the rubric's file said of it then; None where it had no such criterion."""
    file_retired: Retired = ""
    file_sequence: tuple[str, ...] = ()
    by: str
    at: str
    follows: int = 0
    """The number of the edit of the same item before it: of two at once, one is refused."""
    number: int = 0


Edits = Mapping[str, tuple[CriterionEdit, ...]]
"""By item, oldest first."""


def group_edits(edits: Iterable[CriterionEdit], assignment: str) -> Edits:
    """Return the edits of an assignment by item.

    Args:
        edits: all edits, oldest first.
        assignment: the rubric's id; '' where it is not known, for those of all assignments.
    """
    by_item: dict[str, tuple[CriterionEdit, ...]] = {}
    for edit in edits:
        if not assignment or edit.assignment == assignment:
            by_item[edit.item] = (*by_item.get(edit.item, ()), edit)
    return by_item


def apply_edits(item: Item, *, edits: Edits) -> Item:
    """Return the item with its criteria as they are now."""
    item_edits = edits.get(item.id, ())
    if not item_edits:
        return item
    in_file = {criterion.id: criterion for criterion in item.criteria}
    by_criterion: dict[str, list[CriterionEdit]] = {}
    for edit in item_edits:
        by_criterion.setdefault(edit.criterion, []).append(edit)
    criteria = [
        _apply_to_criterion(criterion, by_criterion.get(criterion.id, ()))
        for criterion in item.criteria
    ]
    criteria += [
        _new_criterion(each[-1])
        for name, each in by_criterion.items()
        if name not in in_file and any(edit.file_points is None for edit in each)
    ]
    ordered = _put_in_order(criteria, in_file=tuple(in_file), edits=item_edits)
    return item if ordered == item.criteria else replace(item, criteria=ordered)


def same_criteria(first: Item, other: Item) -> bool:
    """Return whether two items have the same criteria to those who grade by them."""

    def seen(item: Item) -> list[tuple[object, ...]]:
        return [(c.id, c.text, c.points, c.retired) for c in item.criteria]

    return seen(first) == seen(other)


def _apply_to_criterion(criterion: Criterion, edits: Sequence[CriterionEdit]) -> Criterion:
    """Return a criterion of the file with the last values that still count."""
    if not edits:
        return criterion
    last = edits[-1]
    worded = [edit for edit in edits if edit.text is not None]
    text = criterion.text
    if worded:
        text = _choose(text, worded[-1].text or text, {edit.file_text for edit in worded})
    return replace(
        criterion,
        text=text,
        points=_choose(criterion.points, last.points, {edit.file_points for edit in edits}),
        retired=_choose(criterion.retired, last.retired, {edit.file_retired for edit in edits}),
    )


def _choose(in_file: Value, edited: Value, seen: set[Value | None]) -> Value:
    return edited if in_file in seen else in_file


def _new_criterion(edit: CriterionEdit) -> Criterion:
    return Criterion(
        id=edit.criterion,
        text=edit.text or edit.criterion,
        points=edit.points,
        retired=edit.retired,
    )


def _put_in_order(
    criteria: Sequence[Criterion], *, in_file: tuple[str, ...], edits: Sequence[CriterionEdit]
) -> tuple[Criterion, ...]:
    """Order criteria as the last edit did, unless the file has an order that no edit saw."""
    by_id = {criterion.id: criterion for criterion in criteria}
    sequences = [edit for edit in edits if edit.sequence]
    if not any(_same_order(in_file, edit.file_sequence) for edit in sequences):
        return tuple(criteria)
    names = [name for name in sequences[-1].sequence if name in by_id]
    for position, name in enumerate(by_id):  # what the file has got since stays behind the same
        if name not in names:
            earlier = [other for other in list(by_id)[:position] if other in names]
            names.insert(names.index(earlier[-1]) + 1 if earlier else 0, name)
    return tuple(by_id[name] for name in names)


def _same_order(first: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether what both have stands in the same order."""
    return [name for name in first if name in other] == [name for name in other if name in first]
