"""Takes a submission, or somebody's words, out of a gradebook, leaving nothing in its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, Text, delete, select, update

from grader.errors import UsageError
from grader.gradebook import ledger_statements, statements
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
    """Delete a submission from every table, with its trace, its marks and its place on the roll."""
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
    """What becomes of each kind of record; an unchanged record is returned as the same object."""

    redact_text: Callable[[str], str]
    redact_graded: Callable[[Graded], Graded]
    redact_answer: Callable[[Answer], Answer]
    redact_trace: Callable[[Trace], Trace]


def redact_submission(book: Gradebook, name: str, *, redactor: RecordRedactor) -> bool:
    """Replace texts of a submission; marks stay on its answers.

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
    """Redact the answers that were marked, and let the marks follow; return whether any changed."""
    digests = select(marks.c.answer_digest).where(marks.c.submission == name).distinct()
    changed = False
    for digest in connection.execute(digests).scalars().all():
        document = ledger_statements.load_answer(connection, digest)
        if document is None:
            continue
        before = book.codec.decode_answer(document)
        after = redactor.redact_answer(before)
        if after is before:
            continue
        changed = True
        new_digest, new_document = digest_answer(after), book.codec.encode_answer(after)
        ledger_statements.save_answer(connection, new_digest, new_document)
        connection.execute(
            update(marks)
            .where(marks.c.submission == name, marks.c.answer_digest == digest)
            .values(answer_digest=new_digest)
        )
    return changed


def _delete_unmarked_answers(connection: Connection) -> None:
    """Delete the answers that no mark is about any more."""
    marked_digests = select(marks.c.answer_digest)
    connection.execute(delete(marked_answers).where(marked_answers.c.digest.not_in(marked_digests)))


def _submission_tables() -> list[Table]:
    """Return every table whose rows are about one submission each."""
    return [table for table in SCHEMA.sorted_tables if "submission" in table.c]


def _redact_rows(
    connection: Connection, table: Table, *, name: str, redact_text: Callable[[str], str]
) -> bool:
    """Redact what people wrote about a submission, but no keys; return whether any changed."""
    changed = False
    columns = [
        column.name
        for column in table.c
        if isinstance(column.type, Text) and not column.primary_key and column.name != "submission"
    ]
    statement = select(table).where(table.c.submission == name)
    for row in connection.execute(statement).mappings().all():
        texts = {column_name: row[column_name] for column_name in columns}
        redacted = {column_name: redact_text(text) for column_name, text in texts.items()}
        if redacted != texts:
            keys = [column == row[column.name] for column in table.primary_key]
            connection.execute(update(table).where(*keys).values(**redacted))
            changed = True
    return changed


def vacuum_gradebook(path: Path) -> None:
    """Rewrite a gradebook's file, so that nothing of what was deleted is left in it or beside it.

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
