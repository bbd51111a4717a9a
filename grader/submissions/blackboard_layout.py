"""Reads Blackboard's download: `HW 5_aexample_attempt_2024-09-24-21-26-03_hw5.ipynb`.

A `.txt` beside each attempt has the name and the times; the newest attempt counts. The time has no
zone: it is that of the course.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext
from grader.submissions.file_listing import File, Listing
from grader.submissions.lms_names import Label, labeled_bundles, labeled_layout

_NAME = re.compile(
    r"(?P<assignment>.+)_(?P<user>[^_]+)_attempt_(?P<at>\d{4}(?:-\d{2}){5})"
    r"(?:_(?P<file>.+)|\.txt)",
    re.DOTALL,
)
_ATTEMPT_FILE = "attempt.txt"
_PERSON = re.compile(r"^Name:\s*(?P<name>.+?)\s*\((?P<user>[^()]+)\)\s*$", re.MULTILINE)
_MAX_READ_BYTES = 4096


def _read_label(name: str) -> Label | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        attempt = datetime.strptime(match["at"], "%Y-%m-%d-%H-%M-%S")  # noqa: DTZ007 (no zone)
    except ValueError:
        return None
    return Label(
        submitter=match["user"],
        file=match["file"] or _ATTEMPT_FILE,
        student=Student(name="", id="", lms={"blackboard": match["user"]}),
        attempt=attempt.isoformat(),
    )


def _bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    for bundle in labeled_bundles(listing, context, read=_read_label):
        attempt_file = bundle.files.get(_ATTEMPT_FILE)
        if attempt_file is None or not bundle.students:
            yield bundle
            continue
        name = _read_student_name(attempt_file)
        yield replace(
            bundle,
            files={path: file for path, file in bundle.files.items() if path != _ATTEMPT_FILE},
            students=tuple(replace(student, name=name) for student in bundle.students),
        )


def _read_student_name(attempt_file: File) -> str:
    text = attempt_file.read_start(_MAX_READ_BYTES).decode("utf-8", "replace")
    match = _PERSON.search(text)
    return match["name"] if match else ""


BLACKBOARD = replace(
    labeled_layout(name="blackboard", description="a download from Blackboard", read=_read_label),
    bundles=_bundles,
)
