"""The team: who marks, who is to mark what, and the answers somebody wants another look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Delete, delete, insert, select

from grader.gradebook.console_tables import flags, markers, shares
from grader.gradebook.store import Gradebook

GraderShare = tuple[str, str, str]
"""A marker, an item, and a section ('' for all)."""


def register_grader(book: Gradebook, name: str, *, secret: str) -> None:
    """Let somebody mark, or give them another secret: a salted hash, never a password."""
    with book.writing() as connection:
        connection.execute(delete(markers).where(markers.c.name == name))
        connection.execute(insert(markers), {"name": name, "secret": secret})


def remove_grader(book: Gradebook, name: str) -> None:
    """Let somebody mark no longer; the marks they gave stay."""
    with book.writing() as connection:
        connection.execute(delete(markers).where(markers.c.name == name))
        connection.execute(delete(shares).where(shares.c.marker == name))


def password_hash_for(book: Gradebook, name: str) -> str | None:
    """The hash of a marker's password; None where nobody is registered by that name."""
    with book.reading() as connection:
        statement = select(markers.c.secret).where(markers.c.name == name)
        return connection.execute(statement).scalar_one_or_none()


def registered_graders(book: Gradebook) -> tuple[str, ...]:
    """The names of all who may mark in a shared console."""
    with book.reading() as connection:
        return tuple(connection.execute(select(markers.c.name).order_by(markers.c.name)).scalars())


def add_share(book: Gradebook, grader: str, item: str, *, section: str = "") -> None:
    """Give an item, or one section of it, to a marker."""
    row = {"marker": grader, "item": item, "section": section}
    with book.writing() as connection:
        connection.execute(_delete_share(row))
        connection.execute(insert(shares), row)


def remove_share(book: Gradebook, grader: str, item: str, *, section: str = "") -> None:
    """Take it from them."""
    with book.writing() as connection:
        connection.execute(_delete_share({"marker": grader, "item": item, "section": section}))


def list_shares(book: Gradebook) -> tuple[GraderShare, ...]:
    """Who is to mark what."""
    order = (shares.c.marker, shares.c.item, shares.c.section)
    with book.reading() as connection:
        rows = connection.execute(select(*order).order_by(*order)).all()
    return tuple((row.marker, row.item, row.section) for row in rows)


def set_flag(book: Gradebook, submission: str, item: str, *, by: str, raised: bool) -> None:
    """Say that an answer wants another look, or that it no longer does."""
    conditions = (flags.c.submission == submission, flags.c.item == item)
    row = {"submission": submission, "item": item, "marker": by}
    with book.writing() as connection:
        connection.execute(delete(flags).where(*conditions))
        if raised:
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
            connection.execute(insert(flags), {**row, "made_at": made_at})


def flagged_submissions(book: Gradebook, item: str) -> frozenset[str]:
    """The submissions whose answer to an item somebody wants another look at."""
    with book.reading() as connection:
        statement = select(flags.c.submission).where(flags.c.item == item)
        return frozenset(connection.execute(statement).scalars())


def _delete_share(row: Mapping[str, str]) -> Delete:
    return delete(shares).where(*(shares.c[name] == value for name, value in row.items()))
