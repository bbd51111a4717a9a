"""The secret seed of each assignment: what notebooks are asked is drawn from it, so nobody sees it.

One for each assignment, drawn once and kept: a grade can be made again, and `grade again` finds the
answers to what it asks.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Select, delete, insert, select

from grader.gradebook.store import Gradebook
from grader.gradebook.tables import seeds

BYTES = 32


def kept(book: Gradebook, assignment: str) -> bytes | None:
    """The seed of an assignment, if it has one."""
    with book.reading() as connection:
        found = connection.execute(_of(assignment)).scalar_one_or_none()
    return None if found is None else bytes.fromhex(found)


def first(book: Gradebook, assignment: str, *, offered: bytes | None = None) -> bytes:
    """The seed of an assignment; where it has none, the offered one or a fresh one from now on."""
    with book.writing() as connection:
        found: str | None = connection.execute(_of(assignment)).scalar_one_or_none()
        if found is None:
            found = (offered or secrets.token_bytes(BYTES)).hex()
            connection.execute(insert(seeds), {"assignment": assignment, "seed": found})
    return bytes.fromhex(found)


def another(book: Gradebook, assignment: str) -> bytes:
    """A fresh seed in the place of the one that the assignment had."""
    drawn = secrets.token_bytes(BYTES)
    with book.writing() as connection:
        connection.execute(delete(seeds).where(seeds.c.assignment == assignment))
        connection.execute(insert(seeds), {"assignment": assignment, "seed": drawn.hex()})
    return drawn


def _of(assignment: str) -> Select[Any]:
    return select(seeds.c.seed).where(seeds.c.assignment == assignment)
