"""The ledger of marks: what people gave, in the order they gave it, and what counts now.

An entry is added and never changed; taking a mark back adds an entry, too. A mark belongs to a
submission, an item and the answer that was marked. Its points are computed when it is read, since
what a criterion is worth may change.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from grader.errors import MarkConflict, UsageError
from grader.gradebook import ledger_rows, mark_points
from grader.gradebook.ledger_rows import LedgerRow
from grader.gradebook.mark_points import Weight, Weights, answer_digest, mark_from_row
from grader.gradebook.store import Gradebook
from grader.model import Answer, Criterion, Item, Mark

__all__ = [
    "LedgerEntry",
    "NewMark",
    "Weight",
    "add_mark",
    "answer_digest",
    "current_entries",
    "entry_from_row",
    "load_marked_answer",
    "mark_history",
    "orphaned_entries",
    "set_weight",
    "take_back_mark",
    "weighted_items",
    "weights",
]

SubmissionItem = tuple[str, str]
"""A submission and an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMark:
    """What a person decided."""

    submission: str
    item: str
    answer_digest: str
    """Of what was marked, the `answer_digest`."""
    by: str
    criteria: tuple[str, ...] = ()
    """Ids of those that are met."""
    adjustment: Fraction = Fraction(0)
    comment: str = ""
    reason: str = ""
    points: Fraction | None = None
    """Instead of criteria and adjustment: so many, whatever criteria are worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """An entry of the ledger, as it is worth now."""

    mark: Mark
    submission: str
    item: str
    answer_digest: str
    """The `answer_digest` of what was marked."""
    id: str
    """The same in every store it is copied to."""
    replaced: int | None = None
    """The number of the mark that it took the place of, if there was one."""
    taken_back: bool = False
    """Whether it was undone."""
    takes_back: int | None = None
    """The number of the mark that this entry undoes; None for a mark."""
    absolute: bool = False
    """Whether its points were given as such, and not by criteria."""


def add_mark(book: Gradebook, new_mark: NewMark, *, expected_current: int | None) -> Mark:
    """Add a mark; what it comes to.

    Args:
        book: the store.
        new_mark: what the person decided.
        expected_current: the number of the entry that the person saw as current; None for none.

    Raises:
        MarkConflict: another entry is current now; nothing was written.
        UsageError: there is no such submission, item or criterion; nobody marks; or an automatic
            finding is overridden without a reason.
    """
    item = _require_item(book, new_mark.submission, new_mark.item)
    _refuse_invalid_mark(new_mark, item)
    document = _answer_document(book, new_mark, item)
    try:
        with book.writing() as connection:
            current_row = _current_row(connection, new_mark.submission, new_mark.item)
            if (current_row.number if current_row else None) != expected_current:
                raise _mark_conflict(new_mark, current_row, item)
            row = _ledger_row(new_mark, item, connection, replaced=expected_current)
            number = ledger_rows.append_row(connection, row)
            if document is not None:
                ledger_rows.save_answer(connection, new_mark.answer_digest, document)
    except IntegrityError as error:  # another process was faster, where writers don't queue
        with book.reading() as connection:
            current_row = _current_row(connection, new_mark.submission, new_mark.item)
        raise _mark_conflict(new_mark, current_row, item) from error
    return mark_from_row(replace(row, number=number), item=item)


def take_back_mark(
    book: Gradebook, submission: str, item: str, *, by: str, expected_current: int | None
) -> Mark | None:
    """Undo the current mark by an entry that says so; what is current now, or None.

    Raises:
        MarkConflict: another entry is current now than `over`, or none is; nothing was written.
        UsageError: nobody takes it back.
    """
    grader = _require_name(by)
    rubric_item = _find_item(book, submission, item)
    with book.writing() as connection:
        current_row = _current_row(connection, submission, item)
        if current_row is None or current_row.number != expected_current:
            raise _mark_conflict(None, current_row, rubric_item, submission_item=(submission, item))
        restored = (
            None
            if current_row.replaced is None
            else ledger_rows.row_by_number(connection, current_row.replaced)
        )
        row = LedgerRow(
            id=uuid.uuid4().hex,
            submission=submission,
            item=item,
            follows=ledger_rows.last_number(connection, submission, item),
            replaced=current_row.number,
            takes_back=current_row.number,
            restores=current_row.replaced,
            answer=current_row.answer,
            criteria="[]",
            adjustment="0",
            points=None,
            came_to="0",
            comment="",
            reason="",
            marker=grader,
            made_at=_timestamp(),
        )
        ledger_rows.append_row(connection, row)
    return None if restored is None else mark_from_row(restored, item=rubric_item)


def mark_history(book: Gradebook, submission: str, item: str) -> tuple[LedgerEntry, ...]:
    """All entries on an item of a submission, oldest first; takings back are entries, too."""
    rubric_item = _find_item(book, submission, item)
    with book.reading() as connection:
        rows = ledger_rows.item_history(connection, submission, item)
    undone = {row.takes_back for row in rows}
    return tuple(
        entry_from_row(row, item=rubric_item, taken_back=row.number in undone) for row in rows
    )


def current_entries(
    book: Gradebook, item: str | None = None
) -> Mapping[SubmissionItem, LedgerEntry]:
    """The marks that stand, by submission and item: those on other answers and orphans, too.

    Args:
        book: the store.
        item: of this item only.
    """
    items_by_submission = weighted_items(book)
    with book.reading() as connection:
        rows = ledger_rows.current_rows(connection, item=item)
    return {
        (row.submission, row.item): entry_from_row(
            row, item=items_by_submission.get(row.submission, {}).get(row.item)
        )
        for row in rows
    }


def orphaned_entries(book: Gradebook) -> tuple[LedgerEntry, ...]:
    """Marks that stand and count for nothing: their submission or their item is not there now."""
    names_on_roll, items_by_submission = set(book.roll()), weighted_items(book)
    return tuple(
        entry
        for (name, item), entry in current_entries(book).items()
        if name not in names_on_roll or item not in items_by_submission.get(name, {})
    )


def load_marked_answer(book: Gradebook, digest: str) -> Answer | None:
    """A written answer as it was when it was marked; None where it was not known then."""
    with book.reading() as connection:
        document = ledger_rows.answer_document(connection, digest)
    return None if document is None else book.codec.decode_answer(document)


def set_weight(
    book: Gradebook, assignment: str, item: str, criterion: str, points: Fraction, *, by: str
) -> None:
    """Say what a criterion is worth from now on; all who have it are scored by it at once.

    It counts for as long as the rubric says of the criterion what it says now: where the file is
    changed later, the file wins.

    Raises:
        UsageError: nothing in the book is graded by such a criterion, or nobody says it.
    """
    grader = _require_name(by)
    rubric_criterion = _find_criterion(book, assignment, item, criterion)
    with book.writing() as connection:
        row = ledger_rows.WeightRow(
            id=uuid.uuid4().hex,
            assignment=assignment,
            item=item,
            criterion=criterion,
            points=str(points),
            instead_of=str(rubric_criterion.points),
            marker=grader,
            made_at=_timestamp(),
        )
        ledger_rows.append_weight(connection, row)


def weights(book: Gradebook, assignment: str) -> Weights:
    """What criteria are worth instead of what the rubric says, by item and criterion.

    `Weight.counts` says of each whether the rubric still says what it said when it was weighed.
    """
    with book.reading() as connection:
        return mark_points.latest_weights(ledger_rows.weight_rows(connection), assignment)


# ---------------------------------------------------------------- what is in the book


def weighted_items(book: Gradebook) -> Mapping[str, Mapping[str, Item]]:
    """The items of every submission that has a score, their criteria at what they are worth now."""
    with book.reading() as connection:
        rows = ledger_rows.weight_rows(connection)
    items_by_list: dict[tuple[str, int], Mapping[str, Item]] = {}
    items_by_submission: dict[str, Mapping[str, Item]] = {}
    for name, (assignment, graded_by) in book.items_by_submission().items():
        list_key = (assignment, id(graded_by))  # few lists, shared by many
        if list_key not in items_by_list:
            weights = mark_points.latest_weights(rows, assignment)
            items_by_list[list_key] = {
                key: mark_points.apply_weights(item, weights=weights)
                for key, item in graded_by.items()
            }
        items_by_submission[name] = items_by_list[list_key]
    return items_by_submission


def _find_item(book: Gradebook, submission: str, item: str) -> Item | None:
    try:
        assignment, rubric_items = book.items_for(submission)
    except KeyError:
        return None
    with book.reading() as connection:
        weights = mark_points.latest_weights(ledger_rows.weight_rows(connection), assignment)
    return (
        mark_points.apply_weights(rubric_items[item], weights=weights)
        if item in rubric_items
        else None
    )


def _require_item(book: Gradebook, submission: str, item: str) -> Item:
    rubric_item = _find_item(book, submission, item)
    if rubric_item is None:
        raise UsageError(f"{submission}: nothing with an item {item} is graded under this name")
    return rubric_item


def _find_criterion(book: Gradebook, assignment: str, item: str, criterion: str) -> Criterion:
    """The criterion as the rubric has it; as most have it while some are graded by an older one."""
    frequencies: dict[Criterion, int] = {}
    for graded_assignment, rubric_items in book.items_by_submission().values():
        if graded_assignment in {assignment, ""} and item in rubric_items:
            for candidate in rubric_items[item].criteria:
                if candidate.id == criterion:
                    frequencies[candidate] = frequencies.get(candidate, 0) + 1
    if not frequencies:
        raise UsageError(f"{criterion}: nothing is graded by such a criterion of item {item}")
    return max(frequencies, key=lambda candidate: frequencies[candidate])


# ---------------------------------------------------------------- rows


def _refuse_invalid_mark(new_mark: NewMark, item: Item) -> None:
    _require_name(new_mark.by)
    unknown = set(new_mark.criteria) - {criterion.id for criterion in item.criteria}
    if unknown:
        raise UsageError(f"{new_mark.item}: has no criterion {', '.join(sorted(unknown))}")
    if item.kind == "auto" and not new_mark.reason.strip():
        raise UsageError(f"{new_mark.item}: say why what the checks found is overridden")


def _require_name(by: str) -> str:
    name = _remove_unstorable(by).strip()
    if not name:
        raise UsageError("a mark says who gave it: name yourself")
    return name


def _ledger_row(
    new_mark: NewMark, item: Item, connection: Connection, *, replaced: int | None
) -> LedgerRow:
    points_by_id = {criterion.id: criterion.points for criterion in item.criteria}
    row = LedgerRow(
        id=uuid.uuid4().hex,
        submission=new_mark.submission,
        item=new_mark.item,
        follows=ledger_rows.last_number(connection, new_mark.submission, new_mark.item),
        replaced=replaced,
        takes_back=None,
        restores=None,
        answer=new_mark.answer_digest,
        criteria=json.dumps(
            [[name, str(points_by_id[name])] for name in dict.fromkeys(new_mark.criteria)]
        ),
        adjustment=str(new_mark.adjustment),
        points=None if new_mark.points is None else str(new_mark.points),
        came_to="0",
        comment=_remove_unstorable(new_mark.comment),
        reason=_remove_unstorable(new_mark.reason),
        marker=_require_name(new_mark.by),
        made_at=_timestamp(),
    )
    return replace(row, came_to=str(mark_points.compute_points(row, item=item)))


def _remove_unstorable(text: str) -> str:
    """The text without what no database takes: halves of characters, and NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _answer_document(book: Gradebook, new_mark: NewMark, item: Item) -> bytes | None:
    """The answer that is marked, to be remembered; None where it is another one by now."""
    if item.kind != "written":
        return None
    graded = book.graded(new_mark.submission)
    answer = graded.answers.get(new_mark.item)
    if answer is None or answer_digest(graded, new_mark.item) != new_mark.answer_digest:
        return None
    return book.codec.encode_answer(answer)


def _current_row(connection: Connection, submission: str, item: str) -> LedgerRow | None:
    return next(iter(ledger_rows.current_rows(connection, submission=submission, item=item)), None)


def entry_from_row(row: LedgerRow, *, item: Item | None, taken_back: bool = False) -> LedgerEntry:
    """A row as an entry, worth what it is worth now."""
    return LedgerEntry(
        mark=mark_from_row(row, item=item),
        submission=row.submission,
        item=row.item,
        answer_digest=row.answer,
        id=row.id,
        replaced=row.replaced,
        taken_back=taken_back,
        takes_back=row.takes_back,
        absolute=row.points is not None,
    )


def _mark_conflict(
    new_mark: NewMark | None,
    current_row: LedgerRow | None,
    item: Item | None,
    *,
    submission_item: SubmissionItem = ("", ""),
) -> MarkConflict:
    submission, name = (new_mark.submission, new_mark.item) if new_mark else submission_item
    current_entry = None if current_row is None else entry_from_row(current_row, item=item)
    message = (
        f"was marked by {current_entry.mark.by} meanwhile"
        if current_entry
        else "has no mark any more"
    )
    return MarkConflict(
        f"{name} of {submission} {message}", proposed=new_mark, current=current_entry
    )
