"""Export marks, weights and marked answers as JSON, and import them into a gradebook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import Connection

from grader.errors import UsageError
from grader.gradebook import ledger, mark_points
from grader.gradebook import ledger_statements as statements
from grader.gradebook.mark_points import Weight, price_mark
from grader.gradebook.store import Gradebook
from grader.model import Item, Mark

SCHEMA_VERSION = 1
ExactNumber = Annotated[str, StringConstraints(pattern=r"^-?\d{1,40}(/[1-9]\d{0,39})?$")]
"""Points as an exact fraction: '5/2'."""
EntryId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
RequiredText = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$")]
OptionalText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Row = TypeVar("Row", Mark, Weight)
_REFERENCES = ("replaced", "takes_back", "restores")
"""Fields of a mark that name others: by number in a gradebook, by id in a file."""


class _FileRecord(BaseModel):
    """A part of the file; what a newer version may add is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class MetCriterion(_FileRecord):
    """A criterion that was met, and what it was worth then."""

    id: RequiredText
    worth: ExactNumber


class MarkRecord(_FileRecord):
    """A row of the ledger as the file has it; other rows are named by their ids."""

    id: EntryId
    submission: RequiredText
    item: RequiredText
    replaced: EntryId | None
    takes_back: EntryId | None
    restores: EntryId | None
    answer: RequiredText
    criteria: list[MetCriterion]
    adjustment: ExactNumber
    points: ExactNumber | None
    came_to: ExactNumber
    comment: OptionalText
    reason: OptionalText
    marker: RequiredText
    made_at: RequiredText

    @classmethod
    def from_mark(cls, mark: Mark, *, ids: Mapping[int, str]) -> MarkRecord:
        """Return the record of a row, given the ids of all rows by number."""
        return cls.model_construct(  # what is stored needs no validation
            id=mark.id,
            submission=mark.submission,
            item=mark.item,
            replaced=mark.replaced and ids[mark.replaced],
            takes_back=mark.takes_back and ids[mark.takes_back],
            restores=mark.restores and ids[mark.restores],
            answer=mark.answer_digest,
            criteria=[
                MetCriterion.model_construct(id=name, worth=str(points))
                for name, points in zip(mark.criteria, mark.criteria_points, strict=True)
            ],
            adjustment=str(mark.adjustment),
            points=None if mark.fixed_points is None else str(mark.fixed_points),
            came_to=str(mark.points),
            comment=mark.comment,
            reason=mark.reason,
            marker=mark.by,
            made_at=mark.at,
        )

    def to_mark(self, *, numbers: Mapping[str, int]) -> Mark:
        """Return the row, its number and references being those of the file.

        Raises:
            UsageError: it names a row that is not in the file.
        """
        references: dict[str, Any] = {}
        for name in _REFERENCES:
            entry_id = getattr(self, name)
            if entry_id is not None and entry_id not in numbers:
                raise UsageError(
                    f"this export of marks is broken: {entry_id} is named, and isn't in it"
                )
            references[name] = None if entry_id is None else numbers[entry_id]
        return Mark(
            **references,
            id=self.id,
            number=numbers[self.id],
            submission=self.submission,
            item=self.item,
            answer_digest=self.answer,
            criteria=tuple(criterion.id for criterion in self.criteria),
            criteria_points=tuple(Fraction(criterion.worth) for criterion in self.criteria),
            adjustment=Fraction(self.adjustment),
            fixed_points=None if self.points is None else Fraction(self.points),
            points=Fraction(self.came_to),
            comment=self.comment,
            reason=self.reason,
            by=self.marker,
            at=self.made_at,
        )


class WeightRecord(_FileRecord):
    """What a criterion is worth instead of what the rubric says, as the file has it."""

    id: EntryId
    assignment: OptionalText
    item: RequiredText
    criterion: RequiredText
    points: ExactNumber
    instead_of: ExactNumber
    marker: RequiredText
    made_at: RequiredText

    @classmethod
    def from_weight(cls, weight: Weight) -> WeightRecord:
        """Return the record of a row."""
        plain = asdict(weight)
        plain |= {"points": str(weight.points), "instead_of": str(weight.instead_of)}
        return cls.model_construct(marker=plain.pop("by"), made_at=plain.pop("at"), **plain)

    def to_weight(self) -> Weight:
        """Return the row, without a number."""
        plain = self.model_dump()
        plain |= {"points": Fraction(self.points), "instead_of": Fraction(self.instead_of)}
        return Weight(by=plain.pop("marker"), at=plain.pop("made_at"), **plain)


class MarksFile(_FileRecord):
    """The whole file."""

    kind: Literal["marks"]
    marks_schema: Annotated[Literal[1], Field(alias="schema")]
    marks: list[MarkRecord]
    weights: list[WeightRecord] = []
    answers: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkClash:
    """An item marked differently in the gradebook and in the file; none of it is imported."""

    submission: str
    item: str
    in_gradebook: Mark | None = None
    """The mark here; None where it was taken back, or for what a criterion is worth."""
    in_file: Mark | None = None
    """The mark in the file."""
    criterion: str = ""
    """Where it is not about a mark but about what a criterion is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What importing marks came to."""

    added: int
    already_known: int
    clashes: tuple[MarkClash, ...]


def export_marks(book: Gradebook) -> str:
    """Return all marks, weights and answers that were marked, as JSON."""
    with book.reading() as connection:
        marks, weights = statements.load_all_marks(connection), statements.load_weights(connection)
        documents = statements.load_answers(connection)
    ids = {mark.number: mark.id for mark in marks}
    content = {
        "kind": "marks",
        "schema": SCHEMA_VERSION,
        "marks": [MarkRecord.from_mark(mark, ids=ids).model_dump() for mark in marks],
        "weights": [WeightRecord.from_weight(weight).model_dump() for weight in weights],
        "answers": {
            digest: asdict(book.codec.decode_answer(document))
            for digest, document in sorted(documents.items())
        },
    }
    return json.dumps(content, indent=1) + "\n"


def import_marks(book: Gradebook, text: str) -> ImportResult:
    """Add what a file has more than the gradebook, in one transaction; leave out what clashes.

    For each item of each submission the file must go on from where the gradebook is. Where both
    went on from the same mark, in different ways, that is a clash, unless both came to the same.

    Raises:
        UsageError: it is no file of marks.
    """
    file = _parse_marks_file(text)
    numbers = {record.id: number for number, record in enumerate(file.marks, start=1)}
    marks = [record.to_mark(numbers=numbers) for record in file.marks]
    items = ledger.weighted_items(book)
    with book.writing() as connection:
        marks_import = _MarksImport(connection, items=items)
        marks_import.add_marks(marks)
        marks_import.add_weights([record.to_weight() for record in file.weights])
        for digest, answer_json in file.answers.items():
            answer = book.codec.parse_answer(answer_json)
            if answer is not None and mark_points.digest_answer(answer) == digest:
                statements.save_answer(connection, digest, book.codec.encode_answer(answer))
    return ImportResult(
        added=marks_import.added,
        already_known=marks_import.already_known,
        clashes=tuple(marks_import.clashes),
    )


def _parse_marks_file(text: str) -> MarksFile:
    try:
        return MarksFile.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        key_path = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(f"this is no export of marks: {key_path}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is no export of marks: not JSON ({error})") from error


class _MarksImport:
    """One import, within one transaction; counts what it does."""

    def __init__(self, connection: Connection, *, items: Mapping[str, Mapping[str, Item]]) -> None:
        self._connection = connection
        self._items = items
        self.added = 0
        self.already_known = 0
        self.clashes: list[MarkClash] = []

    def add_marks(self, marks: Sequence[Mark]) -> None:
        """Add the marks of a file, history by history."""
        file_ids = {mark.number: mark.id for mark in marks}
        stored = statements.load_all_marks(self._connection)
        numbers = {mark.id: mark.number for mark in stored}
        stored_histories = _group(stored, lambda mark: (mark.submission, mark.item))
        for key, history in _group(marks, lambda mark: (mark.submission, mark.item)).items():
            stored_history = stored_histories.get(key, [])
            new_marks = self._new_rows(stored_history, history)
            if new_marks is None:
                self._add_clash(stored_history, history)
            for mark in new_marks or ():
                references: dict[str, Any] = {
                    name: numbers[file_ids[number]] if (number := getattr(mark, name)) else None
                    for name in _REFERENCES
                }
                follows = statements.last_number(self._connection, *key)
                row = replace(mark, follows=follows, **references)
                numbers[mark.id] = statements.append_mark(self._connection, row)

    def add_weights(self, weights: Sequence[Weight]) -> None:
        """Add what criteria are worth in a file."""

        def key_for(weight: Weight) -> tuple[str, str, str]:
            return weight.assignment, weight.item, weight.criterion

        stored_histories = _group(statements.load_weights(self._connection), key_for)
        for key, history in _group(weights, key_for).items():
            stored_history = stored_histories.get(key, [])
            new_weights = self._new_rows(stored_history, history)
            if new_weights is None and stored_history[-1].points != history[-1].points:
                _, item, criterion = key
                self.clashes.append(MarkClash(submission="", item=item, criterion=criterion))
            for weight in new_weights or ():
                statements.append_weight(self._connection, weight)

    def _new_rows(self, stored: Sequence[Row], history: Sequence[Row]) -> Sequence[Row] | None:
        """Return what the file has more; None where it doesn't go on from what is here."""
        ids, stored_ids = [row.id for row in history], [row.id for row in stored]
        if set(ids) <= set(stored_ids):
            self.already_known += len(ids)
            return ()
        if ids[: len(stored_ids)] != stored_ids:
            return None
        self.already_known += len(stored_ids)
        self.added += len(ids) - len(stored_ids)
        return history[len(stored_ids) :]

    def _add_clash(self, stored: Sequence[Mark], history: Sequence[Mark]) -> None:
        """Note that both went on, unless they came to the same."""
        here, there = _current_mark(stored), _current_mark(history)
        if _content(here) == _content(there):
            self.already_known += len(history)
            return
        submission, item_id = stored[0].submission, stored[0].item
        item = self._items.get(submission, {}).get(item_id)
        self.clashes.append(
            MarkClash(
                submission=submission,
                item=item_id,
                in_gradebook=here and price_mark(here, item=item),
                in_file=there and price_mark(there, item=item),
            )
        )


def _group(rows: Iterable[Row], key_for: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Return the rows that belong together, each group in the order they were written."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key_for(row), []).append(row)
    return groups


def _current_mark(history: Sequence[Mark]) -> Mark | None:
    last = history[-1]
    if last.takes_back is None:
        return last
    return next((mark for mark in history if mark.number == last.restores), None)


def _content(mark: Mark | None) -> tuple[object, ...] | None:
    """Return what was decided, whoever decided it and when."""
    if mark is None:
        return None
    return (
        sorted(mark.criteria),
        mark.adjustment,
        mark.fixed_points,
        mark.comment,
        mark.reason,
        mark.answer_digest,
    )
