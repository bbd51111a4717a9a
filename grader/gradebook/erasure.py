"""Takes a submission, or somebody's words, out of a book: nothing of it is left in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, Text, delete, select, update

from grader.errors import UsageError
from grader.gradebook import ledger_rows, statements
from grader.gradebook.array_storage import ArrayPacker
from grader.gradebook.mark_points import digest_answer
from grader.gradebook.sqlite import LOCK_TIMEOUT_S
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import (
    SCHEMA,
    item_lists,
    marked_answers,
    marks,
    rendered,
    roll,
    submissions,
)
from grader.model import Answer, Graded, Trace


def delete_submission(book: Gradebook, name: str) -> None:
    """Take a submission out of every table, with its trace, its marks and its place on the roll."""
    with book.writing() as connection:
        statements.replace_trace(connection, name, document=None, packer=ArrayPacker())
        for table in _submission_tables():
            connection.execute(delete(table).where(table.c.submission == name))
        for table in (rendered, roll, submissions):
            connection.execute(delete(table).where(table.c.name == name))
        used_lists = select(submissions.c.item_list).where(submissions.c.item_list.is_not(None))
        connection.execute(delete(item_lists).where(item_lists.c.digest.not_in(used_lists)))
        _delete_unmarked_answers(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRedactor:
    """How what somebody wrote becomes what is left of it."""

    redact_text: Callable[[str], str]
    redact_graded: Callable[[Graded], Graded]
    redact_answer: Callable[[Answer], Answer]
    redact_trace: Callable[[Trace], Trace]


def redact_submission(book: Gradebook, name: str, *, redactor: RecordRedactor) -> bool:
    """Put other texts in the place of those of a submission; marks stay on its answers.

    Args:
        book: where it is.
        name: the submission.
        redactor: what becomes of each record; what comes back the same object is not written.

    Returns:
        Whether anything was changed.
    """
    before, trace = book.graded(name), book.trace(name)
    after, redacted_trace = redactor.redact_graded(before), trace and redactor.redact_trace(trace)
    if after is not before:
        book.replace_grade(after, cache_key=book.cache_keys()[name])
    packer, document = ArrayPacker(), None
    if redacted_trace is not None and redacted_trace is not trace:
        document = book.codec.encode_trace(redacted_trace, packer=packer)
    with book.writing() as connection:
        if document is not None:
            statements.replace_trace(connection, name, document=document, packer=packer)
        answers_changed = _redact_answers(book, connection, name, redactor=redactor)
        rows_changed = [
            _redact_rows(connection, table, name=name, redact_text=redactor.redact_text)
            for table in _submission_tables()
        ]
        _delete_unmarked_answers(connection)
    return after is not before or document is not None or answers_changed or any(rows_changed)


def _redact_answers(
    book: Gradebook, connection: Connection, name: str, *, redactor: RecordRedactor
) -> bool:
    """Marks of a submission go along to its answers as they are now, those of before, too."""
    digests = select(marks.c.answer).where(marks.c.submission == name).distinct()
    changed = False
    for digest in connection.execute(digests).scalars().all():
        document = ledger_rows.answer_document(connection, digest)
        if document is None:
            continue
        before = book.codec.decode_answer(document)
        after = redactor.redact_answer(before)
        if after is before:
            continue
        changed = True
        ledger_rows.save_answer(connection, digest_answer(after), book.codec.encode_answer(after))
        connection.execute(
            update(marks)
            .where(marks.c.submission == name, marks.c.answer == digest)
            .values(answer=digest_answer(after))
        )
    return changed


def _delete_unmarked_answers(connection: Connection) -> None:
    """Answers that no mark is about any more go."""
    marked_digests = select(marks.c.answer)
    connection.execute(delete(marked_answers).where(marked_answers.c.digest.not_in(marked_digests)))


def _submission_tables() -> list[Table]:
    """Every table whose rows are about a submission each, whoever added it."""
    return [table for table in SCHEMA.sorted_tables if "submission" in table.c]


def _redact_rows(
    connection: Connection, table: Table, *, name: str, redact_text: Callable[[str], str]
) -> bool:
    """Change what people wrote about a submission; what rows are known by stays."""
    changed = False
    columns = [
        column.name
        for column in table.c
        if isinstance(column.type, Text) and not column.primary_key and column.name != "submission"
    ]
    statement = select(table).where(table.c.submission == name)
    for row in connection.execute(statement).mappings().all():
        redacted = {
            column_name: row[column_name]
            if row[column_name] is None
            else redact_text(row[column_name])
            for column_name in columns
        }
        if all(redacted[column_name] == row[column_name] for column_name in columns):
            continue
        keys = [column == row[column.name] for column in table.primary_key]
        connection.execute(update(table).where(*keys).values(**redacted))
        changed = True
    return changed


def vacuum_gradebook(path: Path) -> None:
    """Write a book's file anew, so that nothing of what was deleted is left in it or beside it.

    Raises:
        UsageError: another program holds it, or there is no room for a second copy.
    """
    try:
        with closing(
            sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("VACUUM")
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise UsageError(f"{path}: can't be written anew ({error}); close what uses it") from error
    if busy:
        raise UsageError(f"{path}: another program reads it; end that and do this again")
