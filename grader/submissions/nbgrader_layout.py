"""nbgrader's exchange: `submitted/<student>/<assignment>/*.ipynb`, with a `timestamp.txt`.

Of several assignments the one that is called as the rubric's id is taken, else all that a student
handed in: the notebook that looks most like the handout is then found as anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import File, Listing
from grader.submissions.safe_names import plain_letters

SUBMITTED = "submitted"
TIMESTAMP_FILE = "timestamp.txt"
_TIMESTAMP = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<time>\d{2}:\d{2}:\d{2})(?:\.\d+)?\s*(?P<zone>\S+)?"
)


def _submitted_folder(listing: Listing) -> Listing:
    """The folder that holds a folder a student."""
    return listing.subfolders().get(SUBMITTED, listing)


def _fits(listing: Listing) -> bool:
    """A student's folder holds folders, and one of those a time stamp."""
    if listing.name != SUBMITTED and SUBMITTED not in listing.subfolders():
        stamps = [name for name in listing.files if name.rpartition("/")[2] == TIMESTAMP_FILE]
        return not listing.has_top_notebook() and any(name.count("/") == 2 for name in stamps)  # noqa: PLR2004
    submitted = _submitted_folder(listing)
    return bool(submitted.subfolders()) and not submitted.has_top_notebook()


def _bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    submitted = _submitted_folder(listing)
    prefix = "" if submitted is listing else f"{SUBMITTED}/"
    folders_by_student = {
        student_id: student_folder.subfolders()
        for student_id, student_folder in submitted.subfolders().items()
    }
    names = {name for folders in folders_by_student.values() for name in folders}
    matching = [
        name
        for name in sorted(names)
        if _normalize_name(name) == _normalize_name(context.assignment)
    ]
    assignment = (matching or list(names))[0] if matching or len(names) == 1 else ""
    for student_id, student_folder in submitted.subfolders().items():
        if (
            assignment
            and assignment not in folders_by_student[student_id]
            and not student_folder.has_top_notebook()
        ):
            continue  # handed in for another assignment only
        files = dict(folders_by_student[student_id].get(assignment, student_folder).files)
        stamp = files.pop(TIMESTAMP_FILE, None)
        yield Bundle(
            key=student_id,
            preferred_name=plain_letters(student_id),
            files=files,
            display_path=f"{prefix}{student_id}/{assignment}"
            if assignment in folders_by_student[student_id]
            else f"{prefix}{student_id}",
            students=(Student(name="", id=student_id),),
            submitted_at=_read_time(stamp) if stamp else "",
        )


def _normalize_name(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _read_time(stamp: File) -> str:
    """When it was handed in, in ISO 8601; without an offset where the zone is not known."""
    try:
        with stamp.path.open("rb") as stream:
            text = stream.read(100).decode("utf-8", "replace")
        match = _TIMESTAMP.match(text.strip())
        submitted_at = datetime.fromisoformat(f"{match['day']}T{match['time']}") if match else None
    except (OSError, ValueError):
        return ""
    if match is None or submitted_at is None:
        return ""
    zone = _zone(match["zone"] or "")
    return submitted_at.replace(tzinfo=zone).isoformat()


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
    fits=_fits,
    partly_fits=lambda listing: bool(_submitted_folder(listing).subfolders()),
    bundles=_bundles,
)
