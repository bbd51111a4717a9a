"""Reads what `grade fetch canvas` wrote: its manifest says whose each file is."""

from __future__ import annotations

from collections.abc import Iterator

from grader.errors import UsageError
from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.canvas_layout import split_turn
from grader.submissions.fetch_manifest import (
    MANIFEST,
    FetchedStudent,
    FetchedSubmission,
    read_manifest,
)
from grader.submissions.file_listing import NO_PATH, File, Listing, is_notebook
from grader.submissions.lms_names import ONLY_EARLIER_NOTEBOOK

NOT_THERE = "it was fetched, and is not there any more"


def _bundles(listing: Listing, _context: LayoutContext) -> Iterator[Bundle]:
    file = listing.files[MANIFEST]
    manifest = read_manifest(file.path)
    if not manifest.complete:
        raise UsageError(
            f"{file.display_path}: the fetch was interrupted; run the same `grade fetch` again"
        )
    for fetched in manifest.submissions:
        yield _bundle(fetched, listing)


def _bundle(fetched: FetchedSubmission, listing: Listing) -> Bundle:
    note = (
        f"attempt {fetched.attempt} counts ({fetched.submitted_at}); earlier: "
        f"{', '.join(fetched.earlier)}"
    )
    return Bundle(
        key=fetched.name,
        preferred_name=fetched.name,
        files=_files(fetched, listing),
        display_path=fetched.name,
        students=tuple(map(_student, fetched.students)),
        submitted_at=fetched.submitted_at,
        late=fetched.late,
        remarks=(note,) if fetched.earlier else (),
        concerns=(
            *([fetched.remark] if fetched.remark else []),
            *([ONLY_EARLIER_NOTEBOOK] if fetched.earlier_notebook else []),
        ),
    )


def _files(fetched: FetchedSubmission, listing: Listing) -> dict[str, File]:
    """Return the files by name, and what Canvas renamed under its first name, too."""
    files: dict[str, File] = {}
    for number, entry in enumerate(fetched.files):
        file = _find_file(listing, entry.path, fault=entry.fault)
        files[f"{number}/{entry.name}" if entry.name in files else entry.name] = file
    for name in list(files):
        stem, turn, ending = split_turn(name)
        if turn and not is_notebook(name):
            files.setdefault(f"{stem}{ending}", files[name])
    return files


def _find_file(listing: Listing, path: str, *, fault: str) -> File:
    file = listing.files.get(path)
    if fault or file is None:
        return File(path=NO_PATH, display_path=path, fault=fault or NOT_THERE)
    return file


def _student(fetched: FetchedStudent) -> Student:
    lms = {"canvas": str(fetched.user), "login": fetched.login}
    return Student(
        name=fetched.name,
        id=fetched.id,
        email=fetched.email,
        section=fetched.section,
        lms={system: number for system, number in lms.items() if number},
    )


def _fits(listing: Listing) -> bool:
    return MANIFEST in listing.top_files()


FETCHED = SubmissionLayout(
    name="canvas-fetched",
    description="fetched from Canvas",
    matches=_fits,
    partly_matches=_fits,
    bundles=_bundles,
)
