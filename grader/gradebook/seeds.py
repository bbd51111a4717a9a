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

SEED_BYTES = 32


def load_seed(book: Gradebook, assignment: str) -> bytes | None:
    """The seed of an assignment, if it has one."""
    with book.reading() as connection:
        seed_hex = connection.execute(_select_seed(assignment)).scalar_one_or_none()
    return None if seed_hex is None else bytes.fromhex(seed_hex)


def ensure_seed(book: Gradebook, assignment: str, *, offered: bytes | None = None) -> bytes:
    """The seed of an assignment; where it has none, the offered one or a fresh one from now on."""
    with book.writing() as connection:
        seed_hex: str | None = connection.execute(_select_seed(assignment)).scalar_one_or_none()
        if seed_hex is None:
            seed_hex = (offered or secrets.token_bytes(SEED_BYTES)).hex()
            connection.execute(insert(seeds), {"assignment": assignment, "seed": seed_hex})
    return bytes.fromhex(seed_hex)


def replace_seed(book: Gradebook, assignment: str) -> bytes:
    """A fresh seed in the place of the one that the assignment had."""
    seed = secrets.token_bytes(SEED_BYTES)
    with book.writing() as connection:
        connection.execute(delete(seeds).where(seeds.c.assignment == assignment))
        connection.execute(insert(seeds), {"assignment": assignment, "seed": seed.hex()})
    return seed


def _select_seed(assignment: str) -> Select[Any]:
    return select(seeds.c.seed).where(seeds.c.assignment == assignment)
