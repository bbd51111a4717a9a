"""Regrade requests: read from a file, matched with answers, answered in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.csv_tables import read_table
from grader.errors import UsageError
from grader.gradebook import team
from grader.gradebook.team import RegradeReply
from grader.report.text_format import one_line
from grader.web.answer_index import IndexedSubmission
from grader.web.console import Console

_NEEDED_COLUMNS = frozenset({"id", "item", "text"})
MAX_LENGTH = 10_000
"""Characters of a request that are shown."""
COLUMNS = ("id", "item", "text", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeRequest:
    """A student's request to look at an answer again."""

    digest: str
    student: str
    """Their id, as the file has it."""
    item: str
    text: str
    date: str
    submission: str = ""
    code: str = ""
    """The code of the answer, '' where none matches."""
    problem: str = ""
    """Why no answer matches, in words for staff."""
    answered: RegradeReply | None = None


def find_request(console: Console, digest: str, *, code: str) -> RegradeRequest | None:
    """Return the request with a digest, if it is about the answer with that code."""
    requests = load_requests(console) if digest else ()
    return next((each for each in requests if (each.digest, each.code) == (digest, code)), None)


def load_requests(console: Console) -> tuple[RegradeRequest, ...]:
    """Return all requests in the file, in its order; none where there is no file.

    Raises:
        UsageError: the file can't be read as a table of requests.
    """
    if not console.requests_path.is_file():
        return ()
    rows = _read_rows(console.requests_path)
    replies = team.replies_by_request(console.book)
    submissions = console.answer_index.submissions()
    by_id: dict[str, list[IndexedSubmission]] = {}
    for submission in submissions.values():
        for student in submission.students:
            by_id.setdefault(student.id.strip().casefold(), []).append(submission)
    return tuple(_match_request(row, by_id=by_id, replies=replies) for row in rows)


def _match_request(
    row: Mapping[str, str],
    *,
    by_id: Mapping[str, list[IndexedSubmission]],
    replies: Mapping[str, RegradeReply],
) -> RegradeRequest:
    fields = {name: row.get(name, "").strip() for name in COLUMNS}
    digest = hashlib.sha256("\0".join(fields.values()).encode("utf-8", "replace")).hexdigest()[:16]
    matches = by_id.get(fields["id"].casefold(), []) if fields["id"] else []
    problem, code, submission = "", "", ""
    if len(matches) != 1:
        problem = "id matches several submissions" if matches else "id matches no submission"
    elif fields["item"] not in matches[0].answers:
        problem = "no such question"
    else:
        answer = matches[0].answers[fields["item"]]
        code, submission = answer.code, answer.submission
    return RegradeRequest(
        digest=digest,
        student=fields["id"],
        item=one_line(fields["item"]),
        text=fields["text"][:MAX_LENGTH],
        date=one_line(fields["date"]),
        submission=submission,
        code=code,
        problem=problem,
        answered=replies.get(digest),
    )


def _count_columns(names: Sequence[str]) -> int:
    return len(_NEEDED_COLUMNS & {name.strip().casefold() for name in names})


def _read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of the file, by names of columns in lower case."""
    table = read_table(path, verbatim=True, count_known=_count_columns)
    names = [name.strip().casefold() for name in table.columns]
    if not set(names) >= _NEEDED_COLUMNS:
        raise UsageError(f"{path.name}: needs columns id, item, text, date; has {', '.join(names)}")
    return (dict(zip(names, row.cells, strict=False)) for row in table.rows)
