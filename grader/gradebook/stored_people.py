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
from grader.people import People, RosterMember
from grader.people.directory import student_ids
from grader.people.name_matching import normalize_id

DateKind = Literal["due", "at"]
"""A due date of somebody's own, or when something was handed in."""


def load_people(book: Gradebook, assignment: str) -> People:
    """The roster, and the dates of one assignment."""
    with book.reading() as connection:
        members = connection.execute(select(roster.c.member).order_by(roster.c.place)).scalars()
        roster_members = tuple(_parse_member(text) for text in members)
        rows = connection.execute(
            select(dates.c.kind, dates.c.who, dates.c.moment)
            .where(dates.c.assignment == assignment)
            .order_by(dates.c.who)
        ).all()
    return People(
        members=roster_members,
        extensions={row.who: row.moment for row in rows if row.kind == "due"},
        submission_times={row.who: row.moment for row in rows if row.kind == "at"},
    )


def load_roster(book: Gradebook) -> People:
    """The roster alone: it is that of all assignments."""
    return People(members=load_people(book, "").members)


def forget_person(book: Gradebook, *, ids: Iterable[str]) -> None:
    """Take somebody off the roster, and out of all dates.

    Args:
        book: where they are remembered.
        ids: every id of theirs, plain.
    """
    removed_ids = set(ids)
    remaining = [
        member
        for member in load_roster(book).members
        if not removed_ids & _normalized_ids(member.student)
    ]
    save_roster(book, remaining)
    with book.writing() as connection:
        for row in connection.execute(select(dates)).all():
            if normalize_id(row.who) in removed_ids:
                connection.execute(delete(dates).where(dates.c.who == row.who))


def _normalized_ids(student: Student) -> set[str]:
    return {normalize_id(student_id) for student_id in student_ids(student)}


def save_roster(book: Gradebook, members: Sequence[RosterMember]) -> None:
    """Remember a roster in the place of the one before; none for none."""
    rows = [
        {"place": position, "member": json.dumps(asdict(member))}
        for position, member in enumerate(members)
    ]
    with book.writing() as connection:
        connection.execute(delete(roster))
        if rows:
            connection.execute(insert(roster), rows)


def save_dates(
    book: Gradebook, assignment: str, *, kind: DateKind, moments: Mapping[str, str]
) -> None:
    """Remember the dates of one kind in the place of those before."""
    rows = [
        {"assignment": assignment, "kind": kind, "who": who, "moment": moment}
        for who, moment in moments.items()
    ]
    with book.writing() as connection:
        connection.execute(
            delete(dates).where(dates.c.assignment == assignment, dates.c.kind == kind)
        )
        if rows:
            connection.execute(insert(dates), rows)


def _parse_member(text: str) -> RosterMember:
    plain = json.loads(text)
    return RosterMember(student=Student(**plain["student"]), aliases=tuple(plain["aliases"]))
