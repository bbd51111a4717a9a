"""Removes a submission or personal data from a gradebook, leaving no trace in its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Table, Text, delete, select, update

from grader.errors import UsageError
from grader.gradebook import ledger_statements, statements
from grader.gradebook.array_storage import ArrayPacker
from grader.gradebook.encoded_submissions import EncodedTrace
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

Record = TypeVar("Record")


def delete_submission(book: Gradebook, name: str) -> None:
    """Delete a submission from every table, with its trace, its marks and its place on the roll."""
    with book.writing() as connection:
        statements.replace_trace(connection, name, trace=None)
        for table in _submission_tables():
            connection.execute(delete(table).where(table.c.submission == name))
        for table in (rendered, roll, submissions):
            connection.execute(delete(table).where(table.c.name == name))
        used_lists = select(submissions.c.item_list).where(submissions.c.item_list.is_not(None))
        connection.execute(delete(item_lists).where(item_lists.c.digest.not_in(used_lists)))
        _delete_unmarked_answers(connection)


class RecordRedactor(Protocol):
    """Redacts any record or text; an unchanged record is returned as the same object."""

    def __call__(self, record: Record, /) -> Record:
        """Return the record without what identifies a person."""
        ...


def redact_submission(book: Gradebook, name: str, *, redact: RecordRedactor) -> bool:
    """Replace texts of a submission; marks stay on its answers.

    Returns:
        Whether anything was changed.
    """
    graded, trace = book.graded(name), book.trace(name)
    redacted_graded, redacted_trace = redact(graded), redact(trace)
    if redacted_graded is not graded:
        book.replace_grade(redacted_graded, cache_key=book.cache_keys()[name])
    packer, document = ArrayPacker(), None
    if redacted_trace is not None and redacted_trace is not trace:
        document = book.codec.encode_trace(redacted_trace, packer=packer)
    with book.writing() as connection:
        if document is not None:
            encoded = EncodedTrace.of(document, packer=packer)
            statements.replace_trace(connection, name, trace=encoded)
        changes = [
            redacted_graded is not graded,
            document is not None,
            _redact_answers(book, connection, name, redact=redact),
            *(
                _redact_rows(connection, table, name=name, redact=redact)
                for table in _submission_tables()
            ),
        ]
        _delete_unmarked_answers(connection)
    return any(changes)


def _redact_answers(
    book: Gradebook, connection: Connection, name: str, *, redact: RecordRedactor
) -> bool:
    """Redact marked answers and point their marks to the new ones; return whether any changed."""
    digests = select(marks.c.answer_digest).where(marks.c.submission == name).distinct()
    changed = False
    for digest in connection.execute(digests).scalars().all():
        document = ledger_statements.load_answer(connection, digest)
        answer = None if document is None else book.codec.decode_answer(document)
        redacted = redact(answer)
        if redacted is None or redacted is answer:
            continue
        changed = True
        new_digest, new_document = digest_answer(redacted), book.codec.encode_answer(redacted)
        ledger_statements.save_answer(connection, new_digest, new_document)
        connection.execute(
            update(marks)
            .where(marks.c.submission == name, marks.c.answer_digest == digest)
            .values(answer_digest=new_digest)
        )
    return changed


def _delete_unmarked_answers(connection: Connection) -> None:
    """Delete stored answers that no mark refers to."""
    marked_digests = select(marks.c.answer_digest)
    connection.execute(delete(marked_answers).where(marked_answers.c.digest.not_in(marked_digests)))


def _submission_tables() -> list[Table]:
    """Return every table with a column `submission`."""
    return [table for table in SCHEMA.sorted_tables if "submission" in table.c]


def _redact_rows(
    connection: Connection, table: Table, *, name: str, redact: RecordRedactor
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
        redacted = {column_name: redact(text) for column_name, text in texts.items()}
        if redacted != texts:
            keys = [column == row[column.name] for column in table.primary_key]
            connection.execute(update(table).where(*keys).values(**redacted))
            changed = True
    return changed


def vacuum_gradebook(path: Path) -> None:
    """Rewrite a gradebook's file, so that deleted data is neither in it nor beside it.

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
        raise UsageError(f"{path}: can't be rewritten ({error}); close what uses it") from error
    if busy:
        raise UsageError(f"{path}: another program reads it; end that and do this again")
