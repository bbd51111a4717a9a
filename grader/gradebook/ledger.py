"""The ledger of marks: what people gave, in the order they gave it, and which marks are current.

A mark passes four shapes from the browser to the CSV: the form as it was sent (`web.MarkForm`),
what its sender decided (`NewMark`), the row of the ledger (`model.Mark`, which grades, pages and
exports hold, too), and the row of the table (`exports.CsvRow`).

Rows are added and never changed; taking a mark back adds a row as well. A mark belongs to a
submission, an item and the answer that was marked. Its points are computed when it is read, since
criteria may change.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from grader import timestamps
from grader.errors import MarkConflict, UsageError
from grader.gradebook import ledger_statements as statements
from grader.gradebook.criterion_edits import apply_edits, group_edits
from grader.gradebook.criterion_ledger import criterion_edits
from grader.gradebook.mark_points import answer_digest, price_mark
from grader.gradebook.store import Gradebook
from grader.gradebook.stored_text import remove_unstorable, require_name
from grader.model import Answer, Item, Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMark:
    """A decision of a person, before it becomes a row of the ledger."""

    submission: str
    item: str
    answer_digest: str
    """The `answer_digest` of what the person saw."""
    by: str
    """The name of the grader."""
    criteria: tuple[str, ...] = ()
    """Ids of the criteria that are met."""
    adjustment: Fraction = Fraction(0)
    comment: str = ""
    reason: str = ""
    points: Fraction | None = None
    """A number of points instead of criteria and adjustment, whatever criteria are worth."""


def add_mark(book: Gradebook, new_mark: NewMark, *, expected_current: int | None) -> Mark:
    """Add a mark and return it with its points.

    Args:
        book: the gradebook.
        new_mark: what the person decided.
        expected_current: the number of the mark that the person saw as current, or None.

    Raises:
        MarkConflict: another mark is current now; nothing was written.
        UsageError: there is no such submission, item or criterion; the mark names no grader; or an
            automatic finding is overridden without a reason.
    """
    submission, item_id = new_mark.submission, new_mark.item
    item = _find_item(book, submission, item_id)
    if item is None:
        raise UsageError(f"{submission}: nothing with an item {item_id} is graded under this name")
    mark = _build_mark(new_mark, item)
    _refuse_retired(book, new_mark, item)
    document = _answer_document(book, new_mark, item)
    try:
        with book.writing() as connection:
            current = _current_mark(connection, submission, item_id)
            if (current.number if current else None) != expected_current:
                raise _conflict((submission, item_id), current, item=item, proposed=new_mark)
            follows = statements.last_number(connection, submission, item_id)
            mark = replace(mark, follows=follows, replaced=expected_current)
            mark = replace(mark, number=statements.append_mark(connection, mark))
            if document is not None:
                statements.save_answer(connection, new_mark.answer_digest, document)
    except IntegrityError as error:  # another process was faster
        with book.reading() as connection:
            current = _current_mark(connection, submission, item_id)
        raise _conflict((submission, item_id), current, item=item, proposed=new_mark) from error
    return price_mark(mark, item=item)


def take_back_mark(
    book: Gradebook, submission: str, item: str, *, by: str, expected_current: int | None
) -> Mark | None:
    """Undo the current mark by a new row; return the mark that is current then, or None.

    Raises:
        MarkConflict: another mark is current now than `expected_current`, or none is; nothing was
            written.
        UsageError: `by` names nobody.
    """
    grader = require_name(by, what="a mark")
    rubric_item = _find_item(book, submission, item)
    with book.writing() as connection:
        current = _current_mark(connection, submission, item)
        if current is None or current.number != expected_current:
            raise _conflict((submission, item), current, item=rubric_item, proposed=None)
        restored = current.replaced and statements.load_mark(connection, current.replaced)
        undoing = Mark(
            id=uuid.uuid4().hex,
            submission=submission,
            item=item,
            answer_digest=current.answer_digest,
            points=Fraction(0),
            follows=statements.last_number(connection, submission, item),
            replaced=current.number,
            takes_back=current.number,
            restores=current.replaced,
            by=grader,
            at=timestamps.now_text(),
        )
        statements.append_mark(connection, undoing)
    return price_mark(restored, item=rubric_item) if restored else None


def mark_history(book: Gradebook, submission: str, item: str) -> tuple[Mark, ...]:
    """Return all rows on an item of a submission, oldest first, with current points."""
    rubric_item = _find_item(book, submission, item)
    with book.reading() as connection:
        history = statements.load_history(connection, submission, item)
    return tuple(price_mark(mark, item=rubric_item) for mark in history)


def current_marks(book: Gradebook, item: str | None = None) -> Mapping[tuple[str, str], Mark]:
    """Return the current marks by submission and item.

    Marks on answers that have changed since are included, as are those whose item is gone.

    Args:
        book: the gradebook.
        item: the only item to return marks on; None for all.
    """
    items_by_submission = edited_items(book)
    with book.reading() as connection:
        marks = statements.load_current_marks(connection, item=item)
    return {
        (mark.submission, mark.item): price_mark(
            mark, item=items_by_submission.get(mark.submission, {}).get(mark.item)
        )
        for mark in marks
    }


def orphaned_marks(book: Gradebook) -> tuple[Mark, ...]:
    """Return the current marks whose submission or item is gone, so that they don't count."""
    names_on_roll, items_by_submission = set(book.roll()), edited_items(book)
    return tuple(
        mark
        for mark in current_marks(book).values()
        if mark.submission not in names_on_roll
        or mark.item not in items_by_submission.get(mark.submission, {})
    )


def load_marked_answer(book: Gradebook, digest: str) -> Answer | None:
    """Return a written answer as it was when it was marked, if the gradebook has it."""
    with book.reading() as connection:
        document = statements.load_answer(connection, digest)
    return None if document is None else book.codec.decode_answer(document)


def edited_items(book: Gradebook) -> Mapping[str, Mapping[str, Item]]:
    """Return the items of every scored submission, with their criteria as they are now."""
    with book.reading() as connection:
        all_edits = statements.load_criterion_edits(connection)
    items_by_list: dict[tuple[str, int], Mapping[str, Item]] = {}
    items_by_submission: dict[str, Mapping[str, Item]] = {}
    for name, (assignment, items) in book.items_by_submission().items():
        list_key = (assignment, id(items))  # few lists, shared by many
        if list_key not in items_by_list:
            edits = group_edits(all_edits, assignment)
            items_by_list[list_key] = {
                key: apply_edits(item, edits=edits) for key, item in items.items()
            }
        items_by_submission[name] = items_by_list[list_key]
    return items_by_submission


def _find_item(book: Gradebook, submission: str, item: str) -> Item | None:
    """Return an item of the rubric that a submission was graded by, with its criteria now."""
    try:
        assignment, items = book.items_for(submission)
    except KeyError:
        return None
    if item not in items:
        return None
    return apply_edits(items[item], edits=criterion_edits(book, assignment))


def _build_mark(new_mark: NewMark, item: Item) -> Mark:
    """Return the row for a decision, with its points but without its number in the ledger."""
    criteria_points = {criterion.id: criterion.points for criterion in item.criteria}
    unknown = set(new_mark.criteria) - criteria_points.keys()
    grader = require_name(new_mark.by, what="a mark")
    if unknown:
        raise UsageError(f"{new_mark.item}: has no criterion {', '.join(sorted(unknown))}")
    if item.kind == "auto" and not new_mark.reason.strip():
        raise UsageError(f"{new_mark.item}: say why what the checks found is overridden")
    criteria = tuple(dict.fromkeys(new_mark.criteria))
    mark = Mark(
        id=uuid.uuid4().hex,
        submission=new_mark.submission,
        item=new_mark.item,
        answer_digest=new_mark.answer_digest,
        points=Fraction(0),
        criteria=criteria,
        criteria_points=tuple(criteria_points[name] for name in criteria),
        adjustment=new_mark.adjustment,
        fixed_points=new_mark.points,
        comment=remove_unstorable(new_mark.comment),
        reason=remove_unstorable(new_mark.reason),
        by=grader,
        at=timestamps.now_text(),
    )
    return replace(mark, points=price_mark(mark, item=item).points)


def _refuse_retired(book: Gradebook, new_mark: NewMark, item: Item) -> None:
    """Refuse criteria that are not given any more, but those that the answer has already."""
    retired = {criterion.id for criterion in item.criteria if criterion.retired}
    if retired & set(new_mark.criteria):
        with book.reading() as connection:
            current = _current_mark(connection, new_mark.submission, new_mark.item)
        gone = sorted(set(new_mark.criteria) & retired - set(current.criteria if current else ()))
        if gone:
            raise UsageError(f"{item.id}: a rubric item was retired meanwhile: {', '.join(gone)}")


def _answer_document(book: Gradebook, new_mark: NewMark, item: Item) -> bytes | None:
    """Return the written answer that is marked; None where it has changed since it was seen."""
    if item.kind != "written":
        return None
    graded = book.graded(new_mark.submission)
    answer = graded.answers.get(new_mark.item)
    if answer is None or answer_digest(graded, new_mark.item) != new_mark.answer_digest:
        return None
    return book.codec.encode_answer(answer)


def _current_mark(connection: Connection, submission: str, item: str) -> Mark | None:
    marks = statements.load_current_marks(connection, submission=submission, item=item)
    return marks[0] if marks else None


def _conflict(
    submission_and_item: tuple[str, str],
    current: Mark | None,
    *,
    item: Item | None,
    proposed: NewMark | None,
) -> MarkConflict:
    submission, item_id = submission_and_item
    event = f"was marked by {current.by} meanwhile" if current else "has no mark any more"
    return MarkConflict(
        f"{item_id} of {submission} {event}",
        proposed=proposed,
        current=current and price_mark(current, item=item),
    )
