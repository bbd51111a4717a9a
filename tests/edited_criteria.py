"""Edits criteria of stored items as the console does, for tests of what comes after."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from grader.gradebook import Gradebook
from grader.gradebook.criterion_edits import CriterionEdit, apply_edits
from grader.gradebook.criterion_ledger import criterion_edits, save_criteria
from grader.model import Item


def file_item(book: Gradebook, assignment: str = "hw", item: str = "Q1.1") -> Item:
    """The item as the first submission of the assignment was graded by."""
    return next(
        items[item]
        for graded_assignment, items in book.items_by_submission().values()
        if graded_assignment == assignment
    )


def set_points(
    book: Gradebook, assignment: str, item: str, criterion: str, points: Fraction, *, by: str
) -> tuple[CriterionEdit, ...]:
    """Change what a criterion is worth."""
    one = file_item(book, assignment, item)
    now = apply_edits(one, edits=criterion_edits(book, assignment))
    criteria = [replace(c, points=points) if c.id == criterion else c for c in now.criteria]
    return save_criteria(book, one, criteria, assignment=assignment, by=by)
