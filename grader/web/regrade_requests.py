"""Requests for another look: read from a file, matched with answers, answered in the ledger."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook import regrade_replies
from grader.gradebook.regrade_replies import Answered
from grader.report.text_format import one_line
from grader.web.answer_index import Folio
from grader.web.console import Console, Visit
from grader.web.marking_queue import Place

LARGEST = 4 << 20
"""Bytes of the file."""
LONGEST = 10_000
"""Letters of a request."""
COLUMNS = ("id", "item", "text", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a student asks to be looked at again."""

    digest: str
    student: str
    """Their id, as the file has it."""
    item: str
    text: str
    date: str
    submission: str = ""
    code: str = ""
    """Of the answer, '' where none was found."""
    problem: str = ""
    """Why none was found, in words for staff."""
    answered: Answered | None = None


def find(visit: Visit, digest: str, *, place: Place) -> Request | None:
    """The request of that digest, if it is about that answer."""
    if not digest:
        return None
    return next(
        (
            one
            for one in requests(visit.console)
            if one.digest == digest and one.code == place.sheet.code
        ),
        None,
    )


def settle(visit: Visit, request: Request, *, entry: int) -> None:
    """Say that an entry of the ledger answers it."""
    regrade_replies.settle(visit.console.book, request.digest, entry=entry, by=visit.session.name)


def requests(console: Console) -> tuple[Request, ...]:
    """All requests in the file, in its order; none where there is no file.

    Raises:
        UsageError: the file can't be read as a table of them.
    """
    if not console.requests.is_file():
        return ()
    rows = _rows(console.requests)
    settled = regrade_replies.settled(console.book)
    folios = console.shelf.folios()
    by_id: dict[str, list[Folio]] = {}
    for folio in folios.values():
        for student in folio.students:
            by_id.setdefault(student.id.strip().casefold(), []).append(folio)
    return tuple(_request(row, by_id=by_id, settled=settled) for row in rows)


def _request(
    row: Mapping[str, str],
    *,
    by_id: Mapping[str, list[Folio]],
    settled: Mapping[str, Answered],
) -> Request:
    words = {name: row.get(name, "").strip() for name in COLUMNS}
    digest = hashlib.sha256("\0".join(words.values()).encode("utf-8", "replace")).hexdigest()[:16]
    found = by_id.get(words["id"].casefold(), []) if words["id"] else []
    problem, code, submission = "", "", ""
    if len(found) != 1:
        many = "more than one submission is" if found else "no submission is"
        problem = f"{many} of a student with this id"
    elif words["item"] not in found[0].sheets:
        problem = "there is no such item"
    else:
        sheet = found[0].sheets[words["item"]]
        code, submission = sheet.code, sheet.submission
    return Request(
        digest=digest,
        student=words["id"],
        item=one_line(words["item"]),
        text=words["text"][:LONGEST],
        date=one_line(words["date"]),
        submission=submission,
        code=code,
        problem=problem,
        answered=settled.get(digest),
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of the file, by lower-case names of columns."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path.name}: can't be read ({error.strerror})") from error
    if len(data) > LARGEST:
        raise UsageError(f"{path.name}: more than {LARGEST >> 20} MB")
    text = _decoded(data)
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise UsageError(f"{path.name}: is no table ({error})") from error
    names = [name.strip().casefold() for name in (table[0] if table else [])]
    missing = [name for name in COLUMNS[:3] if name not in names]
    if missing:
        raise UsageError(f"{path.name}: needs columns id, item, text, date; has {', '.join(names)}")
    return (dict(zip(names, row, strict=False)) for row in table[1:] if any(row))


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
