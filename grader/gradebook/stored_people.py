"""What the book remembers of people, so that an option that is forgotten loses no extension."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Literal

from sqlalchemy import delete, insert, select

from grader.gradebook.store import Gradebook
from grader.gradebook.tables import dates, roster
from grader.model import Student
from grader.people import Member, People
from grader.people.directory import told_marks
from grader.people.name_matching import plain_id

Kind = Literal["due", "at"]
"""A due date of somebody's own, or when something was handed in."""


def remembered(book: Gradebook, assignment: str) -> People:
    """The roster, and the dates of one assignment."""
    with book.reading() as connection:
        members = connection.execute(select(roster.c.member).order_by(roster.c.place)).scalars()
        known = tuple(_member(text) for text in members)
        found = connection.execute(
            select(dates.c.kind, dates.c.who, dates.c.moment)
            .where(dates.c.assignment == assignment)
            .order_by(dates.c.who)
        ).all()
    return People(
        members=known,
        extensions={row.who: row.moment for row in found if row.kind == "due"},
        times={row.who: row.moment for row in found if row.kind == "at"},
    )


def remembered_by_all(book: Gradebook) -> People:
    """The roster alone: it is that of all assignments."""
    return People(members=remembered(book, "").members)


def forget_person(book: Gradebook, *, marks: Iterable[str]) -> None:
    """Take somebody off the roster, and out of all dates.

    Args:
        book: where they are remembered.
        marks: every id of theirs, plain.
    """
    gone = set(marks)
    kept = [one for one in remembered_by_all(book).members if not gone & _marks(one.student)]
    keep_roster(book, kept)
    with book.writing() as connection:
        for row in connection.execute(select(dates)).all():
            if plain_id(row.who) in gone:
                connection.execute(delete(dates).where(dates.c.who == row.who))


def _marks(student: Student) -> set[str]:
    return {plain_id(mark) for mark in told_marks(student)}


def keep_roster(book: Gradebook, members: Sequence[Member]) -> None:
    """Remember a roster in the place of the one before; none for none."""
    rows = [
        {"place": place, "member": json.dumps(asdict(member))}
        for place, member in enumerate(members)
    ]
    with book.writing() as connection:
        connection.execute(delete(roster))
        if rows:
            connection.execute(insert(roster), rows)


def keep_dates(book: Gradebook, assignment: str, *, kind: Kind, known: Mapping[str, str]) -> None:
    """Remember the dates of one kind in the place of those before."""
    rows = [
        {"assignment": assignment, "kind": kind, "who": who, "moment": moment}
        for who, moment in known.items()
    ]
    with book.writing() as connection:
        connection.execute(
            delete(dates).where(dates.c.assignment == assignment, dates.c.kind == kind)
        )
        if rows:
            connection.execute(insert(dates), rows)


def _member(text: str) -> Member:
    plain = json.loads(text)
    return Member(student=Student(**plain["student"]), aliases=tuple(plain["aliases"]))
