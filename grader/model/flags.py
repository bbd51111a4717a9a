"""Messages about one submission as data; `report.flag_text` words them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class FlagSource(StrEnum):
    """The step that a flag comes from; its flags are replaced when the step is repeated."""

    SCORE = "score"
    RUN = "run"
    COLLECTION = "collection"
    NOTEBOOK = "notebook"
    PEOPLE = "people"
    CLASS = "class"


class FlagKind(StrEnum):
    """The kind of a message; `report.flag_text` has its sentence, with the arguments."""

    POINTS_BLOCKED = "points_blocked"
    CHECK_ERROR = "not_judged"
    MISSING_MODULE = "missing_module"
    CHECK_PENDING = "person_decides"
    CHANGED_SINCE_MARKED = "changed_since_marked"
    CELLS_STRUCK_OUT = "cells_struck_out"
    NOT_GRADED = "not_graded"
    GRADER_FAILED = "grader_failed"
    COLLECTION_CONCERN = "collection_doubt"
    NOBODY_NAMED = "nobody_named"
    LOCATION_UNSURE = "location_unsure"
    LOCATION_UNSURE_NOTE = "location_unsure_note"
    NOTEBOOK_NOTE = "notebook_note"
    WRONG_FILE = "wrong_file"
    WRONG_FILE_NOTE = "wrong_file_note"
    UNTOUCHED_HANDOUT = "untouched_handout"
    UNTOUCHED_HANDOUT_NOTE = "untouched_handout_note"
    NOTEBOOK_MISSING_NOTE = "notebook_missing_note"
    NOTEBOOK_NOT_GRADED_NOTE = "notebook_not_graded_note"
    STUDENT_AMBIGUOUS = "student_ambiguous"
    STUDENT_NOT_ON_ROSTER = "student_not_on_roster"
    NAME_BESIDE_OTHER_ID = "name_beside_other_id"
    ID_NOT_ON_ROSTER = "id_not_on_roster"
    ID_DIFFERS_IN_FOLDER = "id_differs_in_folder"
    SUBMITTER_NOT_NAMED = "submitter_not_named"
    NAMED_NOT_IN_FOLDER = "named_not_in_folder"
    TIME_UNREADABLE = "time_unreadable"
    LATE_WITHOUT_TIME = "late_without_time"
    LATE_WITHOUT_RULE = "late_without_rule"
    LATE_BUT_BEFORE_DUE = "late_but_before_due"
    NOT_LATE_BUT_AFTER_DUE = "not_late_but_after_due"
    DUPLICATE_STUDENT = "duplicate_student"


_SOURCES = {
    FlagSource.SCORE: (
        FlagKind.POINTS_BLOCKED,
        FlagKind.CHECK_ERROR,
        FlagKind.MISSING_MODULE,
        FlagKind.CHECK_PENDING,
        FlagKind.CHANGED_SINCE_MARKED,
    ),
    FlagSource.RUN: (
        FlagKind.CELLS_STRUCK_OUT,
        FlagKind.NOT_GRADED,
        FlagKind.GRADER_FAILED,
    ),
    FlagSource.COLLECTION: (FlagKind.COLLECTION_CONCERN,),
    FlagSource.NOTEBOOK: (
        FlagKind.NOBODY_NAMED,
        FlagKind.LOCATION_UNSURE,
        FlagKind.LOCATION_UNSURE_NOTE,
        FlagKind.NOTEBOOK_NOTE,
        FlagKind.WRONG_FILE,
        FlagKind.WRONG_FILE_NOTE,
        FlagKind.UNTOUCHED_HANDOUT,
        FlagKind.UNTOUCHED_HANDOUT_NOTE,
        FlagKind.NOTEBOOK_MISSING_NOTE,
        FlagKind.NOTEBOOK_NOT_GRADED_NOTE,
    ),
    FlagSource.CLASS: (FlagKind.DUPLICATE_STUDENT,),
}
_SOURCE_BY_KIND = {kind: source for source, kinds in _SOURCES.items() for kind in kinds}


URGENT_NOTES = frozenset(
    {
        FlagKind.WRONG_FILE_NOTE,
        FlagKind.UNTOUCHED_HANDOUT_NOTE,
        FlagKind.NOTEBOOK_MISSING_NOTE,
        FlagKind.NOTEBOOK_NOT_GRADED_NOTE,
    }
)
"""Kinds of notes that a student must see first."""
MAX_LISTED = 5
"""Names that one sentence lists."""


def list_some(names: Sequence[str], *, most: int = MAX_LISTED) -> str:
    """Return names with commas between, and how many are left out of a long list."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def shorten(text: str, *, most: int) -> str:
    """Return a text as it is, or its start up to the end of a word with an ellipsis."""
    if len(text) <= most:
        return text
    start = text[:most]
    head, _, _ = start.rpartition(" ")
    return (head if 2 * len(head) > most else start).rstrip() + " …"


@dataclass(frozen=True, slots=True)
class Flag:
    """One message about a submission."""

    kind: FlagKind
    args: tuple[str, ...] = ()
    """Plain values that the sentence names; names and ids among them are redacted in copies."""

    @property
    def source(self) -> FlagSource:
        """The step it comes from; PEOPLE for kinds about students and times of submission."""
        return _SOURCE_BY_KIND.get(self.kind, FlagSource.PEOPLE)

    @property
    def is_urgent(self) -> bool:
        """Whether it is a note that a student must see first."""
        return self.kind in URGENT_NOTES
