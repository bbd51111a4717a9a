"""Adds edits of criteria to the gradebook, where they are never changed, and reads them."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy.exc import IntegrityError

from grader import timestamps
from grader.errors import CriteriaConflict, UsageError
from grader.gradebook import ledger_statements as statements
from grader.gradebook.criterion_edits import (
    CriterionEdit,
    Edits,
    apply_edits,
    group_edits,
    same_criteria,
)
from grader.gradebook.store import Gradebook
from grader.gradebook.stored_text import remove_unstorable, require_name
from grader.model import Criterion, Item

MAX_TEXT = 1000
"""Characters of a criterion's text: it is a line, and stands on a student's page."""
_MAX_ID = 30


def criterion_edits(book: Gradebook, assignment: str) -> Edits:
    """Return the edits of an assignment's criteria, by item, oldest first."""
    with book.reading() as connection:
        return group_edits(statements.load_criterion_edits(connection), assignment)


def save_criteria(
    book: Gradebook,
    file_item: Item,
    criteria: Sequence[Criterion],
    *,
    assignment: str,
    by: str,
    expected_last: int | None = None,
) -> tuple[CriterionEdit, ...]:
    """Store the criteria of an item as they are from now on, for existing marks as well.

    Args:
        book: the gradebook.
        file_item: the item as the rubric's file has it.
        criteria: all its criteria; one that is left out is not taken away, it is unchanged.
        assignment: the rubric's id.
        by: who changed them.
        expected_last: the number of the last edit that they saw; None to ask nothing.

    Returns:
        The edits that were added, one for each criterion that differs; twice where the class was
        graded by a file that said something else of the item.

    Raises:
        CriteriaConflict: somebody else changed criteria of this item meanwhile.
        UsageError: `by` names nobody, a text is empty or too long, or the class was graded by
            another version of the rubric's file.
    """
    name = require_name(by, what="an edit of a rubric item")
    _check_texts(criteria)
    stored_item = _stored_item(book, file_item.id, assignment=assignment)
    try:
        with book.writing() as connection:
            edits = group_edits(statements.load_criterion_edits(connection), assignment)
            last = max((edit.number for edit in edits.get(file_item.id, ())), default=0)
            if expected_last not in {None, last}:
                raise CriteriaConflict(f"the rubric items of {file_item.id} were changed meanwhile")
            current = apply_edits(file_item, edits=edits)
            if stored_item and not same_criteria(apply_edits(stored_item, edits=edits), current):
                raise UsageError(
                    f"the rubric file says something else of {file_item.id} than when the class "
                    "was graded: run `grade again`, then open the console again"
                )
            added, at = [], timestamps.now_text()
            # A file that was exported to, or changed by hand, since the class was graded: the same
            # edit is made over what each of the two says, so that it counts for both.
            for base in _distinct(file_item, stored_item):
                for new_edit in _new_edits(base, current, criteria, assignment=assignment):
                    edit = replace(new_edit, by=name, at=at, follows=last)
                    last = statements.append_criterion_edit(connection, edit)
                    added.append(replace(edit, number=last))
    except IntegrityError as error:  # another process was faster
        raise CriteriaConflict(
            f"the rubric items of {file_item.id} were changed meanwhile"
        ) from error
    return tuple(added)


def new_criterion_id(text: str, taken: Collection[str]) -> str:
    """Return an id for a new criterion, made of its text's first words."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    words = re.findall(r"[a-z0-9]+", plain)
    name = "-".join(words)[:_MAX_ID].rsplit("-", 1 if len("-".join(words)) > _MAX_ID else 0)[0]
    name = name.strip("-") or "item"
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def _check_texts(criteria: Sequence[Criterion]) -> None:
    for criterion in criteria:
        if not criterion.text.strip():
            raise UsageError("A rubric item needs a text.")
        if len(criterion.text) > MAX_TEXT:
            raise UsageError(f"A rubric item has at most {MAX_TEXT} characters.")


def _new_edits(
    file_item: Item, current: Item, criteria: Sequence[Criterion], *, assignment: str
) -> list[CriterionEdit]:
    """Return an edit for each criterion that differs; one for a new order alone."""
    in_file = {criterion.id: criterion for criterion in file_item.criteria}
    now = {criterion.id: criterion for criterion in current.criteria}
    names = [criterion.id for criterion in criteria]
    sequence = (*names, *(name for name in now if name not in names))
    changed = [c for c in criteria if now.get(c.id) != c]
    if not changed and sequence != tuple(now):
        changed = [next(c for c, old in zip(criteria, now, strict=False) if c.id != old)]
    edits = []
    for criterion in changed:
        in_file_now = in_file.get(criterion.id)
        edits.append(
            CriterionEdit(
                id=uuid.uuid4().hex,
                assignment=assignment,
                item=file_item.id,
                criterion=criterion.id,
                text=remove_unstorable(criterion.text).strip(),
                points=criterion.points,
                retired=criterion.retired,
                sequence=sequence,
                file_text=in_file_now.text if in_file_now else None,
                file_points=in_file_now.points if in_file_now else None,
                file_retired=in_file_now.retired if in_file_now else "",
                file_sequence=tuple(in_file),
                by="",
                at="",
            )
        )
    return edits


def _distinct(file_item: Item, stored_item: Item | None) -> tuple[Item, ...]:
    """Return the item of the file, and the one that the class was graded by where it differs."""
    if stored_item is None or same_criteria(file_item, stored_item):
        return (file_item,)
    return file_item, stored_item


def _stored_item(book: Gradebook, item_id: str, *, assignment: str) -> Item | None:
    """Return the item as most submissions are graded by it."""
    frequencies: dict[int, int] = {}
    by_identity: dict[int, Item] = {}
    for graded_assignment, items in book.items_by_submission().values():
        if graded_assignment in {assignment, ""} and item_id in items:
            item = items[item_id]
            by_identity[id(item)] = item  # few lists, shared by many
            frequencies[id(item)] = frequencies.get(id(item), 0) + 1
    if not frequencies:
        return None
    return by_identity[max(frequencies, key=lambda identity: frequencies[identity])]
