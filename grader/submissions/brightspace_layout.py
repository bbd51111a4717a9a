"""Brightspace's download: `397063-2557369 - Ada Example - Sep 24, 2024 926 PM`.

A folder for each time that somebody handed in, or that before each file's own name. The newest
counts. The time has no zone: it is that of the course.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial

from grader.model import Student
from grader.submissions.bundles import Layout
from grader.submissions.lms_names import Label, any_labelled, bundles_of, mostly

_NAME = re.compile(
    r"(?P<org>\d+)-(?P<folder>\d+) ?- ?(?P<name>.+?) ?- ?"
    r"(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2}), (?P<year>\d{4}) "
    r"(?P<hour>\d{1,2}):?(?P<minute>\d{2}) (?P<half>[AP]M)(?: ?- ?(?P<file>.+))?",
    re.DOTALL,
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read(name: str) -> Label | None:
    """What a name says."""
    found = _NAME.fullmatch(name)
    at = _time(found) if found else None
    if found is None or at is None:
        return None
    return Label(
        who=f"{found['name']}_{found['org']}",
        named=found["name"],
        file=found["file"] or "",
        student=Student(name=found["name"], id=""),
        at=at,
        attempt=at,
        told=at.replace("T", " "),
    )


def _time(found: re.Match[str]) -> str | None:
    """A time without a zone in ISO 8601; None where it is none."""
    hour = int(found["hour"])
    if found["month"] not in MONTHS or not 1 <= hour <= 12:  # noqa: PLR2004 (a clock's face)
        return None
    hour = hour % 12 + (12 if found["half"] == "PM" else 0)
    month = MONTHS.index(found["month"]) + 1
    numbers = (int(found["year"]), month, int(found["day"]), hour, int(found["minute"]))
    try:
        return datetime(*numbers).isoformat()  # noqa: DTZ001 (it has no zone)
    except ValueError:
        return None


BRIGHTSPACE = Layout(
    name="brightspace",
    told="a download from Brightspace",
    fits=partial(mostly, read=read),
    holds=partial(any_labelled, read=read),
    bundles=partial(bundles_of, read=read),
)
