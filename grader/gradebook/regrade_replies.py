"""Which requests for another look were answered, and by which entry of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from grader.gradebook.console_tables import regrades
from grader.gradebook.store import Gradebook


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeReply:
    """Who answered a request, when, and the number of the entry that says what."""

    entry: int
    by: str
    at: str


def record_reply(book: Gradebook, request: str, *, entry: int, by: str) -> None:
    """Say that an entry answers a request."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    row = {"request": request, "entry": entry, "marker": by, "made_at": made_at}
    with book.writing() as connection:
        connection.execute(delete(regrades).where(regrades.c.request == request))
        connection.execute(insert(regrades), row)


def replies_by_request(book: Gradebook) -> Mapping[str, RegradeReply]:
    """The requests that were answered."""
    with book.reading() as connection:
        rows = connection.execute(select(regrades)).all()
    return {
        row.request: RegradeReply(entry=row.entry, by=row.marker, at=row.made_at) for row in rows
    }
