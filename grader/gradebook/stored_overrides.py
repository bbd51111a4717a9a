"""The cells that people say items are answered in, where what was found is not right."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from grader.gradebook.store import Gradebook
from grader.gradebook.tables import parts

Parts = Mapping[str, Mapping[str, tuple[int, ...]]]
"""By submission and item, the cells it is answered in."""


def kept(book: Gradebook, assignment: str) -> Parts:
    """What people told so far of an assignment."""
    told = select(parts.c.submission, parts.c.item, parts.c.cells)
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    with book.reading() as connection:
        for row in connection.execute(told.where(parts.c.assignment == assignment)):
            cells = tuple(int(cell) for cell in row.cells.split())
            found.setdefault(row.submission, {})[row.item] = cells
    return found


def keep(book: Gradebook, assignment: str, *, told: Parts) -> None:
    """Put this in the place of all that was told of an assignment."""
    rows = [
        {
            "assignment": assignment,
            "submission": submission,
            "item": item,
            "cells": " ".join(map(str, cells)),
        }
        for submission, items in told.items()
        for item, cells in items.items()
    ]
    with book.writing() as connection:
        connection.execute(delete(parts).where(parts.c.assignment == assignment))
        if rows:
            connection.execute(insert(parts), rows)
