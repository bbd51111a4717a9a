"""What the gradebook remembers beside grades: seeds, the roster, dates, and corrected locations.

They are stored so that no extension is lost when a later run leaves out an option.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from sqlalchemy import Connection, Table, delete, insert, select

from grader.gradebook.store import Gradebook
from grader.gradebook.tables import dates, location_overrides, pushes, roster, seeds
from grader.model import Student
from grader.people import People, RosterMember
from grader.people.directory import normalized_ids
from grader.people.name_matching import normalize_id

SEED_BYTES = 32
DateKind = Literal["due", "at"]
"""A due date of somebody's own, or when something was submitted."""
LocationOverrides = Mapping[str, Mapping[str, tuple[int, ...]]]
"""By submission and item, the numbers of the cells that hold the answer."""

# ---------------------------------------------------------------- seeds


def load_seed(book: Gradebook, assignment: str) -> bytes | None:
    """Return the secret seed of an assignment, if it has one.

    The questions to notebooks are drawn from it, so nobody may see it. It is drawn once and
    stored, so that a grade can be reproduced and `grade again` finds the answers to its questions.
    """
    with book.reading() as connection:
        return _select_seed(connection, assignment)


def seeded_assignments(book: Gradebook) -> tuple[str, ...]:
    """Return the ids of the assignments that have a seed: by which something was graded."""
    with book.reading() as connection:
        return tuple(connection.execute(select(seeds.c.assignment).distinct()).scalars())


def ensure_seed(book: Gradebook, assignment: str, *, offered: bytes | None = None) -> bytes:
    """Return the seed of an assignment; store the offered or a fresh one where it has none."""
    with book.writing() as connection:
        seed = _select_seed(connection, assignment)
        if seed is None:
            seed = offered or secrets.token_bytes(SEED_BYTES)
            connection.execute(insert(seeds), {"assignment": assignment, "seed": seed.hex()})
    return seed


def replace_seed(book: Gradebook, assignment: str) -> bytes:
    """Replace the seed of an assignment by a fresh one, and return that."""
    seed = secrets.token_bytes(SEED_BYTES)
    row = {"assignment": assignment, "seed": seed.hex()}
    with book.writing() as connection:
        _replace_rows(connection, seeds, [row], assignment=assignment)
    return seed


def _select_seed(connection: Connection, assignment: str) -> bytes | None:
    statement = select(seeds.c.seed).where(seeds.c.assignment == assignment)
    seed_hex: str | None = connection.execute(statement).scalar_one_or_none()
    return None if seed_hex is None else bytes.fromhex(seed_hex)


# ---------------------------------------------------------------- people


def load_people(book: Gradebook, assignment: str) -> People:
    """Return the roster, and the dates of one assignment."""
    with book.reading() as connection:
        members = connection.execute(select(roster.c.member).order_by(roster.c.place)).scalars()
        roster_members = tuple(_parse_member(text) for text in members)
        rows = connection.execute(
            select(dates).where(dates.c.assignment == assignment).order_by(dates.c.who)
        ).all()
    return People(
        members=roster_members,
        extensions={row.who: row.moment for row in rows if row.kind == "due"},
        submission_times={row.who: row.moment for row in rows if row.kind == "at"},
    )


def load_roster(book: Gradebook) -> People:
    """Return the roster alone, which all assignments share."""
    return People(members=load_people(book, "").members)


def save_roster(book: Gradebook, members: Sequence[RosterMember]) -> None:
    """Replace the roster."""
    rows = [
        {"place": position, "member": json.dumps(asdict(member))}
        for position, member in enumerate(members)
    ]
    with book.writing() as connection:
        _replace_rows(connection, roster, rows)


def save_dates(
    book: Gradebook, assignment: str, *, kind: DateKind, moments: Mapping[str, str]
) -> None:
    """Replace the dates of one kind.

    Args:
        book: the gradebook.
        assignment: the rubric's id.
        kind: which dates.
        moments: times in ISO 8601, by id of a student or name of a submission.
    """
    key = {"assignment": assignment, "kind": kind}
    rows = [{**key, "who": who, "moment": moment} for who, moment in moments.items()]
    with book.writing() as connection:
        _replace_rows(connection, dates, rows, **key)


def forget_person(book: Gradebook, *, ids: Iterable[str]) -> None:
    """Remove a student from the roster, all dates and what was sent elsewhere.

    Args:
        book: the gradebook.
        ids: every normalized id the student has.
    """
    removed_ids = set(ids)
    remaining = [
        member
        for member in load_roster(book).members
        if not removed_ids & normalized_ids(member.student)
    ]
    save_roster(book, remaining)
    with book.writing() as connection:
        for table in (dates, pushes):
            for who in connection.execute(select(table.c.who).distinct()).scalars().all():
                if normalize_id(who) in removed_ids:
                    connection.execute(delete(table).where(table.c.who == who))


def _parse_member(text: str) -> RosterMember:
    plain = json.loads(text)
    return RosterMember(student=Student(**plain["student"]), aliases=tuple(plain["aliases"]))


# ---------------------------------------------------------------- locations of answers


def load_overrides(book: Gradebook, assignment: str) -> LocationOverrides:
    """Return the cells that a person named for the answers of items."""
    statement = select(location_overrides).where(location_overrides.c.assignment == assignment)
    overrides: dict[str, dict[str, tuple[int, ...]]] = {}
    with book.reading() as connection:
        for row in connection.execute(statement):
            cells = tuple(int(cell) for cell in row.cells.split())
            overrides.setdefault(row.submission, {})[row.item] = cells
    return overrides


def save_overrides(book: Gradebook, assignment: str, *, overrides: LocationOverrides) -> None:
    """Replace all location overrides of an assignment."""
    rows = [
        {
            "assignment": assignment,
            "submission": submission,
            "item": item,
            "cells": " ".join(map(str, cells)),
        }
        for submission, items in overrides.items()
        for item, cells in items.items()
    ]
    with book.writing() as connection:
        _replace_rows(connection, location_overrides, rows, assignment=assignment)


def _replace_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], **key: str
) -> None:
    """Replace the rows with these values in some columns; all rows, where none are named."""
    connection.execute(delete(table).where(*(table.c[name] == key[name] for name in key)))
    if rows:
        connection.execute(insert(table), list(rows))
