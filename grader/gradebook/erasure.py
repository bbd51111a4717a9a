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
from grader.gradebook.array_storage import Packing
from grader.gradebook.mark_points import digest_of
from grader.gradebook.sqlite import PATIENCE_S
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
        statements.replace_trace(connection, name, document=None, packing=Packing())
        for table in _about_submissions():
            connection.execute(delete(table).where(table.c.submission == name))
        for table in (rendered, roll, submissions):
            connection.execute(delete(table).where(table.c.name == name))
        held = select(submissions.c.item_list).where(submissions.c.item_list.is_not(None))
        connection.execute(delete(item_lists).where(item_lists.c.digest.not_in(held)))
        _sweep_answers(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retelling:
    """How what somebody wrote becomes what is left of it."""

    text: Callable[[str], str]
    graded: Callable[[Graded], Graded]
    answer: Callable[[Answer], Answer]
    trace: Callable[[Trace], Trace]


def retell_submission(book: Gradebook, name: str, *, told: Retelling) -> bool:
    """Put other texts in the place of those of a submission; marks stay on its answers.

    Args:
        book: where it is.
        name: the submission.
        told: what becomes of each record; what comes back the same object is not written.

    Returns:
        Whether anything was changed.
    """
    before, trace = book.graded(name), book.trace(name)
    after, left = told.graded(before), trace and told.trace(trace)
    if after is not before:
        book.amend(after, key=book.keys()[name])
    packing, document = Packing(), None
    if left is not None and left is not trace:
        document = book.documents.trace(left, packing=packing)
    with book.writing() as connection:
        if document is not None:
            statements.replace_trace(connection, name, document=document, packing=packing)
        moved = _moved_answers(book, connection, name, told=told)
        changed = [
            _retell_rows(connection, table, name=name, text=told.text)
            for table in _about_submissions()
        ]
        _sweep_answers(connection)
    return after is not before or document is not None or moved or any(changed)


def _moved_answers(book: Gradebook, connection: Connection, name: str, *, told: Retelling) -> bool:
    """Marks of a submission go along to its answers as they are now, those of before, too."""
    held = select(marks.c.answer).where(marks.c.submission == name).distinct()
    moved = False
    for digest in connection.execute(held).scalars().all():
        document = ledger_rows.answer(connection, digest)
        if document is None:
            continue
        before = book.documents.read_answer(document)
        after = told.answer(before)
        if after is before:
            continue
        moved = True
        ledger_rows.keep_answer(connection, digest_of(after), book.documents.answer(after))
        connection.execute(
            update(marks)
            .where(marks.c.submission == name, marks.c.answer == digest)
            .values(answer=digest_of(after))
        )
    return moved


def _sweep_answers(connection: Connection) -> None:
    """Answers that no mark is about any more go."""
    known = select(marks.c.answer)
    connection.execute(delete(marked_answers).where(marked_answers.c.digest.not_in(known)))


def _about_submissions() -> list[Table]:
    """Every table whose rows are about a submission each, whoever added it."""
    return [table for table in SCHEMA.sorted_tables if "submission" in table.c]


def _retell_rows(
    connection: Connection, table: Table, *, name: str, text: Callable[[str], str]
) -> bool:
    """Change what people wrote about a submission; what rows are known by stays."""
    changed = False
    columns = [
        column.name
        for column in table.c
        if isinstance(column.type, Text) and not column.primary_key and column.name != "submission"
    ]
    found = select(table).where(table.c.submission == name)
    for row in connection.execute(found).mappings().all():
        said = {c: row[c] if row[c] is None else text(row[c]) for c in columns}
        if all(said[c] == row[c] for c in columns):
            continue
        keys = [column == row[column.name] for column in table.primary_key]
        connection.execute(update(table).where(*keys).values(**said))
        changed = True
    return changed


def wipe(place: Path) -> None:
    """Write a book's file anew, so that nothing of what was deleted is left in it or beside it.

    Raises:
        UsageError: another program holds it, or there is no room for a second copy.
    """
    try:
        with closing(sqlite3.connect(place, timeout=PATIENCE_S, isolation_level=None)) as plain:
            plain.execute("PRAGMA secure_delete = ON")
            plain.execute("VACUUM")
            (busy, *_) = plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise UsageError(f"{place}: can't be written anew ({error}); close what uses it") from error
    if busy:
        raise UsageError(f"{place}: another program reads it; end that and do this again")
