"""Moodle's "Download all submissions": `Ada Example_10442_assignsubmission_file_`.

The name stands as one writes it, then the participant's number of Moodle's grading worksheet; it is
a folder's name, or comes before each file's own. A text typed into Moodle is called `onlinetext`.
"""

from __future__ import annotations

import re
from functools import partial

from grader.model import Student
from grader.submissions.bundles import Layout
from grader.submissions.lms_names import Label, any_labelled, bundles_of, mostly

_NAME = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?",
    re.DOTALL,
)
ANONYMOUS = "Participant"
"""What stands in the name's place where names are hidden."""


def read(name: str) -> Label | None:
    """What a name says."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    person = found["name"] if found["name"] != ANONYMOUS else ""
    return Label(
        who=f"{found['name']}_{found['id']}",
        file=found["file"] or f"{found['kind']}.html",
        student=Student(name=person, id="", lms={"moodle": found["id"]}),
    )


MOODLE = Layout(
    name="moodle",
    told="a download from Moodle",
    fits=partial(mostly, read=read),
    holds=partial(any_labelled, read=read),
    bundles=partial(bundles_of, read=read),
)
