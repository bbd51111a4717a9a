"""GitHub Classroom's clones: `hw1-submissions/hw1-adaexample/`, a repository a student or team.

Only names are read: git keeps when a commit was made in a form that only git reads, and running git
in a repository that a student made would run what it says.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.model import Student
from grader.submissions.bundles import About, Bundle, Layout
from grader.submissions.file_listing import Listing
from grader.submissions.safe_names import plain_word

SUFFIX = "-submissions"


def _prefix(listing: Listing) -> str:
    """What all repositories' names begin with; '' where the folder is none of these."""
    name = listing.name
    return f"{name.removesuffix(SUFFIX)}-" if name.endswith(SUFFIX) and name != SUFFIX else ""


def _fits(listing: Listing) -> bool:
    prefix, parts = _prefix(listing), listing.parts()
    ours = [name for name in parts if name.startswith(prefix) and name != prefix]
    return bool(prefix) and len(ours) * 2 > len(parts)


def _bundles(listing: Listing, _about: About) -> Iterator[Bundle]:
    prefix = _prefix(listing)
    for name, part in listing.parts().items():
        user = name.removeprefix(prefix) if prefix and name.startswith(prefix) else ""
        yield Bundle(
            key=name,
            named=plain_word(name),
            files=part.files,
            shown=name,
            students=(Student(name="", id="", lms={"github": user}),) if user else (),
            doubts=() if user else ("its folder is called unlike those beside it",),
        )


CLASSROOM = Layout(
    name="github-classroom",
    told="clones of GitHub Classroom",
    fits=_fits,
    holds=lambda listing: bool(listing.parts()),
    bundles=_bundles,
)
