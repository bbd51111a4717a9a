"""Leases: who has which answer before them, so that two people are never given the same."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from grader.gradebook.console_tables import leases
from grader.gradebook.store import Gradebook

LEASE_S = 600
"""How long an answer stays with whoever has it before them and says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseHolder:
    """One browser of one person."""

    id: str
    name: str


def take_lease(
    book: Gradebook, item: str, names: Iterable[str], *, holder: LeaseHolder
) -> str | None:
    """Lease the first of these submissions that nobody else has; None where others have all.

    Whatever the holder had before is let go: a browser has one answer before it.
    """
    now = _now()
    with book.writing() as connection:
        holders = _current_holders(connection, item, now=now)
        free = (name for name in names if holders.get(name, holder).id == holder.id)
        chosen = next(free, None)
        if chosen is None:
            return None
        released = (leases.c.holder == holder.id) | (leases.c.until <= now)
        connection.execute(delete(leases).where(released))
        row = {"submission": chosen, "item": item, "holder": holder.id, "marker": holder.name}
        connection.execute(insert(leases), {**row, "until": now + LEASE_S})
    return chosen


def other_holders(book: Gradebook, item: str, *, holder: LeaseHolder) -> Mapping[str, LeaseHolder]:
    """Who else has which submission before them."""
    with book.reading() as connection:
        holders = _current_holders(connection, item, now=_now())
    return {name: other for name, other in holders.items() if other.id != holder.id}


def release_leases(book: Gradebook, *, holder: LeaseHolder) -> None:
    """Whatever the holder had is free again."""
    with book.writing() as connection:
        connection.execute(delete(leases).where(leases.c.holder == holder.id))


def _current_holders(connection: Connection, item: str, *, now: int) -> dict[str, LeaseHolder]:
    rows = connection.execute(
        select(leases).where(leases.c.item == item, leases.c.until > now)
    ).all()
    return {row.submission: LeaseHolder(id=row.holder, name=row.marker) for row in rows}


def _now() -> int:
    return int(time.time())
