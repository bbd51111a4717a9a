"""Leases: who has which answer open, so that two people are never given the same."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from grader.gradebook.store import Gradebook
from grader.gradebook.tables import leases

LEASE_S = 600
"""Seconds until an answer is free again, after the last request of its holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseHolder:
    """One browser of one person."""

    id: str
    name: str


def take_lease(
    book: Gradebook, item: str, names: Iterable[str], *, holder: LeaseHolder
) -> str | None:
    """Lease the first of these submissions that no other holder has; return it, or None.

    Earlier leases of the holder end: a browser shows one answer.
    """
    now = int(time.time())
    with book.writing() as connection:
        holders = _current_holders(connection, item, now=now)
        free = (name for name in names if holders.get(name, holder).id == holder.id)
        chosen = next(free, None)
        if chosen is None:
            return None
        released = (leases.c.holder == holder.id) | (leases.c.until <= now)
        connection.execute(delete(leases).where(released))
        row = {"submission": chosen, "item": item, "holder": holder.id, "grader": holder.name}
        connection.execute(insert(leases), {**row, "until": now + LEASE_S})
    return chosen


def other_holders(book: Gradebook, item: str, *, holder: LeaseHolder) -> Mapping[str, LeaseHolder]:
    """Return who else has which submission open."""
    with book.reading() as connection:
        holders = _current_holders(connection, item, now=int(time.time()))
    return {name: other for name, other in holders.items() if other.id != holder.id}


def held_submission(book: Gradebook, item: str, *, holder: LeaseHolder) -> str | None:
    """Return the submission whose answer to an item a holder has open, or None."""
    with book.reading() as connection:
        holders = _current_holders(connection, item, now=int(time.time()))
    return next((name for name, other in holders.items() if other.id == holder.id), None)


def release_leases(book: Gradebook, *, holder: LeaseHolder) -> None:
    """End all leases of a holder."""
    with book.writing() as connection:
        connection.execute(delete(leases).where(leases.c.holder == holder.id))


def _current_holders(connection: Connection, item: str, *, now: int) -> dict[str, LeaseHolder]:
    rows = connection.execute(
        select(leases).where(leases.c.item == item, leases.c.until > now)
    ).all()
    return {row.submission: LeaseHolder(id=row.holder, name=row.grader) for row in rows}
