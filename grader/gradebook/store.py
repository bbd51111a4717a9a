"""The book itself: keeps submissions, each in one transaction, and finds them again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, Engine

from grader import scoring
from grader.gradebook import ledger_rows, mark_points, statements
from grader.gradebook.array_storage import Arrays, Packing
from grader.gradebook.database_errors import told
from grader.gradebook.stored_records import Documents
from grader.gradebook.write_intent import WRITES
from grader.model import Graded, Item, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One submission in the book."""

    key: str
    """A digest of all it was made from: an equal key means that nothing changed."""
    graded: Graded
    trace: Trace | None
    """None if it never ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A grade with its marks, ready to be shown."""

    graded: Graded
    stamp: str
    """The same for as long as no mark on it changes; '' where it has none."""
    page: str
    """The stamp that its pages were last made with."""


class ItemLists:
    """The items of a rubric as document and as records; remembers the last, since all share it."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._last: tuple[tuple[Item, ...], str, bytes] = ((), "", b"")

    def written(self, items: tuple[Item, ...]) -> tuple[str, bytes]:
        """Digest and document."""
        known, digest, document = self._last
        if not digest or known != items:
            document = self._documents.items(items)
            digest = hashlib.sha256(document).hexdigest()
            self._last = (items, digest, document)
        return digest, document

    def read(self, digest: str, document: bytes) -> tuple[Item, ...]:
        """The items."""
        items, known, _ = self._last
        if known != digest:
            items = self._documents.read_items(document)
            self._last = (items, digest, document)
        return items


class Gradebook:
    """What `opened` gives; threads may share it, processes may not.

    Its methods raise `UsageError` when the store fails: no room on the disk, a damaged file.
    """

    def __init__(self, engine: Engine, *, place: str, hidden: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._for_writing = engine.execution_options(**{WRITES: True})
        self._place = place
        self._hidden = hidden
        self._process = os.getpid()
        self._turn = Lock()
        self.documents = Documents()
        """How records are written in it."""
        self._items = ItemLists(self.documents)

    def keep(self, entry: Entry, *, shown: Marked | None = None) -> None:
        """Put a submission in the place of what the book had of it: wholly, or not at all.

        Args:
            entry: the submission; marks in its grade are left out: they stand in the ledger.
            shown: what its pages were just made from.
        """
        name = entry.graded.submission.name
        now = self._concluded(entry.graded)
        packing, trace = Packing(), None
        if entry.trace is not None:
            trace = self.documents.trace(entry.trace, packing=packing)
        with self.writing() as connection:
            statements.enter(connection, name, key=entry.key, now=now)
            statements.replace_trace(connection, name, document=trace, packing=packing)
            _settle(connection, name, shown)

    def amend(self, graded: Graded, *, key: str, shown: Marked | None = None) -> None:
        """Put another conclusion in the place of the earlier one; what the run left stays.

        Raises:
            KeyError: the book has no such submission.
        """
        name = graded.submission.name
        now = self._concluded(graded)
        with self.writing() as connection:
            if not statements.conclude(connection, name, key=key, now=now):
                raise KeyError(name)
            _settle(connection, name, shown)

    def keys(self) -> Mapping[str, str]:
        """The key of each submission in the book, whether it is on the roll or not."""
        with self.reading() as connection:
            return statements.keys(connection)

    def graded(self, name: str) -> Graded:
        """What was concluded on a submission, with the marks that people gave.

        Raises:
            KeyError: the book has no such submission.
        """
        return self.marked(name).graded

    def marked(self, name: str) -> Marked:
        """The grade of a submission, with what its pages must know of its marks.

        Raises:
            KeyError: the book has no such submission.
        """
        with self.reading() as connection:
            found = statements.concluded(connection, name)
            if found is None:
                raise KeyError(name)
            marks = _Marks.of(connection, name)
        return marks.on(self._read(found))

    def with_marks(self, graded: Graded) -> Marked:
        """A grade that is not in the book yet, with the marks that the book has for it."""
        with self.reading() as connection:
            marks = _Marks.of(connection, graded.submission.name)
        return marks.on(graded)

    def moment(self) -> str:
        """How far the ledger is: the same for as long as nothing is added to it."""
        with self.reading() as connection:
            return ledger_rows.moment(connection)

    def stale(self) -> tuple[str, ...]:
        """The submissions on the roll whose pages don't show the marks there are."""
        with self.reading() as connection:
            names = statements.names_on_roll(connection)
            stamps, pages = ledger_rows.stamps(connection), ledger_rows.pages(connection)
        return tuple(name for name in names if stamps.get(name, "") != pages.get(name, ""))

    def claim_page(self, name: str, *, token: str) -> None:
        """Say that the pages of a submission are being made anew."""
        with self.writing() as connection:
            ledger_rows.replace_page(connection, name, stamp=token)

    def settle_page(self, name: str, *, token: str, stamp: str) -> bool:
        """Say that they are made; False, and they are stale, if another came between."""
        with self.writing() as connection:
            return ledger_rows.settle_page(connection, name, seen=token, stamp=stamp)

    def _read(self, found: statements.Concluded) -> Graded:
        """A grade as a machine came to it."""
        items = () if found.item_list is None else self._items.read(*found.item_list)
        arrays = Arrays(pack=found.pack)
        return self.documents.read_graded(found.result, items=items, arrays=arrays)

    def all_graded(self, names: Sequence[str]) -> Iterator[Graded]:
        """What was concluded on each, one at a time: memory does not grow with their number.

        No transaction stays open between two of them, so that readers hold up nobody.
        """
        return (self.graded(name) for name in names)

    def trace(self, name: str) -> Trace | None:
        """What a run left behind; None if the submission never ran or is not in the book."""
        with self.reading() as connection:
            found = statements.trace(connection, name)
        if found is None:
            return None
        document, pack, blobs = found
        return self.documents.read_trace(document, arrays=Arrays(pack=pack, blobs=blobs))

    def items(self) -> Mapping[str, tuple[str, Mapping[str, Item]]]:
        """The assignment of each submission that has a score, and the items it was graded by."""
        with self.reading() as connection:
            found = ledger_rows.graded_by(connection)
            documents = ledger_rows.lists(connection)
        lists = {
            digest: {item.id: item for item in self._items.read(digest, document)}
            for digest, document in documents.items()
        }
        return {name: (assignment, lists[digest]) for name, assignment, digest in found}

    def assignment(self) -> str:
        """The id of the rubric that most are graded by; '' where the book doesn't know."""
        with self.reading() as connection:
            return statements.assignment(connection)

    def items_of(self, name: str) -> tuple[str, Mapping[str, Item]]:
        """The assignment of one submission, and the items it was graded by; none without a score.

        Raises:
            KeyError: the book has no such submission.
        """
        with self.reading() as connection:
            found = statements.concluded(connection, name)
        if found is None:
            raise KeyError(name)
        items = () if found.item_list is None else self._items.read(*found.item_list)
        return found.assignment, {item.id: item for item in items}

    def enrol(self, names: Sequence[str]) -> None:
        """Say which submissions there are now, and in what order; some may not be graded yet.

        Those that are gone keep their rows: marks may belong to them, and they may come back.
        """
        with self.writing() as connection:
            statements.replace_roll(connection, names)

    def roll(self) -> tuple[str, ...]:
        """The submissions there were when `enrol` was last called."""
        with self.reading() as connection:
            return statements.names_on_roll(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes, when it is this thread's turn."""
        self._refuse_fork()
        with self._turn, self._told(), self._for_writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One look at the book, as it is at one moment."""
        self._refuse_fork()
        with self._told(), self._engine.connect() as connection:
            yield connection

    def _told(self) -> AbstractContextManager[None]:
        return told(self._place, hidden=self._hidden)

    def _refuse_fork(self) -> None:
        """No database's connections survive a fork; used all the same, SQLite damages its file."""
        if os.getpid() != self._process:
            raise RuntimeError("a gradebook must be opened in the process that uses it")

    def _concluded(self, marked: Graded) -> statements.Concluded:
        """What a machine came to, without marks: those stand in the ledger and nowhere else."""
        graded = mark_points.unmarked(marked)
        items, packing = None, Packing(large=None)
        if graded.score is not None:
            items = self._items.written(tuple(part.item for part in graded.score.items))
        result = self.documents.graded(graded, packing=packing)
        made = graded.provenance
        return statements.Concluded(
            result=result,
            pack=packing.pack,
            item_list=items,
            assignment=made.assignment if made else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """What the book has of marks on one submission."""

    rows: list[ledger_rows.Row]
    weights: list[ledger_rows.WeightRow]
    stamp: str
    page: str

    @classmethod
    def of(cls, connection: Connection, name: str) -> _Marks:
        """At one moment."""
        return cls(
            rows=ledger_rows.current(connection, submission=name),
            weights=ledger_rows.weights(connection),
            stamp=ledger_rows.stamp(connection, name),
            page=ledger_rows.page(connection, name),
        )

    def on(self, graded: Graded) -> Marked:
        """A grade of that submission with them."""
        made = graded.provenance
        weights = mark_points.weights_of(self.weights, made.assignment if made else "")
        marked = mark_points.applied(graded, rows=self.rows, weights=weights)
        return Marked(graded=scoring.settled(marked), stamp=self.stamp, page=self.page)


def _settle(connection: Connection, name: str, shown: Marked | None) -> None:
    if shown is not None:
        ledger_rows.settle_page(connection, name, seen=shown.page, stamp=shown.stamp)
