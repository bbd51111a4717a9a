"""Blackboard's download: `HW 5_aexample_attempt_2024-09-24-21-26-03_hw5.ipynb`, and a `.txt` each.

The text beside each attempt says the name and the times; the newest attempt counts. The time has no
zone: it is that of the course.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import File, Listing
from grader.submissions.lms_names import Label, any_labeled, labeled_bundles, mostly_labeled

_NAME = re.compile(
    r"(?P<assignment>.+)_(?P<user>[^_]+)_attempt_(?P<at>\d{4}(?:-\d{2}){5})"
    r"(?:_(?P<file>.+)|\.txt)",
    re.DOTALL,
)
_ATTEMPT_FILE = "attempt.txt"
_PERSON = re.compile(r"^Name:\s*(?P<name>.+?)\s*\((?P<user>[^()]+)\)\s*$", re.MULTILINE)
_MAX_READ_BYTES = 4096
"""Bytes of an attempt's text that are looked through."""


def read_label(name: str) -> Label | None:
    """What a name says."""
    match = _NAME.fullmatch(name)
    submitted_at = _parse_time(match["at"]) if match else None
    if match is None or submitted_at is None:
        return None
    return Label(
        submitter=match["user"],
        file=match["file"] or _ATTEMPT_FILE,
        student=Student(name="", id="", lms={"blackboard": match["user"]}),
        submitted_at=submitted_at,
        attempt=submitted_at,
        attempt_text=submitted_at.replace("T", " "),
    )


def _parse_time(text: str) -> str | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S").isoformat()  # noqa: DTZ007 (no zone)
    except ValueError:
        return None


def _bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    for bundle in labeled_bundles(listing, context, read=read_label):
        attempt_file = bundle.files.get(_ATTEMPT_FILE)
        files = {name: file for name, file in bundle.files.items() if name != _ATTEMPT_FILE}
        students = tuple(
            replace(student, name=_read_student_name(attempt_file)) for student in bundle.students
        )
        yield (
            replace(bundle, files=files, students=students) if attempt_file and students else bundle
        )


def _read_student_name(attempt_file: File | None) -> str:
    """The name that the text beside an attempt says; '' where it says none."""
    if attempt_file is None or not attempt_file.path.is_file():
        return ""
    try:
        with attempt_file.path.open("rb") as stream:
            match = _PERSON.search(stream.read(_MAX_READ_BYTES).decode("utf-8", "replace"))
    except OSError:
        return ""
    return match["name"] if match else ""


BLACKBOARD = SubmissionLayout(
    name="blackboard",
    description="a download from Blackboard",
    fits=partial(mostly_labeled, read=read_label),
    partly_fits=partial(any_labeled, read=read_label),
    bundles=_bundles,
)
