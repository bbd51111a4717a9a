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
from grader.submissions.bundles import About, Bundle, Layout
from grader.submissions.file_listing import File, Listing
from grader.submissions.lms_names import Label, any_labelled, bundles_of, mostly

_NAME = re.compile(
    r"(?P<assignment>.+)_(?P<user>[^_]+)_attempt_(?P<at>\d{4}(?:-\d{2}){5})"
    r"(?:_(?P<file>.+)|\.txt)",
    re.DOTALL,
)
_TOLD = "attempt.txt"
_PERSON = re.compile(r"^Name:\s*(?P<name>.+?)\s*\((?P<user>[^()]+)\)\s*$", re.MULTILINE)
_READ = 4096
"""Bytes of an attempt's text that are looked through."""


def read(name: str) -> Label | None:
    """What a name says."""
    found = _NAME.fullmatch(name)
    at = _time(found["at"]) if found else None
    if found is None or at is None:
        return None
    return Label(
        who=found["user"],
        file=found["file"] or _TOLD,
        student=Student(name="", id="", lms={"blackboard": found["user"]}),
        at=at,
        attempt=at,
        told=at.replace("T", " "),
    )


def _time(text: str) -> str | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S").isoformat()  # noqa: DTZ007 (no zone)
    except ValueError:
        return None


def _bundles(listing: Listing, about: About) -> Iterator[Bundle]:
    for bundle in bundles_of(listing, about, read=read):
        told = bundle.files.get(_TOLD)
        files = {name: file for name, file in bundle.files.items() if name != _TOLD}
        named = tuple(replace(s, name=_name_in(told)) for s in bundle.students)
        yield replace(bundle, files=files, students=named) if told and named else bundle


def _name_in(told: File | None) -> str:
    """The name that the text beside an attempt says; '' where it says none."""
    if told is None or not told.path.is_file():
        return ""
    try:
        with told.path.open("rb") as opened:
            found = _PERSON.search(opened.read(_READ).decode("utf-8", "replace"))
    except OSError:
        return ""
    return found["name"] if found else ""


BLACKBOARD = Layout(
    name="blackboard",
    told="a download from Blackboard",
    fits=partial(mostly, read=read),
    holds=partial(any_labelled, read=read),
    bundles=_bundles,
)
