"""The book itself: keeps submissions, each in one transaction, and finds them again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, Engine

from grader import scoring
from grader.gradebook import rows
from grader.gradebook.arrays import Arrays, Packing
from grader.gradebook.documents import Documents
from grader.gradebook.failing import told
from grader.gradebook.sqlite import WRITES
from grader.model import Graded, Item, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One submission in the book."""

    key: str
    """A digest of all it was made from: an equal key means that nothing changed."""
    graded: Graded
    trace: Trace | None
    """None if it never ran."""


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

    def __init__(self, engine: Engine, *, place: str) -> None:
        self._engine = engine
        self._for_writing = engine.execution_options(**{WRITES: True})
        self._place = place
        self._process = os.getpid()
        self._turn = Lock()
        self._documents = Documents()
        self._items = ItemLists(self._documents)

    def keep(self, entry: Entry) -> None:
        """Put a submission in the place of what the book had of it: wholly, or not at all."""
        name = entry.graded.submission.name
        now = self._concluded(entry.graded)
        packing, trace = Packing(), None
        if entry.trace is not None:
            trace = self._documents.trace(entry.trace, packing=packing)
        with self.writing() as connection:
            rows.enter(connection, name, key=entry.key, now=now)
            rows.replace_trace(connection, name, document=trace, packing=packing)

    def amend(self, graded: Graded, *, key: str) -> None:
        """Put another conclusion in the place of the earlier one; what the run left stays.

        Raises:
            KeyError: the book has no such submission.
        """
        name = graded.submission.name
        now = self._concluded(graded)
        with self.writing() as connection:
            if not rows.conclude(connection, name, key=key, now=now):
                raise KeyError(name)

    def keys(self) -> Mapping[str, str]:
        """The key of each submission in the book, whether it is on the roll or not."""
        with self.reading() as connection:
            return rows.keys(connection)

    def graded(self, name: str) -> Graded:
        """What was concluded on a submission.

        Raises:
            KeyError: the book has no such submission.
        """
        with self.reading() as connection:
            found = rows.concluded(connection, name)
        if found is None:
            raise KeyError(name)
        items = () if found.item_list is None else self._items.read(*found.item_list)
        arrays = Arrays(pack=found.pack)
        graded = self._documents.read_graded(found.result, items=items, arrays=arrays)
        return scoring.settled(graded)

    def all_graded(self, names: Sequence[str]) -> Iterator[Graded]:
        """What was concluded on each, one at a time: memory does not grow with their number.

        No transaction stays open between two of them, so that readers hold up nobody.
        """
        return (self.graded(name) for name in names)

    def trace(self, name: str) -> Trace | None:
        """What a run left behind; None if the submission never ran or is not in the book."""
        with self.reading() as connection:
            found = rows.trace(connection, name)
        if found is None:
            return None
        document, pack, blobs = found
        return self._documents.read_trace(document, arrays=Arrays(pack=pack, blobs=blobs))

    def enrol(self, names: Sequence[str]) -> None:
        """Say which submissions there are now, and in what order; some may not be graded yet.

        Those that are gone keep their rows: marks may belong to them, and they may come back.
        """
        with self.writing() as connection:
            rows.replace_roll(connection, names)

    def roll(self) -> tuple[str, ...]:
        """The submissions there were when `enrol` was last called."""
        with self.reading() as connection:
            return rows.names_on_roll(connection)

    def note(self, name: str, *, value: str) -> None:
        """Remember a small thing under a name."""
        with self.writing() as connection:
            rows.replace_note(connection, name, value=value)

    def noted(self, name: str) -> str | None:
        """What was noted under a name, or None."""
        with self.reading() as connection:
            return rows.note(connection, name)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes, when it is this thread's turn."""
        self._refuse_fork()
        with self._turn, told(self._place), self._for_writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One look at the book, as it is at one moment."""
        self._refuse_fork()
        with told(self._place), self._engine.connect() as connection:
            yield connection

    def _refuse_fork(self) -> None:
        """SQLite's locks do not survive a fork; used all the same, it damages its file."""
        if os.getpid() != self._process:
            raise RuntimeError("a gradebook must be opened in the process that uses it")

    def _concluded(self, graded: Graded) -> rows.Concluded:
        items, packing = None, Packing(large=None)
        if graded.score is not None:
            items = self._items.written(tuple(part.item for part in graded.score.items))
        result = self._documents.graded(graded, packing=packing)
        return rows.Concluded(result=result, pack=packing.pack, item_list=items)
