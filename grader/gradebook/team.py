"""The team: who marks, who is to mark what, flagged answers, and answered regrade requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Delete, delete, insert, select

from grader import timestamps
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import flags, graders, regrade_replies, shares

GraderShare = tuple[str, str, str]
"""A grader, an item, and a section ('' for all)."""


def register_grader(book: Gradebook, name: str, *, secret: str) -> None:
    """Register a grader, or change their secret: a salted hash, never a password."""
    with book.writing() as connection:
        connection.execute(delete(graders).where(graders.c.name == name))
        connection.execute(insert(graders), {"name": name, "secret": secret})


def remove_grader(book: Gradebook, name: str) -> None:
    """Remove a grader and their shares; the marks they gave stay."""
    with book.writing() as connection:
        connection.execute(delete(graders).where(graders.c.name == name))
        connection.execute(delete(shares).where(shares.c.grader == name))


def password_hash_for(book: Gradebook, name: str) -> str | None:
    """Return the hash of a grader's password; None where nobody is registered by that name."""
    with book.reading() as connection:
        statement = select(graders.c.secret).where(graders.c.name == name)
        return connection.execute(statement).scalar_one_or_none()


def registered_graders(book: Gradebook) -> tuple[str, ...]:
    """Return the names of all who may mark in a shared console."""
    with book.reading() as connection:
        return tuple(connection.execute(select(graders.c.name).order_by(graders.c.name)).scalars())


def add_share(book: Gradebook, grader: str, item: str, *, section: str = "") -> None:
    """Assign an item, or one section of it, to a grader."""
    row = {"grader": grader, "item": item, "section": section}
    with book.writing() as connection:
        connection.execute(_delete_share(row))
        connection.execute(insert(shares), row)


def remove_share(book: Gradebook, grader: str, item: str, *, section: str = "") -> None:
    """Take an item, or one section of it, from a grader."""
    with book.writing() as connection:
        connection.execute(_delete_share({"grader": grader, "item": item, "section": section}))


def list_shares(book: Gradebook) -> tuple[GraderShare, ...]:
    """Return all shares: who is to mark what."""
    order = (shares.c.grader, shares.c.item, shares.c.section)
    with book.reading() as connection:
        rows = connection.execute(select(*order).order_by(*order)).all()
    return tuple((row.grader, row.item, row.section) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFlag:
    """Who flagged an answer, and why; for staff only."""

    by: str
    note: str


def set_flag(
    book: Gradebook, submission: str, item: str, *, by: str, raised: bool, note: str = ""
) -> None:
    """Flag an answer, with a note for staff, or remove its flag."""
    conditions = (flags.c.submission == submission, flags.c.item == item)
    row = {"submission": submission, "item": item, "by": by, "at": timestamps.now_text()}
    with book.writing() as connection:
        connection.execute(delete(flags).where(*conditions))
        if raised:
            connection.execute(insert(flags), {**row, "note": note})


def answer_flags(book: Gradebook, item: str) -> Mapping[str, AnswerFlag]:
    """Return the flags on answers to an item, by submission."""
    statement = select(flags.c.submission, flags.c.by, flags.c.note).where(flags.c.item == item)
    with book.reading() as connection:
        rows = connection.execute(statement).all()
    return {row.submission: AnswerFlag(by=row.by, note=row.note) for row in rows}


def _delete_share(row: Mapping[str, str]) -> Delete:
    return delete(shares).where(*(shares.c[name] == value for name, value in row.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeReply:
    """Who answered a regrade request, when, and the number of the mark that answers it."""

    mark_number: int
    by: str
    at: str


def record_reply(book: Gradebook, request: str, *, mark_number: int, by: str) -> None:
    """Store that a mark answers a request.

    Args:
        book: the gradebook.
        request: a digest of the request's words.
        mark_number: the mark's number in the ledger.
        by: who answered.
    """
    row = {"request": request, "mark_number": mark_number, "by": by, "at": timestamps.now_text()}
    with book.writing() as connection:
        connection.execute(delete(regrade_replies).where(regrade_replies.c.request == request))
        connection.execute(insert(regrade_replies), row)


def withdraw_reply(book: Gradebook, mark_number: int) -> None:
    """Reopen the regrade request that a mark answered, if it answered one."""
    with book.writing() as connection:
        connection.execute(
            delete(regrade_replies).where(regrade_replies.c.mark_number == mark_number)
        )


def replies_by_request(book: Gradebook) -> Mapping[str, RegradeReply]:
    """Return the replies to all requests that were answered, by the digest of the request."""
    with book.reading() as connection:
        rows = connection.execute(select(regrade_replies)).mappings().all()
    return {
        row["request"]: RegradeReply(mark_number=row["mark_number"], by=row["by"], at=row["at"])
        for row in rows
    }
