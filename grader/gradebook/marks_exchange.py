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
from grader.gradebook.ledger_rows import Row, WeightRow
from grader.gradebook.store import Gradebook
from grader.model import Item

SCHEMA = 1
_NUMBER = r"^-?\d{1,40}(/[1-9]\d{0,39})?$"
Number = Annotated[str, StringConstraints(pattern=_NUMBER)]
"""Points as an exact fraction: '5/2'."""
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Known = Row | WeightRow
Part = TypeVar("Part")
Key = TypeVar("Key")
Table = TypeVar("Table", "MarkTable", "WeightTable")


class _Table(BaseModel):
    """A part of the file; what a newer version may add is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class CriterionTable(_Table):
    """A criterion that was met, and what it was worth then."""

    id: Word
    worth: Number


class MarkTable(_Table):
    """An entry of the ledger; others are named by their ids."""

    id: Id
    submission: Word
    item: Word
    replaced: Id | None
    takes_back: Id | None
    restores: Id | None
    answer: Word
    criteria: list[CriterionTable]
    adjustment: Number
    points: Number | None
    came_to: Number
    comment: Text
    reason: Text
    marker: Word
    made_at: Word


class WeightTable(_Table):
    """What a criterion is worth instead of what the rubric says."""

    id: Id
    assignment: Text
    item: Word
    criterion: Word
    points: Number
    instead_of: Number
    marker: Word
    made_at: Word


class MarksFile(_Table):
    """The whole file."""

    kind: Literal["marks"]
    marks_schema: Annotated[Literal[1], Field(alias="schema")]
    marks: list[MarkTable]
    weights: list[WeightTable] = []
    answers: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """An item that was marked in both stores since they parted: nothing of it was taken."""

    submission: str
    item: str
    ours: ledger.Entry | None = None
    """What stands here; None where it was taken back, or for what a criterion is worth."""
    theirs: ledger.Entry | None = None
    """What stands in the file."""
    criterion: str = ""
    """Where it is not about a mark but about what a criterion is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What importing marks came to."""

    added: int
    known: int
    clashes: tuple[Clash, ...]


# ---------------------------------------------------------------- out


def exported(book: Gradebook) -> str:
    """All marks, weights and answers that were marked, as JSON."""
    with book.reading() as connection:
        rows, weights = ledger_rows.every(connection), ledger_rows.weights(connection)
        documents = ledger_rows.answers(connection)
    ids = {row.number: row.id for row in rows}
    whole = {
        "kind": "marks",
        "schema": SCHEMA,
        "marks": [_plain(row, ids) for row in rows],
        "weights": [_without(asdict(row), "number") for row in weights],
        "answers": {
            digest: asdict(book.documents.read_answer(document))
            for digest, document in sorted(documents.items())
        },
    }
    return json.dumps(whole, indent=1) + "\n"


def _plain(row: Row, ids: Mapping[int, str]) -> dict[str, Any]:
    plain = _without(asdict(row), "number", "follows")
    for name in ("replaced", "takes_back", "restores"):
        number = plain[name]
        plain[name] = None if number is None else ids[number]
    met = [{"id": name, "worth": worth} for name, worth in json.loads(row.criteria)]
    return plain | {"criteria": met}


def _without(plain: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name not in names}


# ---------------------------------------------------------------- in


def imported(book: Gradebook, text: str) -> Taken:
    """Add what the file has more than the book, in one transaction; what clashes is left out.

    Of each item of each submission the file must go on from where the book is. Where both went on
    from the same mark, in different ways, that is a clash, unless both came to the same.

    Raises:
        UsageError: it is no file of marks.
    """
    file = _read(text)
    items = ledger.items(book)
    with book.writing() as connection:
        done = _Import(connection, items=items)
        done.marks(file.marks)
        done.weights(file.weights)
        for digest, plain in file.answers.items():
            answer = book.documents.answer_from(plain)
            if answer is not None and mark_points.digest_of(answer) == digest:
                ledger_rows.keep_answer(connection, digest, book.documents.answer(answer))
    return Taken(added=done.added, known=done.known, clashes=tuple(done.clashes))


def _read(text: str) -> MarksFile:
    try:
        return MarksFile.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(f"this is no export of marks: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is no export of marks: not JSON ({error})") from error


class _Import:
    """One import, within one transaction."""

    def __init__(self, connection: Connection, *, items: Mapping[str, Mapping[str, Item]]) -> None:
        self._connection = connection
        self._items = items
        self.added = 0
        self.known = 0
        self.clashes: list[Clash] = []

    def marks(self, tables: Sequence[MarkTable]) -> None:
        """Take in the marks of the file."""
        rows = ledger_rows.every(self._connection)
        numbers = {row.id: row.number for row in rows}
        here = _chains(rows, by=_place)
        for place, theirs in _chains(tables, by=_place).items():
            more = self._more(here.get(place, ()), theirs)
            if more is None:
                self._clash(here[place], theirs)
                continue
            for table in more:
                follows = ledger_rows.last(self._connection, *place)
                row = _row(table, numbers, follows=follows)
                numbers[table.id] = ledger_rows.append(self._connection, row)

    def weights(self, tables: Sequence[WeightTable]) -> None:
        """Take in what criteria are worth in the file."""
        here = _chains(ledger_rows.weights(self._connection), by=_criterion)
        for place, theirs in _chains(tables, by=_criterion).items():
            more = self._more(here.get(place, ()), theirs)
            if more is not None:
                for table in more:
                    ledger_rows.append_weight(self._connection, WeightRow(**table.model_dump()))
            elif Fraction(here[place][-1].points) != Fraction(theirs[-1].points):
                _, item, criterion = place
                self.clashes.append(Clash(submission="", item=item, criterion=criterion))

    def _more(self, mine: Sequence[Known], theirs: Sequence[Table]) -> Sequence[Table] | None:
        """What the file has more; None where it doesn't go on from what is here."""
        ids, known = [one.id for one in theirs], [one.id for one in mine]
        if set(ids) <= set(known):
            self.known += len(ids)
            return ()
        if ids[: len(known)] != known:
            return None
        self.known += len(known)
        self.added += len(ids) - len(known)
        return theirs[len(known) :]

    def _clash(self, mine: Sequence[Row], theirs: Sequence[MarkTable]) -> None:
        """Both went on: a clash, unless they came to the same."""
        place = _place(mine[0])
        item = self._items.get(place[0], {}).get(place[1])
        end = mine[-1].number if mine[-1].takes_back is None else mine[-1].restores
        ours = next((row for row in mine if row.number == end), None)
        rows = {table.id: _row(table, None, follows=0) for table in theirs}
        last = theirs[-1]
        other = rows[last.id] if last.takes_back is None else rows.get(last.restores or "")
        if _says(ours) == _says(other):
            self.known += len(theirs)
            return
        self.clashes.append(
            Clash(
                submission=place[0],
                item=place[1],
                ours=None if ours is None else ledger.entry_of(ours, item=item),
                theirs=None if other is None else ledger.entry_of(other, item=item),
            )
        )


def _place(one: Row | MarkTable) -> ledger.Place:
    return one.submission, one.item


def _criterion(one: WeightRow | WeightTable) -> tuple[str, str, str]:
    return one.assignment, one.item, one.criterion


def _chains(parts: Iterable[Part], *, by: Callable[[Part], Key]) -> dict[Key, list[Part]]:
    """Those that belong together, each row in the order it was written in."""
    made: dict[Key, list[Part]] = {}
    for part in parts:
        made.setdefault(by(part), []).append(part)
    return made


def _says(row: Row | None) -> tuple[object, ...] | None:
    """What a mark comes down to, whoever gave it and when."""
    if row is None:
        return None
    criteria = sorted(name for name, _ in json.loads(row.criteria))
    return criteria, row.adjustment, row.points, row.comment, row.reason, row.answer


def _row(table: MarkTable, numbers: Mapping[str, int] | None, *, follows: int) -> Row:
    """An entry of the file as a row of the book.

    Args:
        table: the entry.
        numbers: the numbers of the entries that it may name; None where they don't matter.
        follows: the number of the entry before it.

    Raises:
        UsageError: it names one that is not there.
    """

    def number(of: str | None) -> int | None:
        if of is None or numbers is None:
            return None
        if of not in numbers:
            raise UsageError(f"this export of marks is broken: {of} is named, and isn't in it")
        return numbers[of]

    plain = table.model_dump()
    named = {name: number(plain[name]) for name in ("replaced", "takes_back", "restores")}
    met = json.dumps([[one.id, one.worth] for one in table.criteria])
    return Row(**plain | named | {"criteria": met, "follows": follows})
