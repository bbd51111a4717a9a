"""The cells that people say items are answered in, where what was found is not right."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from grader.gradebook.store import Gradebook
from grader.gradebook.tables import parts

LocationOverrides = Mapping[str, Mapping[str, tuple[int, ...]]]
"""By submission and item, the cells it is answered in."""


def load_overrides(book: Gradebook, assignment: str) -> LocationOverrides:
    """What people told so far of an assignment."""
    statement = select(parts.c.submission, parts.c.item, parts.c.cells)
    overrides: dict[str, dict[str, tuple[int, ...]]] = {}
    with book.reading() as connection:
        for row in connection.execute(statement.where(parts.c.assignment == assignment)):
            cells = tuple(int(cell) for cell in row.cells.split())
            overrides.setdefault(row.submission, {})[row.item] = cells
    return overrides


def save_overrides(book: Gradebook, assignment: str, *, overrides: LocationOverrides) -> None:
    """Put this in the place of all that was told of an assignment."""
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
        connection.execute(delete(parts).where(parts.c.assignment == assignment))
        if rows:
            connection.execute(insert(parts), rows)
