"""The gradebook itself: stores submissions, each in one transaction, and loads them again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Column, Connection, Engine, bindparam, delete, func, insert, select

from grader import scoring
from grader.gradebook import ledger_statements, mark_points, statements
from grader.gradebook.array_storage import PackedArrays
from grader.gradebook.criterion_edits import group_edits
from grader.gradebook.encoded_submissions import (
    EncodedSubmission,
    StoredResult,
    StoredSubmission,
    SubmissionEncoder,
)
from grader.gradebook.tables import criterion_edits, item_lists, marks, rendered, roll, submissions
from grader.gradebook.transactions import WRITES, translate_errors
from grader.model import Graded, Item, Trace

# Built once: building a statement takes longer than SQLite takes to run it.
_KEYS = select(submissions.c.name, submissions.c.key)
_ROLL = select(roll.c.name).order_by(roll.c.place)
_GRADED_ON_ROLL = _ROLL.join(submissions, submissions.c.name == roll.c.name)
_LAST_MARK = select(func.max(marks.c.number))
_LAST_EDIT = select(func.max(criterion_edits.c.number))
_LAST_MARK_ON_SUBMISSION = _LAST_MARK.where(marks.c.submission == bindparam("submission"))
_GRADED_BY = select(submissions.c.name, submissions.c.assignment, submissions.c.item_list).where(
    submissions.c.item_list.is_not(None)
)
_MAIN_ASSIGNMENT = (
    select(submissions.c.assignment)
    .where(submissions.c.assignment != "")
    .group_by(submissions.c.assignment)
    .order_by(func.count().desc(), submissions.c.assignment)
)
STALE = "?"
"""The revision of pages that nobody knows to be current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeWithMarks:
    """A grade with its marks, ready to be shown."""

    graded: Graded
    mark_revision: str
    """Stays the same for as long as no mark on it changes; '' where it has none."""


class Gradebook:
    """An open gradebook; threads may share it, processes may not.

    Its methods raise `UsageError` when the store fails: no room on the disk, a damaged file.
    """

    def __init__(self, engine: Engine, *, location: str, secrets: tuple[str, ...] = ()) -> None:
        self.engine = engine
        """Opens connections."""
        self._for_writing = engine.execution_options(**{WRITES: True})
        self._location = location
        self._secrets = secrets
        self._process = os.getpid()
        self._write_lock = Lock()
        self.encoder = SubmissionEncoder()
        """Writes its submissions."""
        self.codec = self.encoder.codec
        """Writes and reads its records."""
        self._item_lists = self.encoder.item_lists

    def save_submission(self, submission: StoredSubmission, *, render_token: str = "") -> None:
        """Replace all that is stored of a submission, in one transaction.

        Args:
            submission: the submission; marks in its grade are left out, as the ledger has them.
            render_token: identifies the write of pages that follows; the pages are stale until
                `finish_rendering` is called with it.
        """
        self.save_encoded(self.encoder.encode(submission), render_token=render_token)

    def save_encoded(self, encoded: EncodedSubmission, *, render_token: str = "") -> None:
        """Replace all that is stored of a submission by what was encoded, in one transaction.

        Raises:
            KeyError: an array that the store should have is not there; nothing was stored.
        """
        with self.writing() as connection:
            statements.save_result(
                connection, encoded.name, key=encoded.cache_key, stored=encoded.result
            )
            statements.replace_trace(connection, encoded.name, trace=encoded.trace)
            if render_token:
                _set_rendered_revision(connection, encoded.name, render_token)

    def decode_result(self, stored_result: StoredResult) -> Graded:
        """Return an encoded grade; it has no marks.

        Raises:
            UsageError: it is damaged.
        """
        return self.codec.decode_graded(
            stored_result.result,
            items=self._items(stored_result),
            arrays=PackedArrays(pack=stored_result.pack),
        )

    def replace_grade(self, graded: Graded, *, cache_key: str, render_token: str = "") -> None:
        """Replace the grade of a submission; its trace stays.

        Args:
            graded: the grade; marks in it are left out.
            cache_key: a digest of what it was made from.
            render_token: as in `save_submission`.

        Raises:
            KeyError: there is no such submission.
        """
        name = graded.submission.name
        stored_result = self.encoder.encode_result(graded)
        with self.writing() as connection:
            if not statements.update_result(connection, name, key=cache_key, stored=stored_result):
                raise KeyError(name)
            if render_token:
                _set_rendered_revision(connection, name, render_token)

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
        return add_marks(self.decode_result(stored_result))

    def apply_stored_marks(self, graded: Graded) -> GradeWithMarks:
        """Return a grade that is not stored yet with the marks that are stored for it."""
        with self.reading() as connection:
            add_marks = _marks_adder(connection, graded.submission.name)
        return add_marks(graded)

    def ledger_revision(self) -> str:
        """Return a text that stays the same for as long as nothing is added to the ledger."""
        with self.reading() as connection:
            last_mark = connection.execute(_LAST_MARK).scalar_one() or 0
            return f"{last_mark}.{_last_edit(connection)}"

    def stale_submissions(
        self, *, class_revisions: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Return the graded submissions on the roll whose pages are out of date.

        Args:
            class_revisions: what pages show of other submissions, by submission; None to look at
                marks alone.
        """
        with self.reading() as connection:
            names = connection.execute(_GRADED_ON_ROLL).scalars().all()
            mark_revisions = _mark_revisions(connection, marks.c.submission)
            shown = {row.name: row.revision for row in connection.execute(select(rendered))}
        if class_revisions is None:
            class_revisions = {}
            shown = {name: revision.partition("+")[0] for name, revision in shown.items()}
        return tuple(
            name
            for name in names
            if _page_revision(mark_revisions.get(name, ""), class_revisions.get(name, ""))
            != shown.get(name, "")
        )

    def mark_revisions(self) -> Mapping[str, str]:
        """Return the revision of the marks on each submission that has any."""
        with self.reading() as connection:
            return _mark_revisions(connection, marks.c.submission)

    def item_revisions(self) -> Mapping[str, str]:
        """Return the revision of the marks on each item that has any."""
        with self.reading() as connection:
            return _mark_revisions(connection, marks.c.item)

    def start_rendering(self, name: str, *, token: str) -> None:
        """Record that pages of a submission are being rendered; `token` identifies the writer."""
        with self.writing() as connection:
            _set_rendered_revision(connection, name, token)

    def finish_rendering(
        self, name: str, *, token: str, mark_revision: str, class_revision: str = ""
    ) -> bool:
        """Record what the pages of a submission show; they are stale if another process wrote, too.

        Args:
            name: the submission.
            token: what `start_rendering` was given.
            mark_revision: the revision of the marks that the pages show.
            class_revision: the revision of what they show of other submissions.

        Returns:
            Whether no other process wrote these pages meanwhile.
        """
        revision = _page_revision(mark_revision, class_revision)
        statement = select(rendered.c.revision).where(rendered.c.name == name)
        with self.writing() as connection:
            stored_token = connection.execute(statement).scalar_one_or_none() or ""
            unchanged = stored_token == token
            if not unchanged or token != revision:
                _set_rendered_revision(connection, name, revision if unchanged else STALE)
        return unchanged

    def _items(self, stored_result: StoredResult) -> tuple[Item, ...]:
        if stored_result.item_list is None:
            return ()
        return self._item_lists.decode(*stored_result.item_list)

    def graded_names(self) -> tuple[str, ...]:
        """Return the submissions of the last run that have a grade, in order."""
        with self.reading() as connection:
            return tuple(connection.execute(_GRADED_ON_ROLL).scalars())

    def all_graded(self, names: Iterable[str] | None = None) -> Iterator[Graded]:
        """Yield grades one at a time: memory does not grow with their number.

        No transaction stays open between two of them, so that readers block no writer.

        Args:
            names: the submissions; None for those of `graded_names`.
        """
        return (self.graded(name) for name in (self.graded_names() if names is None else names))

    def trace(self, name: str) -> Trace | None:
        """Return the trace of a submission's run; None if it never ran."""
        with self.reading() as connection:
            stored_trace = statements.load_trace(connection, name)
        return stored_trace and self.codec.decode_trace(stored_trace[0], arrays=stored_trace[1])

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

        Submissions that are gone keep their rows: marks may refer to them, and they may come back.
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
        """Open a transaction that writes; threads wait for each other."""
        with self._write_lock, self._guard_access(), self._for_writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one snapshot."""
        with self._guard_access(), self.engine.connect() as connection:
            yield connection

    def _guard_access(self) -> AbstractContextManager[None]:
        # After a fork connections don't work, and SQLite damages its file.
        if os.getpid() != self._process:
            raise RuntimeError("a gradebook must be opened in the process that uses it")
        return translate_errors(self._location, secrets=self._secrets)


def _marks_adder(connection: Connection, name: str) -> Callable[[Graded], GradeWithMarks]:
    """Load the marks of a submission; return a function that adds them to its grade."""
    marks = ledger_statements.load_current_marks(connection, submission=name)
    all_edits = ledger_statements.load_criterion_edits(connection)
    bindings = {"submission": name}
    last_mark = connection.execute(_LAST_MARK_ON_SUBMISSION, bindings).scalar_one()
    mark_revision = "" if last_mark is None else f"{last_mark}.{_last_edit(connection)}"

    def add_marks(graded: Graded) -> GradeWithMarks:
        assignment = graded.provenance.assignment if graded.provenance else ""
        edits = group_edits(all_edits, assignment)
        marked = mark_points.apply_marks(graded, marks=marks, edits=edits)
        graded_with_marks = scoring.with_late_deductions(marked)
        return GradeWithMarks(graded=graded_with_marks, mark_revision=mark_revision)

    return add_marks


def _mark_revisions(connection: Connection, column: Column[str]) -> Mapping[str, str]:
    """Return the revision of the marks on each submission, or item, by the column of its name."""
    last_edit = _last_edit(connection)
    rows = connection.execute(select(column, func.max(marks.c.number)).group_by(column)).all()
    return {name: f"{last_mark}.{last_edit}" for name, last_mark in rows}


def _last_edit(connection: Connection) -> int:
    """Return the number of the last edit of a criterion: it changes points as a mark does."""
    return int(connection.execute(_LAST_EDIT).scalar_one() or 0)


def _set_rendered_revision(connection: Connection, name: str, revision: str) -> None:
    connection.execute(delete(rendered).where(rendered.c.name == name))
    if revision:
        connection.execute(insert(rendered), {"name": name, "revision": revision})


def _page_revision(mark_revision: str, class_revision: str) -> str:
    """Return the revision of all that pages are made from beside the stored grade."""
    return f"{mark_revision}+{class_revision}" if class_revision else mark_revision
