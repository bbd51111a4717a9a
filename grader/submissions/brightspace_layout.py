"""Brightspace's download: `397063-2557369 - Ada Example - Sep 24, 2024 926 PM`.

A folder for each time that somebody handed in, or that before each file's own name. The newest
counts. The time has no zone: it is that of the course.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial

from grader.model import Student
from grader.submissions.bundles import SubmissionLayout
from grader.submissions.lms_names import Label, any_labeled, labeled_bundles, mostly_labeled

_NAME = re.compile(
    r"(?P<org>\d+)-(?P<folder>\d+) ?- ?(?P<name>.+?) ?- ?"
    r"(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2}), (?P<year>\d{4}) "
    r"(?P<hour>\d{1,2}):?(?P<minute>\d{2}) (?P<half>[AP]M)(?: ?- ?(?P<file>.+))?",
    re.DOTALL,
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read_label(name: str) -> Label | None:
    """What a name says."""
    match = _NAME.fullmatch(name)
    submitted_at = _parse_time(match) if match else None
    if match is None or submitted_at is None:
        return None
    return Label(
        submitter=f"{match['name']}_{match['org']}",
        preferred_name=match["name"],
        file=match["file"] or "",
        student=Student(name=match["name"], id=""),
        submitted_at=submitted_at,
        attempt=submitted_at,
        attempt_text=submitted_at.replace("T", " "),
    )


def _parse_time(match: re.Match[str]) -> str | None:
    """A time without a zone in ISO 8601; None where it is none."""
    hour = int(match["hour"])
    if match["month"] not in MONTHS or not 1 <= hour <= 12:  # noqa: PLR2004 (a clock's face)
        return None
    hour = hour % 12 + (12 if match["half"] == "PM" else 0)
    month = MONTHS.index(match["month"]) + 1
    numbers = (int(match["year"]), month, int(match["day"]), hour, int(match["minute"]))
    try:
        return datetime(*numbers).isoformat()  # noqa: DTZ001 (it has no zone)
    except ValueError:
        return None


BRIGHTSPACE = SubmissionLayout(
    name="brightspace",
    description="a download from Brightspace",
    fits=partial(mostly_labeled, read=read_label),
    partly_fits=partial(any_labeled, read=read_label),
    bundles=partial(labeled_bundles, read=read_label),
)
