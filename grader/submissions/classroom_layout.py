"""Reads GitHub Classroom's clones: `hw1-submissions/hw1-adaexample/`, one for a student or team.

Only names are read: git stores when a commit was made in a form that only git reads, and running
git in a repository that a student made would run what the repository says.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import Listing
from grader.submissions.safe_names import plain_letters

SUFFIX = "-submissions"


def _prefix(listing: Listing) -> str:
    """Return the beginning of all repositories' names; '' where the folder is none of these."""
    name = listing.name
    return f"{name.removesuffix(SUFFIX)}-" if name.endswith(SUFFIX) and name != SUFFIX else ""


def _fits(listing: Listing) -> bool:
    prefix, subfolders = _prefix(listing), listing.subfolders()
    no_user = {prefix, listing.name}  # an archive may hold a folder of its own name
    repositories = [name for name in subfolders if name.startswith(prefix) and name not in no_user]
    return bool(prefix) and len(repositories) * 2 > len(subfolders)


def _bundles(listing: Listing, _context: LayoutContext) -> Iterator[Bundle]:
    prefix = _prefix(listing)
    for name, repository in listing.subfolders().items():
        user = name.removeprefix(prefix) if prefix and name.startswith(prefix) else ""
        yield Bundle(
            key=name,
            preferred_name=plain_letters(name),
            files=repository.files,
            display_path=name,
            students=(Student(name="", id="", lms={"github": user}),) if user else (),
            concerns=() if user else ("its folder is called unlike those beside it",),
        )


CLASSROOM = SubmissionLayout(
    name="github-classroom",
    description="clones of GitHub Classroom",
    matches=_fits,
    partly_matches=lambda listing: bool(listing.subfolders()),
    bundles=_bundles,
)
