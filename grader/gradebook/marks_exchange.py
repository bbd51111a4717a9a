"""All marks as JSON and back: into another store, or into the same one again, losing none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import Connection

from grader.errors import UsageError
from grader.gradebook import ledger, ledger_rows, mark_points
from grader.gradebook.ledger_rows import LedgerRow, WeightRow
from grader.gradebook.store import Gradebook
from grader.model import Item

SCHEMA_VERSION = 1
_NUMBER = r"^-?\d{1,40}(/[1-9]\d{0,39})?$"
FractionText = Annotated[str, StringConstraints(pattern=_NUMBER)]
"""Points as an exact fraction: '5/2'."""
EntryId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
RequiredText = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$")]
OptionalText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
StoredRow = LedgerRow | WeightRow
AnyRow = TypeVar("AnyRow")
GroupKey = TypeVar("GroupKey")
AnyRecord = TypeVar("AnyRecord", "MarkRecord", "WeightRecord")


class _FileRecord(BaseModel):
    """A part of the file; what a newer version may add is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class MetCriterion(_FileRecord):
    """A criterion that was met, and what it was worth then."""

    id: RequiredText
    worth: FractionText


class MarkRecord(_FileRecord):
    """An entry of the ledger; others are named by their ids."""

    id: EntryId
    submission: RequiredText
    item: RequiredText
    replaced: EntryId | None
    takes_back: EntryId | None
    restores: EntryId | None
    answer: RequiredText
    criteria: list[MetCriterion]
    adjustment: FractionText
    points: FractionText | None
    came_to: FractionText
    comment: OptionalText
    reason: OptionalText
    marker: RequiredText
    made_at: RequiredText


class WeightRecord(_FileRecord):
    """What a criterion is worth instead of what the rubric says."""

    id: EntryId
    assignment: OptionalText
    item: RequiredText
    criterion: RequiredText
    points: FractionText
    instead_of: FractionText
    marker: RequiredText
    made_at: RequiredText


class MarksFile(_FileRecord):
    """The whole file."""

    kind: Literal["marks"]
    marks_schema: Annotated[Literal[1], Field(alias="schema")]
    marks: list[MarkRecord]
    weights: list[WeightRecord] = []
    answers: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkClash:
    """An item that was marked in both stores since they parted: nothing of it was taken."""

    submission: str
    item: str
    in_gradebook: ledger.LedgerEntry | None = None
    """What stands here; None where it was taken back, or for what a criterion is worth."""
    in_file: ledger.LedgerEntry | None = None
    """What stands in the file."""
    criterion: str = ""
    """Where it is not about a mark but about what a criterion is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What importing marks came to."""

    added: int
    already_known: int
    clashes: tuple[MarkClash, ...]


# ---------------------------------------------------------------- out


def export_marks(book: Gradebook) -> str:
    """All marks, weights and answers that were marked, as JSON."""
    with book.reading() as connection:
        rows, weights = ledger_rows.all_rows(connection), ledger_rows.weight_rows(connection)
        documents = ledger_rows.answer_documents(connection)
    ids = {row.number: row.id for row in rows}
    content = {
        "kind": "marks",
        "schema": SCHEMA_VERSION,
        "marks": [_mark_to_json(row, ids) for row in rows],
        "weights": [_without_keys(asdict(row), "number") for row in weights],
        "answers": {
            digest: asdict(book.codec.decode_answer(document))
            for digest, document in sorted(documents.items())
        },
    }
    return json.dumps(content, indent=1) + "\n"


def _mark_to_json(row: LedgerRow, ids: Mapping[int, str]) -> dict[str, Any]:
    plain = _without_keys(asdict(row), "number", "follows")
    for name in ("replaced", "takes_back", "restores"):
        number = plain[name]
        plain[name] = None if number is None else ids[number]
    met = [{"id": name, "worth": worth} for name, worth in json.loads(row.criteria)]
    return plain | {"criteria": met}


def _without_keys(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


# ---------------------------------------------------------------- in


def import_marks(book: Gradebook, text: str) -> ImportResult:
    """Add what the file has more than the book, in one transaction; what clashes is left out.

    Of each item of each submission the file must go on from where the book is. Where both went on
    from the same mark, in different ways, that is a clash, unless both came to the same.

    Raises:
        UsageError: it is no file of marks.
    """
    file = _parse_marks_file(text)
    items = ledger.weighted_items(book)
    with book.writing() as connection:
        marks_import = _MarksImport(connection, items=items)
        marks_import.add_marks(file.marks)
        marks_import.add_weights(file.weights)
        for digest, answer_json in file.answers.items():
            answer = book.codec.parse_answer(answer_json)
            if answer is not None and mark_points.digest_answer(answer) == digest:
                ledger_rows.save_answer(connection, digest, book.codec.encode_answer(answer))
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
    """One import, within one transaction."""

    def __init__(self, connection: Connection, *, items: Mapping[str, Mapping[str, Item]]) -> None:
        self._connection = connection
        self._items = items
        self.added = 0
        self.already_known = 0
        self.clashes: list[MarkClash] = []

    def add_marks(self, tables: Sequence[MarkRecord]) -> None:
        """Take in the marks of the file."""
        rows = ledger_rows.all_rows(self._connection)
        numbers = {row.id: row.number for row in rows}
        known_histories = _group_rows(rows, key_for=_mark_key)
        for submission_item, file_history in _group_rows(tables, key_for=_mark_key).items():
            new_records = self._new_records(known_histories.get(submission_item, ()), file_history)
            if new_records is None:
                self._record_clash(known_histories[submission_item], file_history)
                continue
            for record in new_records:
                follows = ledger_rows.last_number(self._connection, *submission_item)
                row = _ledger_row(record, numbers, follows=follows)
                numbers[record.id] = ledger_rows.append_row(self._connection, row)

    def add_weights(self, tables: Sequence[WeightRecord]) -> None:
        """Take in what criteria are worth in the file."""
        known_histories = _group_rows(
            ledger_rows.weight_rows(self._connection), key_for=_weight_key
        )
        for weight_key, file_history in _group_rows(tables, key_for=_weight_key).items():
            new_records = self._new_records(known_histories.get(weight_key, ()), file_history)
            if new_records is not None:
                for record in new_records:
                    ledger_rows.append_weight(self._connection, WeightRow(**record.model_dump()))
            elif Fraction(known_histories[weight_key][-1].points) != Fraction(
                file_history[-1].points
            ):
                _, item, criterion = weight_key
                self.clashes.append(MarkClash(submission="", item=item, criterion=criterion))

    def _new_records(
        self, known_history: Sequence[StoredRow], file_history: Sequence[AnyRecord]
    ) -> Sequence[AnyRecord] | None:
        """What the file has more; None where it doesn't go on from what is here."""
        file_ids, known_ids = (
            [record.id for record in file_history],
            [record.id for record in known_history],
        )
        if set(file_ids) <= set(known_ids):
            self.already_known += len(file_ids)
            return ()
        if file_ids[: len(known_ids)] != known_ids:
            return None
        self.already_known += len(known_ids)
        self.added += len(file_ids) - len(known_ids)
        return file_history[len(known_ids) :]

    def _record_clash(
        self, known_history: Sequence[LedgerRow], file_history: Sequence[MarkRecord]
    ) -> None:
        """Both went on: a clash, unless they came to the same."""
        submission_item = _mark_key(known_history[0])
        item = self._items.get(submission_item[0], {}).get(submission_item[1])
        current_number = (
            known_history[-1].number
            if known_history[-1].takes_back is None
            else known_history[-1].restores
        )
        stored_row = next((row for row in known_history if row.number == current_number), None)
        rows = {record.id: _ledger_row(record, None, follows=0) for record in file_history}
        last = file_history[-1]
        file_row = rows[last.id] if last.takes_back is None else rows.get(last.restores or "")
        if _mark_content(stored_row) == _mark_content(file_row):
            self.already_known += len(file_history)
            return
        self.clashes.append(
            MarkClash(
                submission=submission_item[0],
                item=submission_item[1],
                in_gradebook=None
                if stored_row is None
                else ledger.entry_from_row(stored_row, item=item),
                in_file=None if file_row is None else ledger.entry_from_row(file_row, item=item),
            )
        )


def _mark_key(record: LedgerRow | MarkRecord) -> ledger.SubmissionItem:
    return record.submission, record.item


def _weight_key(record: WeightRow | WeightRecord) -> tuple[str, str, str]:
    return record.assignment, record.item, record.criterion


def _group_rows(
    rows: Iterable[AnyRow], *, key_for: Callable[[AnyRow], GroupKey]
) -> dict[GroupKey, list[AnyRow]]:
    """Those that belong together, each row in the order it was written in."""
    groups: dict[GroupKey, list[AnyRow]] = {}
    for row in rows:
        groups.setdefault(key_for(row), []).append(row)
    return groups


def _mark_content(row: LedgerRow | None) -> tuple[object, ...] | None:
    """What a mark comes down to, whoever gave it and when."""
    if row is None:
        return None
    criteria = sorted(name for name, _ in json.loads(row.criteria))
    return criteria, row.adjustment, row.points, row.comment, row.reason, row.answer


def _ledger_row(
    record: MarkRecord, numbers: Mapping[str, int] | None, *, follows: int
) -> LedgerRow:
    """An entry of the file as a row of the book.

    Args:
        record: the entry.
        numbers: the numbers of the entries that it may name; None where they don't matter.
        follows: the number of the entry before it.

    Raises:
        UsageError: it names one that is not there.
    """

    def number_for(entry_id: str | None) -> int | None:
        if entry_id is None or numbers is None:
            return None
        if entry_id not in numbers:
            raise UsageError(
                f"this export of marks is broken: {entry_id} is named, and isn't in it"
            )
        return numbers[entry_id]

    plain = record.model_dump()
    numbers_by_field = {
        name: number_for(plain[name]) for name in ("replaced", "takes_back", "restores")
    }
    met = json.dumps([[criterion.id, criterion.worth] for criterion in record.criteria])
    return LedgerRow(**plain | numbers_by_field | {"criteria": met, "follows": follows})
