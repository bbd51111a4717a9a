"""Reads Brightspace's download: `397063-2557369 - Ada Example - Sep 24, 2024 926 PM`.

That is a folder for each attempt, or stands before each file's own name. The newest attempt counts.
The time has no zone: it is that of the course.
"""

from __future__ import annotations

import re
from datetime import datetime

from grader.model import Student
from grader.submissions.lms_names import Label, labeled_layout

_NAME = re.compile(
    r"(?P<org>\d+)-(?P<folder>\d+) ?- ?(?P<name>.+?) ?- ?"
    r"(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2}), (?P<year>\d{4}) "
    r"(?P<hour>\d{1,2}):?(?P<minute>\d{2}) (?P<half>[AP]M)(?: ?- ?(?P<file>.+))?",
    re.DOTALL,
)
# strptime would read the computer's own language.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _read_label(name: str) -> Label | None:
    match = _NAME.fullmatch(name)
    attempt = _read_time(match) if match else None
    if match is None or attempt is None:
        return None
    return Label(
        submitter=f"{match['name']}_{match['org']}",
        preferred_name=match["name"],
        file=match["file"] or "",
        student=Student(name=match["name"], id=""),
        attempt=attempt,
    )


def _read_time(match: re.Match[str]) -> str | None:
    """Return a time in ISO 8601 without a zone, or None where it is impossible."""
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


BRIGHTSPACE = labeled_layout(
    name="brightspace", description="a download from Brightspace", read=_read_label
)
