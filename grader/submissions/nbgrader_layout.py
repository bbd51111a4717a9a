"""Reads nbgrader's exchange: `submitted/<student>/<assignment>/*.ipynb`, with a `timestamp.txt`.

Of several assignments, the one named like the rubric's id is taken, else all that a student
submitted: the notebook most similar to the handout is then found as in any folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from grader.model import Student, list_some
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import File, Listing
from grader.submissions.safe_names import plain_letters
from grader.text_folding import squeeze_words

SUBMITTED = "submitted"
TIMESTAMP_FILE = "timestamp.txt"
_TIMESTAMP = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<time>\d{2}:\d{2}:\d{2})(?:\.\d+)?\s*(?P<zone>\S+)?"
)


def _submitted_folder(listing: Listing) -> Listing:
    """Return the folder that holds a folder for each student."""
    return listing.subfolders().get(SUBMITTED, listing)


def _fits(listing: Listing) -> bool:
    submitted = _submitted_folder(listing)
    if submitted is listing and listing.name != SUBMITTED:
        stamps = [name for name in listing.files if name.rpartition("/")[2] == TIMESTAMP_FILE]
        return not listing.has_top_notebook() and any(name.count("/") == 2 for name in stamps)  # noqa: PLR2004
    return bool(submitted.subfolders()) and not submitted.has_top_notebook()


def _bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    submitted = _submitted_folder(listing)
    prefix = "" if submitted is listing else f"{SUBMITTED}/"
    student_folders = submitted.subfolders()
    names = sorted({name for folder in student_folders.values() for name in folder.subfolders()})
    assignment_key = squeeze_words(context.assignment)
    matching = [name for name in names if squeeze_words(name) == assignment_key]
    assignment = matching[0] if matching else names[0] if len(names) == 1 else ""
    for student_id, student_folder in student_folders.items():
        assignment_folder = student_folder.subfolders().get(assignment)
        only_others = (
            bool(assignment) and not assignment_folder and not student_folder.has_top_notebook()
        )
        files = {} if only_others else dict((assignment_folder or student_folder).files)
        stamp = files.pop(TIMESTAMP_FILE, None)
        folder_path = f"{prefix}{student_id}"
        yield Bundle(
            key=student_id,
            preferred_name=plain_letters(student_id),
            files=files,
            display_path=f"{folder_path}/{assignment}" if assignment_folder else folder_path,
            students=(Student(name="", id=student_id),),
            submitted_at=_read_time(stamp) if stamp else "",
            remarks=_remarks_on_others(student_folder) if only_others else (),
        )


def _remarks_on_others(student_folder: Listing) -> tuple[str, ...]:
    others = sorted(student_folder.subfolders())
    return (f"submitted for other assignments only: {list_some(others)}",) if others else ()


def _read_time(stamp: File) -> str:
    """Return when it was submitted, in ISO 8601; without an offset where the zone is unknown."""
    match = _TIMESTAMP.match(stamp.read_start(100).decode("utf-8", "replace").strip())
    if match is None:
        return ""
    try:
        submitted_at = datetime.fromisoformat(f"{match['day']}T{match['time']}")
    except ValueError:
        return ""
    return submitted_at.replace(tzinfo=_zone(match["zone"] or "")).isoformat()


def _zone(name: str) -> tzinfo | None:
    if name in {"UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a student may have written anything there
        return None


NBGRADER = SubmissionLayout(
    name="nbgrader",
    description="nbgrader's submitted folder",
    matches=_fits,
    partly_matches=lambda listing: bool(_submitted_folder(listing).subfolders()),
    bundles=_bundles,
)
