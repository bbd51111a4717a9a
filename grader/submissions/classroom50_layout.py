"""Reads what `gh teacher download` of Classroom 50 wrote: a clone for each student, `scores.csv`.

A clone is called `<classroom>-<assignment>-<username>`, and nobody but the teacher names it. What
lies in it is the student's, a `result.json` too where nothing was released: it tells the time only
where `scores.csv` has none, and a person is asked to look. Git is not run: see `classroom_layout`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from grader.csv_tables import parse_table
from grader.errors import UsageError
from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import Listing
from grader.submissions.safe_names import plain_letters
from grader.timestamps import parse_lms_time

SCORES, RESULT, RESULTS = "scores.csv", "result.json", "results.json"
SCHEMA = "classroom50/result/"
MAX_SCORES_BYTES = 20 << 20
MAX_RESULT_BYTES = 10 << 20
"""What Classroom 50 itself takes."""
_DOWNLOAD = re.compile(r"(.+)_submissions_\d{4}_\d\d_\d\d_t_\d\d_\d\d_\d\d")
"""Matches the name that `gh teacher download` gives the folder, in lower case."""
_UNNAMED = "its folder is called unlike those beside it"
_TIME_FROM_REPOSITORY = (
    "scores.csv does not have it; its time is from result.json, which the student can write"
)
_LATE = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Download:
    """What the folder says about the clones in it."""

    prefix: str
    """The beginning of their names; '' if unknown."""
    rows: Mapping[str, Mapping[str, str]]
    """By username in lower case, the newest row of `scores.csv`."""

    def user(self, folder: str) -> str:
        """Return the owner of a clone, or ''."""
        is_named = self.prefix and folder.lower().startswith(self.prefix)
        return folder[len(self.prefix) :] if is_named else ""


def _read_download(listing: Listing) -> _Download:
    rows = _read_scores(listing)
    folders = listing.subfolders()
    name = _DOWNLOAD.fullmatch(listing.name.lower())
    beginnings = Counter([f"{name[1]}-"] * len(folders) if name else [])
    for folder, clone in folders.items():
        lowered = folder.lower()
        users = (user for user in rows if lowered.endswith(f"-{user}") and lowered != f"-{user}")
        longest = max(users, key=len, default="")
        if longest:
            beginnings[lowered.removesuffix(longest)] += 1
        result = _read_result(clone)
        beginnings[f"{result.get('classroom')}-{result.get('assignment')}-".lower()] += bool(result)
    fitting = {b: n for b, n in beginnings.items() if any(f.lower().startswith(b) for f in folders)}
    return _Download(prefix=max(fitting, key=fitting.__getitem__, default=""), rows=rows)


def _read_scores(listing: Listing) -> Mapping[str, Mapping[str, str]]:
    """Return the newest row of each user, which comes first; none if it is another file."""
    file = listing.top_files().get(SCORES)
    text = file.read_start(MAX_SCORES_BYTES).decode("utf-8", "replace") if file else ""
    try:
        table = parse_table(text, name=SCORES)
    except UsageError:
        return {}
    if not {"username", "submission_tag"} <= set(table.columns):
        return {}
    rows: dict[str, Mapping[str, str]] = {}
    for row in table.rows:
        cells = dict(zip(table.columns, row.cells, strict=False))
        if cells["username"]:
            rows.setdefault(cells["username"].lower(), cells)
    return rows


def _read_result(clone: Listing) -> Mapping[str, Any]:
    """Return the result of a clone; nothing if it has none of Classroom 50's."""
    file = clone.top_files().get(RESULT)
    try:
        result = json.loads(file.read_start(MAX_RESULT_BYTES)) if file else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(result, dict) or not str(result.get("schema")).startswith(SCHEMA):
        return {}
    return result


def _bundles(listing: Listing, _context: LayoutContext) -> Iterator[Bundle]:
    download = _read_download(listing)
    folders = listing.subfolders()
    owners = {download.user(name).lower() for name in folders}
    for name, clone in folders.items():
        user = download.user(name)
        row = download.rows.get(user.lower(), {})
        user = row.get("username", user)
        result = _read_result(clone)
        submitted_at = _time(row.get("datetime"))
        concerns = () if user else (_UNNAMED,)
        if not submitted_at and (submitted_at := _time(result.get("datetime"))):
            concerns = (*concerns, _TIME_FROM_REPOSITORY)
        own = {RESULT, RESULTS} if result else frozenset()
        yield Bundle(
            key=name,
            preferred_name=plain_letters(name),
            files={path: file for path, file in clone.files.items() if path not in own},
            display_path=name,
            students=tuple(_team(user, download=download, owners=owners)),
            submitted_at=submitted_at,
            late=_LATE.get(row.get("late", "")),
            concerns=concerns,
        )


def _team(user: str, *, download: _Download, owners: set[str]) -> Iterator[Student]:
    """Yield the owner of a clone, and who has none and is credited with the same submission."""
    if not user:
        return
    row = download.rows.get(user.lower(), {})
    yield _student(user, row)
    submission = row.get("submission_tag"), row.get("review_url")
    for other, other_row in download.rows.items():
        same = (other_row.get("submission_tag"), other_row.get("review_url")) == submission
        if other not in owners and same and all(submission):
            yield _student(other_row["username"], other_row)


def _student(user: str, row: Mapping[str, str]) -> Student:
    return Student(
        name=" ".join(filter(None, (row.get("first_name"), row.get("last_name")))),
        id="",
        email=row.get("email", ""),
        section=row.get("section", ""),
        lms={"github": user},
    )


def _time(text: object) -> str:
    """Return a time in UTC, in ISO 8601, or ''."""
    moment = parse_lms_time(text, zone=UTC) if isinstance(text, str) else None
    return moment.isoformat() if moment else ""


def _fits(listing: Listing) -> bool:
    folders = listing.subfolders()
    download = _read_download(listing)
    named = [name for name in folders if download.user(name)]
    results = [clone for clone in folders.values() if _read_result(clone)]
    known = bool(download.rows) or len(results) * 2 > len(folders)
    is_download = _DOWNLOAD.fullmatch(listing.name.lower()) is not None
    return len(named) * 2 > len(folders) and (known or is_download)


CLASSROOM50 = SubmissionLayout(
    name="classroom50",
    description="download of Classroom 50",
    matches=_fits,
    partly_matches=lambda listing: bool(listing.subfolders()),
    bundles=_bundles,
)
