"""Moodle's "Download all submissions": `Ada Example_10442_assignsubmission_file_`.

The name stands as one writes it, then the participant's number of Moodle's grading worksheet; it is
a folder's name, or comes before each file's own. A text typed into Moodle is called `onlinetext`.
"""

from __future__ import annotations

import re
from functools import partial

from grader.model import Student
from grader.submissions.bundles import SubmissionLayout
from grader.submissions.lms_names import Label, any_labeled, labeled_bundles, mostly_labeled

_NAME = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?",
    re.DOTALL,
)
ANONYMOUS = "Participant"
"""What stands in the name's place where names are hidden."""


def read_label(name: str) -> Label | None:
    """What a name says."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    person = match["name"] if match["name"] != ANONYMOUS else ""
    return Label(
        submitter=f"{match['name']}_{match['id']}",
        file=match["file"] or f"{match['kind']}.html",
        student=Student(name=person, id="", lms={"moodle": match["id"]}),
    )


MOODLE = SubmissionLayout(
    name="moodle",
    description="a download from Moodle",
    fits=partial(mostly_labeled, read=read_label),
    partly_fits=partial(any_labeled, read=read_label),
    bundles=partial(labeled_bundles, read=read_label),
)
