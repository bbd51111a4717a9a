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
from grader.gradebook.ledger_rows import Row
from grader.gradebook.mark_points import Weight, Weights, answer_digest, mark_of
from grader.gradebook.store import Gradebook
from grader.model import Answer, Criterion, Item, Mark

__all__ = [
    "Entry",
    "Given",
    "Weight",
    "answer_digest",
    "current",
    "entry_of",
    "give",
    "history",
    "items",
    "marked_answer",
    "orphans",
    "take_back",
    "weigh",
    "weights",
]

Place = tuple[str, str]
"""A submission and an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a person decided."""

    submission: str
    item: str
    answer: str
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
class Entry:
    """An entry of the ledger, as it is worth now."""

    mark: Mark
    submission: str
    item: str
    answer: str
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


def give(book: Gradebook, given: Given, *, over: int | None) -> Mark:
    """Add a mark; what it comes to.

    Args:
        book: the store.
        given: what the person decided.
        over: the number of the entry that the person saw as current; None for none.

    Raises:
        MarkConflict: another entry is current now; nothing was written.
        UsageError: there is no such submission, item or criterion; nobody marks; or an automatic
            finding is overridden without a reason.
    """
    item = _item_of(book, given.submission, given.item)
    _refuse_faults(given, item)
    document = _answer_document(book, given, item)
    try:
        with book.writing() as connection:
            now = _current_in(connection, given.submission, given.item)
            if (now.number if now else None) != over:
                raise _conflict(given, now, item)
            row = _row(given, item, connection, replaced=over)
            number = ledger_rows.append(connection, row)
            if document is not None:
                ledger_rows.keep_answer(connection, given.answer, document)
    except IntegrityError as error:  # another process was faster, where writers don't queue
        with book.reading() as connection:
            now = _current_in(connection, given.submission, given.item)
        raise _conflict(given, now, item) from error
    return mark_of(replace(row, number=number), item=item)


def take_back(
    book: Gradebook, submission: str, item: str, *, by: str, over: int | None
) -> Mark | None:
    """Undo the current mark by an entry that says so; what is current now, or None.

    Raises:
        MarkConflict: another entry is current now than `over`, or none is; nothing was written.
        UsageError: nobody takes it back.
    """
    marker = _named(by)
    known = _item(book, submission, item)
    with book.writing() as connection:
        now = _current_in(connection, submission, item)
        if now is None or now.number != over:
            raise _conflict(None, now, known, place=(submission, item))
        before = None if now.replaced is None else ledger_rows.numbered(connection, now.replaced)
        row = Row(
            id=uuid.uuid4().hex,
            submission=submission,
            item=item,
            follows=ledger_rows.last(connection, submission, item),
            replaced=now.number,
            takes_back=now.number,
            restores=now.replaced,
            answer=now.answer,
            criteria="[]",
            adjustment="0",
            points=None,
            came_to="0",
            comment="",
            reason="",
            marker=marker,
            made_at=_now(),
        )
        ledger_rows.append(connection, row)
    return None if before is None else mark_of(before, item=known)


def history(book: Gradebook, submission: str, item: str) -> tuple[Entry, ...]:
    """All entries on an item of a submission, oldest first; takings back are entries, too."""
    known = _item(book, submission, item)
    with book.reading() as connection:
        rows = ledger_rows.chain(connection, submission, item)
    undone = {row.takes_back for row in rows}
    return tuple(entry_of(row, item=known, taken_back=row.number in undone) for row in rows)


def current(book: Gradebook, item: str | None = None) -> Mapping[Place, Entry]:
    """The marks that stand, by submission and item: those on other answers and orphans, too.

    Args:
        book: the store.
        item: of this item only.
    """
    known = items(book)
    with book.reading() as connection:
        rows = ledger_rows.current(connection, item=item)
    return {
        (row.submission, row.item): entry_of(row, item=known.get(row.submission, {}).get(row.item))
        for row in rows
    }


def orphans(book: Gradebook) -> tuple[Entry, ...]:
    """Marks that stand and count for nothing: their submission or their item is not there now."""
    there, known = set(book.roll()), items(book)
    return tuple(
        entry
        for (name, item), entry in current(book).items()
        if name not in there or item not in known.get(name, {})
    )


def marked_answer(book: Gradebook, digest: str) -> Answer | None:
    """A written answer as it was when it was marked; None where it was not known then."""
    with book.reading() as connection:
        document = ledger_rows.answer(connection, digest)
    return None if document is None else book.documents.read_answer(document)


def weigh(
    book: Gradebook, assignment: str, item: str, criterion: str, points: Fraction, *, by: str
) -> None:
    """Say what a criterion is worth from now on; all who have it are scored by it at once.

    It counts for as long as the rubric says of the criterion what it says now: where the file is
    changed later, the file wins.

    Raises:
        UsageError: nothing in the book is graded by such a criterion, or nobody says it.
    """
    marker = _named(by)
    known = _criterion(book, assignment, item, criterion)
    with book.writing() as connection:
        row = ledger_rows.WeightRow(
            id=uuid.uuid4().hex,
            assignment=assignment,
            item=item,
            criterion=criterion,
            points=str(points),
            instead_of=str(known.points),
            marker=marker,
            made_at=_now(),
        )
        ledger_rows.append_weight(connection, row)


def weights(book: Gradebook, assignment: str) -> Weights:
    """What criteria are worth instead of what the rubric says, by item and criterion.

    `Weight.counts` says of each whether the rubric still says what it said when it was weighed.
    """
    with book.reading() as connection:
        return mark_points.weights_of(ledger_rows.weights(connection), assignment)


# ---------------------------------------------------------------- what is in the book


def items(book: Gradebook) -> Mapping[str, Mapping[str, Item]]:
    """The items of every submission that has a score, their criteria at what they are worth now."""
    with book.reading() as connection:
        rows = ledger_rows.weights(connection)
    made: dict[tuple[str, int], Mapping[str, Item]] = {}
    found: dict[str, Mapping[str, Item]] = {}
    for name, (assignment, graded_by) in book.items().items():
        known = (assignment, id(graded_by))  # few lists, shared by many
        if known not in made:
            weighed = mark_points.weights_of(rows, assignment)
            made[known] = {
                key: mark_points.weighed(item, weights=weighed) for key, item in graded_by.items()
            }
        found[name] = made[known]
    return found


def _item(book: Gradebook, submission: str, item: str) -> Item | None:
    try:
        assignment, items = book.items_of(submission)
    except KeyError:
        return None
    with book.reading() as connection:
        weighed = mark_points.weights_of(ledger_rows.weights(connection), assignment)
    return mark_points.weighed(items[item], weights=weighed) if item in items else None


def _item_of(book: Gradebook, submission: str, item: str) -> Item:
    found = _item(book, submission, item)
    if found is None:
        raise UsageError(f"{submission}: nothing with an item {item} is graded under this name")
    return found


def _criterion(book: Gradebook, assignment: str, item: str, criterion: str) -> Criterion:
    """The criterion as the rubric has it; as most have it while some are graded by an older one."""
    said: dict[Criterion, int] = {}
    for of, items in book.items().values():
        if of in {assignment, ""} and item in items:
            for one in items[item].criteria:
                if one.id == criterion:
                    said[one] = said.get(one, 0) + 1
    if not said:
        raise UsageError(f"{criterion}: nothing is graded by such a criterion of item {item}")
    return max(said, key=lambda one: said[one])


# ---------------------------------------------------------------- rows


def _refuse_faults(given: Given, item: Item) -> None:
    _named(given.by)
    unknown = set(given.criteria) - {criterion.id for criterion in item.criteria}
    if unknown:
        raise UsageError(f"{given.item}: has no criterion {', '.join(sorted(unknown))}")
    if item.kind == "auto" and not given.reason.strip():
        raise UsageError(f"{given.item}: say why what the checks found is overridden")


def _named(by: str) -> str:
    name = _storable(by).strip()
    if not name:
        raise UsageError("a mark says who gave it: name yourself")
    return name


def _row(given: Given, item: Item, connection: Connection, *, replaced: int | None) -> Row:
    worth = {criterion.id: criterion.points for criterion in item.criteria}
    row = Row(
        id=uuid.uuid4().hex,
        submission=given.submission,
        item=given.item,
        follows=ledger_rows.last(connection, given.submission, given.item),
        replaced=replaced,
        takes_back=None,
        restores=None,
        answer=given.answer,
        criteria=json.dumps([[name, str(worth[name])] for name in dict.fromkeys(given.criteria)]),
        adjustment=str(given.adjustment),
        points=None if given.points is None else str(given.points),
        came_to="0",
        comment=_storable(given.comment),
        reason=_storable(given.reason),
        marker=_named(given.by),
        made_at=_now(),
    )
    return replace(row, came_to=str(mark_points.points_of(row, item=item)))


def _storable(text: str) -> str:
    """The text without what no database takes: halves of characters, and NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _answer_document(book: Gradebook, given: Given, item: Item) -> bytes | None:
    """The answer that is marked, to be remembered; None where it is another one by now."""
    if item.kind != "written":
        return None
    graded = book.graded(given.submission)
    answer = graded.answers.get(given.item)
    if answer is None or answer_digest(graded, given.item) != given.answer:
        return None
    return book.documents.answer(answer)


def _current_in(connection: Connection, submission: str, item: str) -> Row | None:
    return next(iter(ledger_rows.current(connection, submission=submission, item=item)), None)


def entry_of(row: Row, *, item: Item | None, taken_back: bool = False) -> Entry:
    """A row as an entry, worth what it is worth now."""
    return Entry(
        mark=mark_of(row, item=item),
        submission=row.submission,
        item=row.item,
        answer=row.answer,
        id=row.id,
        replaced=row.replaced,
        taken_back=taken_back,
        takes_back=row.takes_back,
        absolute=row.points is not None,
    )


def _conflict(
    given: Given | None, now: Row | None, item: Item | None, *, place: Place = ("", "")
) -> MarkConflict:
    submission, name = (given.submission, given.item) if given else place
    theirs = None if now is None else entry_of(now, item=item)
    told = f"was marked by {theirs.mark.by} meanwhile" if theirs else "has no mark any more"
    return MarkConflict(f"{name} of {submission} {told}", mine=given, theirs=theirs)
