"""Words the flags and notes of a submission, for every page, table and file that shows them."""

from __future__ import annotations

from grader.model import Flag, FlagKind, list_some

MAX_ARGUMENTS = 20
"""Items or cells that a flag lists."""

SENTENCES = {
    FlagKind.POINTS_BLOCKED: "{} points not evaluated; error carried forward may apply",
    FlagKind.CHECK_ERROR: "the grader could not judge {all}",
    FlagKind.MISSING_MODULE: "not evaluated yet, since {all}",
    FlagKind.CHECK_PENDING: "a person must decide {all}",
    FlagKind.CHANGED_SINCE_MARKED: "changed since it was graded: {all}",
    FlagKind.CELLS_STRUCK_OUT: "skipped, since it crashed the kernel or did not stop: cell {all}",
    FlagKind.NOT_GRADED: "not graded: {}",
    FlagKind.GRADER_FAILED: "the grader failed on it ({}); please report this; {}",
    # Collecting submissions and reading notebooks have dozens of sentences with file names and cell
    # numbers; nothing removes or filters them, so they are passed as text.
    FlagKind.COLLECTION_CONCERN: "{}",
    FlagKind.NOTEBOOK_NOTE: "{}",
    FlagKind.WRONG_FILE: (
        "this does not look like {}: none of its questions is here, and next to none of its code; "
        "no automatic points are given or taken until a person has looked"
    ),
    FlagKind.WRONG_FILE_NOTE: (
        "This does not look like {}: none of its questions is here, and next to none of its code. "
        "No automatic points are given or taken until a person has looked. "
        "If it is the wrong file, submit the right one, or tell your instructor."
    ),
    FlagKind.UNTOUCHED_HANDOUT: (
        "no question of {} is answered, and {} blanks in its code are still open"
    ),
    FlagKind.UNTOUCHED_HANDOUT_NOTE: (
        "No question of {} is answered here, and {} blanks in its code are still open. "
        "If it is the wrong file, submit the right one, or tell your instructor."
    ),
    FlagKind.NOTEBOOK_MISSING_NOTE: (
        "The notebook '{}' was not submitted. If you have it, submit it, or tell your instructor."
    ),
    FlagKind.NOTEBOOK_NOT_GRADED_NOTE: "The notebook '{}' could not be graded. {}",
    FlagKind.NOBODY_NAMED: "no name or id found",
    FlagKind.LOCATION_UNSURE: (
        "unsure where {all} is answered; `grade parts` says why and takes a correction"
    ),
    FlagKind.LOCATION_UNSURE_NOTE: (
        "We are not sure that we found all that you wrote for {all}; the reason is beside it. "
        "If something is missing there, tell your instructor which cells it is in."
    ),
    FlagKind.STUDENT_AMBIGUOUS: "{} could be {}",
    FlagKind.STUDENT_NOT_ON_ROSTER: "{} is not on the roster",
    FlagKind.NAME_BESIDE_OTHER_ID: "the name {} is next to the id of {}",
    FlagKind.ID_NOT_ON_ROSTER: "the id {} is not on the roster; by name it is {}",
    FlagKind.ID_DIFFERS_IN_FOLDER: "{} in the notebook has the id {} in the folder",
    FlagKind.SUBMITTER_NOT_NAMED: "submitted by {}, whom the notebook does not name",
    FlagKind.NAMED_NOT_IN_FOLDER: "the notebook names {}, but the folder does not",
    FlagKind.TIME_UNREADABLE: "the submission time can't be read: {}",
    FlagKind.LATE_WITHOUT_TIME: (
        "marked late, but its submission time is unknown; no late penalty applied"
    ),
    FlagKind.LATE_WITHOUT_RULE: (
        "marked late where it was submitted; the rubric has no due date, so no penalty applied"
    ),
    FlagKind.LATE_BUT_BEFORE_DUE: "marked late, but submitted at {}, before it was due",
    FlagKind.NOT_LATE_BUT_AFTER_DUE: "not marked late, but submitted at {}, after it was due",
    FlagKind.DUPLICATE_STUDENT: "{} is also in {}",
}
"""By kind; `{}` are the arguments in order, `{all}` is all of them, joined by commas."""


def flag_text(flag: Flag) -> str:
    """Return the sentence for a flag or a note."""
    return SENTENCES[flag.kind].format(*flag.args, all=list_some(flag.args, most=MAX_ARGUMENTS))
