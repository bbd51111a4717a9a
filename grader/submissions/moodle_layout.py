"""Reads Moodle's "Download all submissions": `Ada Example_10442_assignsubmission_file_`.

The name is written as usual, followed by the participant's number of Moodle's grading worksheet; it
is a folder's name, or stands before each file's own. A text typed into Moodle is an `onlinetext`.
"""

from __future__ import annotations

import re

from grader.model import Student
from grader.submissions.lms_names import Label, labeled_layout

_NAME = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?",
    re.DOTALL,
)
ANONYMOUS = "Participant"
"""The word in the name's place where names are hidden."""


def _read_label(name: str) -> Label | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    person = match["name"] if match["name"] != ANONYMOUS else ""
    return Label(
        submitter=f"{match['name']}_{match['id']}",
        file=match["file"] or f"{match['kind']}.html",
        student=Student(name=person, id="", lms={"moodle": match["id"]}),
    )


MOODLE = labeled_layout(name="moodle", description="a download from Moodle", read=_read_label)
