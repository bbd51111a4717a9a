"""The gradebook itself: stores submissions, each in one transaction, and loads them again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, Engine, delete, func, insert, select

from grader import scoring
from grader.gradebook import ledger_statements, mark_points, statements
from grader.gradebook.array_storage import ArrayPacker, PackedArrays
from grader.gradebook.stored_records import RecordCodec
from grader.gradebook.tables import item_lists, roll, submissions
from grader.gradebook.transactions import WRITES, translate_errors
from grader.model import Graded, Item, Trace

# Built once: building a statement takes longer than SQLite takes to run it.
_KEYS = select(submissions.c.name, submissions.c.key)
_ROLL = select(roll.c.name).order_by(roll.c.place)
_GRADED_BY = select(submissions.c.name, submissions.c.assignment, submissions.c.item_list).where(
    submissions.c.item_list.is_not(None)
)
_MAIN_ASSIGNMENT = (
    select(submissions.c.assignment)
    .where(submissions.c.assignment != "")
    .group_by(submissions.c.assignment)
    .order_by(func.count().desc(), submissions.c.assignment)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubmission:
    """One submission as it is stored."""

    cache_key: str
    """A digest of all it was made from: with an equal key, nothing changed."""
    graded: Graded
    trace: Trace | None
    """None if it never ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeWithMarks:
    """A grade with its marks, ready to be shown."""

    graded: Graded
    mark_revision: str
    """Stays the same for as long as no mark on it changes; '' where it has none."""


class ItemListCache:
    """Encodes and decodes the items of a rubric; keeps the last, since a class shares them."""

    def __init__(self, documents: RecordCodec) -> None:
        self._documents = documents
        self._last: tuple[tuple[Item, ...], str, bytes] = ((), "", b"")

    def encode(self, items: tuple[Item, ...]) -> tuple[str, bytes]:
        """Return digest and document."""
        last_items, digest, document = self._last
        if not digest or last_items != items:
            document = self._documents.encode_items(items)
            digest = hashlib.sha256(document).hexdigest()
            self._last = (items, digest, document)
        return digest, document

    def decode(self, digest: str, document: bytes) -> tuple[Item, ...]:
        """Return the items."""
        items, last_digest, _ = self._last
        if last_digest != digest:
            items = self._documents.decode_items(document)
            self._last = (items, digest, document)
        return items


class Gradebook:
    """An open gradebook; threads may share it, processes may not.

    Its methods raise `UsageError` when the store fails: no room on the disk, a damaged file.
    """

    def __init__(self, engine: Engine, *, location: str, secrets: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._for_writing = engine.execution_options(**{WRITES: True})
        self._location = location
        self._secrets = secrets
        self._process = os.getpid()
        self._write_lock = Lock()
        self.codec = RecordCodec()
        """Writes and reads its records."""
        self._item_lists = ItemListCache(self.codec)

    def save_submission(self, submission: StoredSubmission, *, render_token: str = "") -> None:
        """Replace all that is stored of a submission, in one transaction.

        Args:
            submission: the submission; marks in its grade are left out: they stand in the ledger.
            render_token: stands for the pages that are about to be written: until
                `finish_rendering` has it, they are stale.
        """
        name = submission.graded.submission.name
        stored_result = self._encode_result(submission.graded)
        packer, trace = ArrayPacker(), None
        if submission.trace is not None:
            trace = self.codec.encode_trace(submission.trace, packer=packer)
        with self.writing() as connection:
            statements.save_result(connection, name, key=submission.cache_key, stored=stored_result)
            statements.replace_trace(connection, name, document=trace, packer=packer)
            if render_token:
                ledger_statements.set_rendered_revision(connection, name, revision=render_token)

    def replace_grade(self, graded: Graded, *, cache_key: str, render_token: str = "") -> None:
        """Replace the grade of a submission; its trace stays.

        Args:
            graded: the conclusion; marks in it are left out.
            cache_key: what it was made from.
            render_token: as in `save_submission`.

        Raises:
            KeyError: there is no such submission.
        """
        name = graded.submission.name
        stored_result = self._encode_result(graded)
        with self.writing() as connection:
            if not statements.update_result(connection, name, key=cache_key, stored=stored_result):
                raise KeyError(name)
            if render_token:
                ledger_statements.set_rendered_revision(connection, name, revision=render_token)

    def cache_keys(self) -> Mapping[str, str]:
        """Return the cache key of each submission, whether it is on the roll or not."""
        with self.reading() as connection:
            return {row.name: row.key for row in connection.execute(_KEYS)}

    def graded(self, name: str) -> Graded:
        """Return the grade of a submission, with the marks that people gave.

        Raises:
            KeyError: there is no such submission.
        """
        return self.grade_with_marks(name).graded

    def grade_with_marks(self, name: str) -> GradeWithMarks:
        """Return the grade of a submission, with the revisions of its marks and pages.

        Raises:
            KeyError: there is no such submission.
        """
        with self.reading() as connection:
            stored_result = statements.load_result(connection, name)
            if stored_result is None:
                raise KeyError(name)
            add_marks = _marks_adder(connection, name)
        return add_marks(self._decode_result(stored_result))

    def apply_stored_marks(self, graded: Graded) -> GradeWithMarks:
        """Return a grade that is not stored yet with the marks that are stored for it."""
        with self.reading() as connection:
            add_marks = _marks_adder(connection, graded.submission.name)
        return add_marks(graded)

    def ledger_revision(self) -> str:
        """Return a text that stays the same for as long as nothing is added to the ledger."""
        with self.reading() as connection:
            return ledger_statements.ledger_revision(connection)

    def stale_submissions(
        self, *, class_revisions: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Return the graded submissions on the roll whose pages are not current.

        Args:
            class_revisions: what pages show of other submissions, by submission; None to look at
                marks alone.
        """
        with self.reading() as connection:
            graded_names = {row.name for row in connection.execute(_KEYS)}
            names = [n for n in connection.execute(_ROLL).scalars().all() if n in graded_names]
            mark_revisions = ledger_statements.submission_revisions(connection)
            rendered_revisions = ledger_statements.rendered_revisions(connection)
        if class_revisions is None:
            rendered_marks = {n: r.partition("+")[0] for n, r in rendered_revisions.items()}
            return tuple(n for n in names if mark_revisions.get(n, "") != rendered_marks.get(n, ""))
        return tuple(
            name
            for name in names
            if _page_revision(mark_revisions.get(name, ""), class_revisions.get(name, ""))
            != rendered_revisions.get(name, "")
        )

    def mark_revisions(self) -> Mapping[str, str]:
        """Return the revision of the marks on each submission that has any."""
        with self.reading() as connection:
            return ledger_statements.submission_revisions(connection)

    def item_revisions(self) -> Mapping[str, str]:
        """Return the revision of the marks on each item that has any."""
        with self.reading() as connection:
            return ledger_statements.item_revisions(connection)

    def start_rendering(self, name: str, *, token: str) -> None:
        """Note that the pages of a submission are being rendered; `token` says by whom."""
        with self.writing() as connection:
            ledger_statements.set_rendered_revision(connection, name, revision=token)

    def finish_rendering(
        self, name: str, *, token: str, mark_revision: str, class_revision: str = ""
    ) -> bool:
        """Note that pages are rendered; return False, and they are stale, if others did so, too."""
        revision = _page_revision(mark_revision, class_revision)
        with self.writing() as connection:
            return ledger_statements.finish_rendering(
                connection, name, expected=token, revision=revision
            )

    def _decode_result(self, stored_result: statements.StoredResult) -> Graded:
        """Return a grade as checks came to it."""
        arrays = PackedArrays(pack=stored_result.pack)
        items = self._items(stored_result)
        return self.codec.decode_graded(stored_result.result, items=items, arrays=arrays)

    def _items(self, stored_result: statements.StoredResult) -> tuple[Item, ...]:
        if stored_result.item_list is None:
            return ()
        return self._item_lists.decode(*stored_result.item_list)

    def all_graded(self, names: Sequence[str]) -> Iterator[Graded]:
        """Yield the grade of each, one at a time: memory does not grow with their number.

        No transaction stays open between two of them, so that readers hold up nobody.
        """
        return (self.graded(name) for name in names)

    def trace(self, name: str) -> Trace | None:
        """Return what a run left behind; None if there was none."""
        with self.reading() as connection:
            stored_trace = statements.load_trace(connection, name)
        if stored_trace is None:
            return None
        document, pack, blobs = stored_trace
        return self.codec.decode_trace(document, arrays=PackedArrays(pack=pack, blobs=blobs))

    def items_by_submission(self) -> Mapping[str, tuple[str, Mapping[str, Item]]]:
        """Return the assignment of each scored submission, and the items it was graded by."""
        with self.reading() as connection:
            rows = connection.execute(_GRADED_BY).all()
            documents = connection.execute(select(item_lists)).all()
        lists = {
            digest: {item.id: item for item in self._item_lists.decode(digest, document)}
            for digest, document in documents
        }
        return {name: (assignment, lists[digest]) for name, assignment, digest in rows}

    def main_assignment(self) -> str:
        """Return the id of the rubric that most are graded by; '' where none is known."""
        with self.reading() as connection:
            return connection.execute(_MAIN_ASSIGNMENT).scalars().first() or ""

    def items_for(self, name: str) -> tuple[str, Mapping[str, Item]]:
        """Return the assignment of one submission, and its items; none without a score.

        Raises:
            KeyError: there is no such submission.
        """
        with self.reading() as connection:
            stored_result = statements.load_result(connection, name)
        if stored_result is None:
            raise KeyError(name)
        return stored_result.assignment, {item.id: item for item in self._items(stored_result)}

    def replace_roll(self, names: Sequence[str]) -> None:
        """Store which submissions there are now, and in what order; some may not be graded yet.

        Those that are gone keep their rows: marks may belong to them, and they may come back.
        """
        rows = [{"place": position, "name": name} for position, name in enumerate(names)]
        with self.writing() as connection:
            connection.execute(delete(roll))
            if rows:
                connection.execute(insert(roll), rows)

    def roll(self) -> tuple[str, ...]:
        """Return the submissions of the last run, in order."""
        with self.reading() as connection:
            return tuple(connection.execute(_ROLL).scalars())

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes, when it is this thread's turn."""
        self._refuse_fork()
        with self._write_lock, self._translate_errors(), self._for_writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one snapshot."""
        self._refuse_fork()
        with self._translate_errors(), self._engine.connect() as connection:
            yield connection

    def _translate_errors(self) -> AbstractContextManager[None]:
        return translate_errors(self._location, secrets=self._secrets)

    def _refuse_fork(self) -> None:
        """Raise in a forked process: there, connections don't work, and SQLite damages its file."""
        if os.getpid() != self._process:
            raise RuntimeError("a gradebook must be opened in the process that uses it")

    def _encode_result(self, marked: Graded) -> statements.StoredResult:
        """Return a grade as it is stored, without marks: those stand in the ledger alone."""
        graded = mark_points.remove_marks(marked)
        items, packer = None, ArrayPacker(blob_threshold=None)
        if graded.score is not None:
            items = self._item_lists.encode(
                tuple(item_score.item for item_score in graded.score.items)
            )
        result = self.codec.encode_graded(graded, packer=packer)
        provenance = graded.provenance
        return statements.StoredResult(
            result=result,
            pack=packer.pack,
            item_list=items,
            assignment=provenance.assignment if provenance else "",
        )


def _marks_adder(connection: Connection, name: str) -> Callable[[Graded], GradeWithMarks]:
    """Load the marks of a submission; return a function that adds them to its grade."""
    marks = ledger_statements.load_current_marks(connection, submission=name)
    all_weights = ledger_statements.load_weights(connection)
    mark_revision = ledger_statements.submission_revision(connection, name)

    def add_marks(graded: Graded) -> GradeWithMarks:
        assignment = graded.provenance.assignment if graded.provenance else ""
        weights = mark_points.latest_weights(all_weights, assignment)
        marked = mark_points.apply_marks(graded, marks=marks, weights=weights)
        return GradeWithMarks(
            graded=scoring.with_late_deductions(marked),
            mark_revision=mark_revision,
        )

    return add_marks


def _page_revision(mark_revision: str, class_revision: str) -> str:
    """Return what stands for all that pages are made from beside the stored grade."""
    return f"{mark_revision}+{class_revision}" if class_revision else mark_revision
