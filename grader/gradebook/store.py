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
from grader.gradebook.array_storage import ArrayPacker, PackedArrays
from grader.gradebook.database_errors import translate_errors
from grader.gradebook.stored_records import RecordCodec
from grader.gradebook.write_intent import WRITES
from grader.model import Graded, Item, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubmission:
    """One submission in the book."""

    cache_key: str
    """A digest of all it was made from: an equal key means that nothing changed."""
    graded: Graded
    trace: Trace | None
    """None if it never ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeWithMarks:
    """A grade with its marks, ready to be shown."""

    graded: Graded
    mark_revision: str
    """The same for as long as no mark on it changes; '' where it has none."""


class ItemListCache:
    """The items of a rubric as document and as records; remembers the last, since all share it."""

    def __init__(self, documents: RecordCodec) -> None:
        self._documents = documents
        self._last: tuple[tuple[Item, ...], str, bytes] = ((), "", b"")

    def encode(self, items: tuple[Item, ...]) -> tuple[str, bytes]:
        """Digest and document."""
        last_items, digest, document = self._last
        if not digest or last_items != items:
            document = self._documents.encode_items(items)
            digest = hashlib.sha256(document).hexdigest()
            self._last = (items, digest, document)
        return digest, document

    def decode(self, digest: str, document: bytes) -> tuple[Item, ...]:
        """The items."""
        items, last_digest, _ = self._last
        if last_digest != digest:
            items = self._documents.decode_items(document)
            self._last = (items, digest, document)
        return items


class Gradebook:
    """What `opened` gives; threads may share it, processes may not.

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
        """How records are written in it."""
        self._item_lists = ItemListCache(self.codec)

    def save_submission(self, submission: StoredSubmission, *, render_token: str = "") -> None:
        """Put a submission in the place of what the book had of it: wholly, or not at all.

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
                ledger_rows.set_rendered_revision(connection, name, revision=render_token)

    def replace_grade(self, graded: Graded, *, cache_key: str, render_token: str = "") -> None:
        """Put another conclusion in the place of the earlier one; what the run left stays.

        Args:
            graded: the conclusion; marks in it are left out.
            cache_key: what it was made from.
            render_token: as in `save_submission`.

        Raises:
            KeyError: the book has no such submission.
        """
        name = graded.submission.name
        stored_result = self._encode_result(graded)
        with self.writing() as connection:
            if not statements.update_result(connection, name, key=cache_key, stored=stored_result):
                raise KeyError(name)
            if render_token:
                ledger_rows.set_rendered_revision(connection, name, revision=render_token)

    def cache_keys(self) -> Mapping[str, str]:
        """The key of each submission in the book, whether it is on the roll or not."""
        with self.reading() as connection:
            return statements.cache_keys(connection)

    def graded(self, name: str) -> Graded:
        """What was concluded on a submission, with the marks that people gave.

        Raises:
            KeyError: the book has no such submission.
        """
        return self.grade_with_marks(name).graded

    def grade_with_marks(self, name: str) -> GradeWithMarks:
        """The grade of a submission, with what its pages must know of its marks.

        Raises:
            KeyError: the book has no such submission.
        """
        with self.reading() as connection:
            stored_result = statements.load_result(connection, name)
            if stored_result is None:
                raise KeyError(name)
            marks = _SubmissionMarks.from_connection(connection, name)
        return marks.apply_to(self._decode_result(stored_result))

    def apply_stored_marks(self, graded: Graded) -> GradeWithMarks:
        """A grade that is not in the book yet, with the marks that the book has for it."""
        with self.reading() as connection:
            marks = _SubmissionMarks.from_connection(connection, graded.submission.name)
        return marks.apply_to(graded)

    def ledger_revision(self) -> str:
        """How far the ledger is: the same for as long as nothing is added to it."""
        with self.reading() as connection:
            return ledger_rows.ledger_revision(connection)

    def stale_submissions(
        self, *, class_revisions: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Return the graded submissions on the roll whose pages are not current.

        Args:
            class_revisions: what pages show of other submissions, by submission; None to look at
                marks alone.
        """
        with self.reading() as connection:
            graded_names = statements.cache_keys(connection)
            names = [n for n in statements.names_on_roll(connection) if n in graded_names]
            mark_revisions, rendered_revisions = (
                ledger_rows.mark_revisions(connection),
                ledger_rows.rendered_revisions(connection),
            )
        if class_revisions is None:
            rendered_marks = {n: r.partition("+")[0] for n, r in rendered_revisions.items()}
            return tuple(n for n in names if mark_revisions.get(n, "") != rendered_marks.get(n, ""))
        return tuple(
            name
            for name in names
            if _page_revision(mark_revisions.get(name, ""), class_revisions.get(name, ""))
            != rendered_revisions.get(name, "")
        )

    def start_rendering(self, name: str, *, token: str) -> None:
        """Say that the pages of a submission are being made anew."""
        with self.writing() as connection:
            ledger_rows.set_rendered_revision(connection, name, revision=token)

    def finish_rendering(
        self, name: str, *, token: str, mark_revision: str, class_revision: str = ""
    ) -> bool:
        """Say that they are made; False, and they are stale, if another came between."""
        revision = _page_revision(mark_revision, class_revision)
        with self.writing() as connection:
            return ledger_rows.finish_rendering(connection, name, expected=token, revision=revision)

    def _decode_result(self, stored_result: statements.StoredResult) -> Graded:
        """A grade as a machine came to it."""
        items = (
            ()
            if stored_result.item_list is None
            else self._item_lists.decode(*stored_result.item_list)
        )
        arrays = PackedArrays(pack=stored_result.pack)
        return self.codec.decode_graded(stored_result.result, items=items, arrays=arrays)

    def all_graded(self, names: Sequence[str]) -> Iterator[Graded]:
        """What was concluded on each, one at a time: memory does not grow with their number.

        No transaction stays open between two of them, so that readers hold up nobody.
        """
        return (self.graded(name) for name in names)

    def trace(self, name: str) -> Trace | None:
        """What a run left behind; None if the submission never ran or is not in the book."""
        with self.reading() as connection:
            stored_trace = statements.load_trace(connection, name)
        if stored_trace is None:
            return None
        document, pack, blobs = stored_trace
        return self.codec.decode_trace(document, arrays=PackedArrays(pack=pack, blobs=blobs))

    def items_by_submission(self) -> Mapping[str, tuple[str, Mapping[str, Item]]]:
        """The assignment of each submission that has a score, and the items it was graded by."""
        with self.reading() as connection:
            rows = ledger_rows.graded_item_lists(connection)
            documents = ledger_rows.item_list_documents(connection)
        lists = {
            digest: {item.id: item for item in self._item_lists.decode(digest, document)}
            for digest, document in documents.items()
        }
        return {name: (assignment, lists[digest]) for name, assignment, digest in rows}

    def main_assignment(self) -> str:
        """The id of the rubric that most are graded by; '' where the book doesn't know."""
        with self.reading() as connection:
            return statements.main_assignment(connection)

    def items_for(self, name: str) -> tuple[str, Mapping[str, Item]]:
        """The assignment of one submission, and the items it was graded by; none without a score.

        Raises:
            KeyError: the book has no such submission.
        """
        with self.reading() as connection:
            stored_result = statements.load_result(connection, name)
        if stored_result is None:
            raise KeyError(name)
        items = (
            ()
            if stored_result.item_list is None
            else self._item_lists.decode(*stored_result.item_list)
        )
        return stored_result.assignment, {item.id: item for item in items}

    def replace_roll(self, names: Sequence[str]) -> None:
        """Say which submissions there are now, and in what order; some may not be graded yet.

        Those that are gone keep their rows: marks may belong to them, and they may come back.
        """
        with self.writing() as connection:
            statements.replace_roll(connection, names)

    def roll(self) -> tuple[str, ...]:
        """The submissions there were when `enroll` was last called."""
        with self.reading() as connection:
            return statements.names_on_roll(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes, when it is this thread's turn."""
        self._refuse_fork()
        with self._write_lock, self._translate_errors(), self._for_writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One look at the book, as it is at one moment."""
        self._refuse_fork()
        with self._translate_errors(), self._engine.connect() as connection:
            yield connection

    def _translate_errors(self) -> AbstractContextManager[None]:
        return translate_errors(self._location, secrets=self._secrets)

    def _refuse_fork(self) -> None:
        """No database's connections survive a fork; used all the same, SQLite damages its file."""
        if os.getpid() != self._process:
            raise RuntimeError("a gradebook must be opened in the process that uses it")

    def _encode_result(self, marked: Graded) -> statements.StoredResult:
        """What a machine came to, without marks: those stand in the ledger and nowhere else."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _SubmissionMarks:
    """What the book has of marks on one submission."""

    rows: list[ledger_rows.LedgerRow]
    weights: list[ledger_rows.WeightRow]
    mark_revision: str

    @classmethod
    def from_connection(cls, connection: Connection, name: str) -> _SubmissionMarks:
        """At one moment."""
        return cls(
            rows=ledger_rows.current_rows(connection, submission=name),
            weights=ledger_rows.weight_rows(connection),
            mark_revision=ledger_rows.mark_revision(connection, name),
        )

    def apply_to(self, graded: Graded) -> GradeWithMarks:
        """A grade of that submission with them."""
        provenance = graded.provenance
        weights = mark_points.latest_weights(
            self.weights, provenance.assignment if provenance else ""
        )
        marked = mark_points.apply_marks(graded, rows=self.rows, weights=weights)
        return GradeWithMarks(
            graded=scoring.with_late_deductions(marked),
            mark_revision=self.mark_revision,
        )


def _page_revision(mark_revision: str, class_revision: str) -> str:
    """Return what stands for all that pages are made from beside the stored grade."""
    return f"{mark_revision}+{class_revision}" if class_revision else mark_revision
