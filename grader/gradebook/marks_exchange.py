"""Export marks, edits of criteria and marked answers as JSON, and import them into a gradebook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import Connection, select

from grader.errors import UsageError
from grader.gradebook import ledger, mark_points
from grader.gradebook import ledger_statements as statements
from grader.gradebook.criterion_edits import CriterionEdit
from grader.gradebook.mark_points import price_mark
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import marked_answers
from grader.model import Item, Mark
from grader.model.assignment import Retired

SCHEMA_VERSION = 1
ExactNumber = Annotated[str, StringConstraints(pattern=r"^-?\d{1,40}(/[1-9]\d{0,39})?$")]
"""Points as an exact fraction: '5/2'."""
EntryId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
RequiredText = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$")]
OptionalText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Key = TypeVar("Key")


class _FileRecord(BaseModel):
    """A part of the file; what a newer version may add is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class MetCriterion(_FileRecord):
    """A criterion that was met, and what it was worth then."""

    id: RequiredText
    worth: ExactNumber


class MarkRecord(_FileRecord):
    """A row of the ledger in the file, where rows refer to each other by id, not by number."""

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

    def to_mark(self) -> Mark:
        """Return the row without its references to other rows."""
        return Mark(
            id=self.id,
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
    """The points of a criterion that replace those in the rubric, as early versions wrote them."""

    id: EntryId
    assignment: OptionalText
    item: RequiredText
    criterion: RequiredText
    points: ExactNumber
    instead_of: ExactNumber
    marker: RequiredText
    made_at: RequiredText

    def to_edit(self) -> CriterionEdit:
        """Return the row, without a number."""
        plain = self.model_dump()
        plain |= {"points": Fraction(self.points), "file_points": Fraction(self.instead_of)}
        del plain["instead_of"]
        return CriterionEdit(by=plain.pop("marker"), at=plain.pop("made_at"), **plain)


class EditRecord(_FileRecord):
    """An edit of a criterion in the file, without its number."""

    id: EntryId
    assignment: OptionalText
    item: RequiredText
    criterion: RequiredText
    text: RequiredText | None
    points: ExactNumber
    retired: Retired
    sequence: list[RequiredText]
    file_text: RequiredText | None
    file_points: ExactNumber | None
    file_retired: Retired
    file_sequence: list[RequiredText]
    by: RequiredText
    at: RequiredText

    @classmethod
    def from_edit(cls, edit: CriterionEdit) -> EditRecord:
        """Return the record of a row."""
        plain = asdict(edit)
        plain["points"] = str(edit.points)
        plain["file_points"] = None if edit.file_points is None else str(edit.file_points)
        plain |= {name: list(plain[name]) for name in ("sequence", "file_sequence")}
        return cls.model_construct(**{name: plain[name] for name in cls.model_fields})

    def to_edit(self) -> CriterionEdit:
        """Return the row, without a number."""
        plain = self.model_dump()
        plain["points"] = Fraction(self.points)
        plain["file_points"] = None if self.file_points is None else Fraction(self.file_points)
        for name in ("sequence", "file_sequence"):
            plain[name] = tuple(plain[name])
        return CriterionEdit(**plain)


class MarksFile(_FileRecord):
    """The whole file."""

    kind: Literal["marks"]
    marks_schema: Annotated[Literal[1], Field(alias="schema")]
    marks: list[MarkRecord]
    weights: list[WeightRecord] = []
    criterion_edits: list[EditRecord] = []
    answers: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportConflict:
    """An item marked differently in the gradebook and in the file; none of it is imported."""

    submission: str
    item: str
    in_gradebook: Mark | None = None
    """The current mark in the gradebook; None where it was taken back, and for an edit."""
    in_file: Mark | None = None
    """The current mark in the file; None in the same cases."""
    criterion: str = ""
    """The criterion, where the conflict is about an edit of it; '' for a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """How many rows were imported, and what was left out."""

    added: int
    already_known: int
    conflicts: tuple[ImportConflict, ...]


Row = TypeVar("Row", Mark, MarkRecord, CriterionEdit)


def export_marks(book: Gradebook) -> str:
    """Return all marks, edits of criteria and answers that were marked, as JSON."""
    with book.reading() as connection:
        marks = statements.load_all_marks(connection)
        edits = statements.load_criterion_edits(connection)
        answers = connection.execute(select(marked_answers).order_by(marked_answers.c.digest)).all()
    ids = {mark.number: mark.id for mark in marks}
    content = {
        "kind": "marks",
        "schema": SCHEMA_VERSION,
        "marks": [MarkRecord.from_mark(mark, ids=ids).model_dump() for mark in marks],
        "criterion_edits": [EditRecord.from_edit(edit).model_dump() for edit in edits],
        "answers": {
            answer.digest: asdict(book.codec.decode_answer(answer.document)) for answer in answers
        },
    }
    return json.dumps(content, indent=1) + "\n"


def import_marks(book: Gradebook, text: str) -> ImportResult:
    """Add the rows that the gradebook lacks, in one transaction; leave conflicts out.

    A history is all rows on one item of one submission. The history in the file must continue the
    one in the gradebook. Where both continue a common beginning in different ways, that is a
    conflict, unless both end with the same decision.

    Raises:
        UsageError: the text is no export of marks.
    """
    file = _parse_marks_file(text)
    items = ledger.edited_items(book)
    with book.writing() as connection:
        marks_import = _MarksImport(connection, items=items)
        marks_import.add_marks(file.marks)
        edits = [record.to_edit() for record in file.weights]
        edits += [record.to_edit() for record in file.criterion_edits]
        marks_import.add_edits(edits)
        for digest, answer_json in file.answers.items():
            answer = book.codec.parse_answer(answer_json)
            if answer is not None and mark_points.digest_answer(answer) == digest:
                statements.save_answer(connection, digest, book.codec.encode_answer(answer))
    return ImportResult(
        added=marks_import.added,
        already_known=marks_import.already_known,
        conflicts=tuple(marks_import.conflicts),
    )


def _parse_marks_file(text: str) -> MarksFile:
    try:
        file = MarksFile.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        key_path = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(f"this is not an export of marks: {key_path}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is not an export of marks: not JSON ({error})") from error
    earlier_ids: dict[tuple[str, str], set[str]] = {}
    for record in file.marks:
        known_ids = earlier_ids.setdefault((record.submission, record.item), set())
        for name in (record.replaced, record.takes_back, record.restores):
            if name is not None and name not in known_ids:
                raise UsageError(
                    f"this export of marks is broken: {name} is named, and isn't in it"
                )
        known_ids.add(record.id)
    return file


class _MarksImport:
    """One import, within one transaction; counts what it does."""

    def __init__(self, connection: Connection, *, items: Mapping[str, Mapping[str, Item]]) -> None:
        self._connection = connection
        self._items = items
        self.added = 0
        self.already_known = 0
        self.conflicts: list[ImportConflict] = []

    def add_marks(self, records: Sequence[MarkRecord]) -> None:
        """Add the marks of a file, history by history."""
        stored_marks = statements.load_all_marks(self._connection)
        numbers: dict[str | None, int | None] = {mark.id: mark.number for mark in stored_marks}
        numbers[None] = None
        stored_histories = _group(stored_marks, lambda mark: (mark.submission, mark.item))
        file_histories = _group(records, lambda record: (record.submission, record.item))
        for key, history in file_histories.items():
            new_records = self._new_rows(stored_histories.get(key, []), history)
            if new_records is None:
                self._add_conflict(*key, history)
            for record in new_records or ():
                mark = replace(
                    record.to_mark(),
                    follows=statements.last_number(self._connection, *key),
                    replaced=numbers[record.replaced],
                    takes_back=numbers[record.takes_back],
                    restores=numbers[record.restores],
                )
                numbers[mark.id] = statements.append_mark(self._connection, mark)

    def add_edits(self, edits: Sequence[CriterionEdit]) -> None:
        """Add the edits of criteria of a file, history by history."""

        def key_for(edit: CriterionEdit) -> tuple[str, str]:
            return edit.assignment, edit.item

        stored_histories = _group(statements.load_criterion_edits(self._connection), key_for)
        for key, history in _group(edits, key_for).items():
            stored = stored_histories.get(key, [])
            new_edits = self._new_rows(stored, history)
            if new_edits is None:
                self.conflicts += _edit_conflicts(stored, history)
            last = stored[-1].number if stored else 0
            for edit in new_edits or ():
                last = statements.append_criterion_edit(
                    self._connection, replace(edit, follows=last)
                )

    def _new_rows(
        self, stored: Sequence[Mark] | Sequence[CriterionEdit], history: Sequence[Row]
    ) -> Sequence[Row] | None:
        """Return the rows that only the file has; None where it doesn't continue what is stored."""
        ids, stored_ids = [row.id for row in history], [row.id for row in stored]
        if set(ids) <= set(stored_ids):
            self.already_known += len(ids)
            return ()
        if ids[: len(stored_ids)] != stored_ids:
            return None
        self.already_known += len(stored_ids)
        self.added += len(ids) - len(stored_ids)
        return history[len(stored_ids) :]

    def _add_conflict(self, submission: str, item: str, records: Sequence[MarkRecord]) -> None:
        """Record a conflict, unless both histories end with the same decision."""
        current = statements.load_current_marks(self._connection, submission=submission, item=item)
        in_gradebook = current[0] if current else None
        last = records[-1]
        current_id = last.id if last.takes_back is None else last.restores
        in_file = next((record.to_mark() for record in records if record.id == current_id), None)
        if _decision(in_gradebook) == _decision(in_file):
            self.already_known += len(records)
            return
        rubric_item = self._items.get(submission, {}).get(item)
        self.conflicts.append(
            ImportConflict(
                submission=submission,
                item=item,
                in_gradebook=in_gradebook and price_mark(in_gradebook, item=rubric_item),
                in_file=in_file and price_mark(in_file, item=rubric_item),
            )
        )


def _group(rows: Iterable[Row], key_for: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Group rows by key; each group keeps the order of the rows."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key_for(row), []).append(row)
    return groups


def _edit_conflicts(
    stored: Iterable[CriterionEdit], history: Iterable[CriterionEdit]
) -> Iterator[ImportConflict]:
    """Yield a conflict for each criterion that both left in different ways."""
    here, there = ({edit.criterion: edit for edit in edits} for edits in (stored, history))
    for name, edit in there.items():
        other = here.get(name)
        state = (edit.text, edit.points, edit.retired)
        if other is None or (other.text, other.points, other.retired) != state:
            yield ImportConflict(submission="", item=edit.item, criterion=name)


def _decision(mark: Mark | None) -> tuple[object, ...] | None:
    """Return what a mark decides, without who decided it and when."""
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
