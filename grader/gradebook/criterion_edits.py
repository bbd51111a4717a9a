"""What graders changed in the criteria of a rubric, and how that stands over the rubric's file.

An edit keeps a criterion whole, as it is from then on, and what the file said at that time. It
counts for as long as the file says something that an edit was made over; a value that no edit
has seen was written by hand since, and wins.
"""

from __future__ import annotations

import hashlib
import json
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
    now = [
        criterion_after(by_criterion.get(name, ()), in_file=in_file.get(name))
        for name in dict.fromkeys((*in_file, *by_criterion))
    ]
    criteria = [criterion for criterion in now if criterion is not None]
    ordered = _put_in_order(criteria, in_file=tuple(in_file), edits=item_edits)
    return item if ordered == item.criteria else replace(item, criteria=ordered)


def criterion_after(
    edits: Sequence[CriterionEdit], *, in_file: Criterion | None
) -> Criterion | None:
    """Return a criterion with the last values that still count.

    Args:
        edits: the edits of it, oldest first.
        in_file: the criterion in the rubric's file.

    Returns:
        The criterion, or None where the file has none and no edit added one.
    """
    if in_file is not None:
        return _apply_to_criterion(in_file, edits)
    if any(edit.file_points is None for edit in edits):
        return _new_criterion(edits[-1])
    return None


def sequence_after(edits: Iterable[CriterionEdit], *, in_file: tuple[str, ...]) -> tuple[str, ...]:
    """Return the order of the last edit, or that of the file where no edit has seen it.

    Args:
        edits: the edits of an item, oldest first.
        in_file: the order of the rubric's file.
    """
    ordered = [edit for edit in edits if edit.sequence]
    if any(_same_order(in_file, edit.file_sequence) for edit in ordered):
        return ordered[-1].sequence
    return in_file


def criteria_digest(item: Item) -> str:
    """Return a text that stays the same for as long as a grader sees the same criteria."""
    seen = [(c.id, c.text, str(c.points), c.retired) for c in item.criteria]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def same_criteria(first: Item, other: Item) -> bool:
    """Return whether two items have the same criteria to those who grade by them."""
    return criteria_digest(first) == criteria_digest(other)


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
    names = [name for name in sequence_after(edits, in_file=in_file) if name in by_id]
    for position, name in enumerate(by_id):  # what the file has got since stays behind the same
        if name not in names:
            earlier = [other for other in list(by_id)[:position] if other in names]
            names.insert(names.index(earlier[-1]) + 1 if earlier else 0, name)
    return tuple(by_id[name] for name in names)


def _same_order(first: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether what both have stands in the same order."""
    return [name for name in first if name in other] == [name for name in other if name in first]
