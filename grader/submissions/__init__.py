"""A folder, an archive or one notebook, in any layout that courses have, to the submissions in it.

Each layout says who handed in what (`Bundle`); then the notebook that is graded is chosen from it,
with what lies beside it (`Submission`). Whoever has no notebook is a submission that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from grader.errors import ArchiveError, UsageError
from grader.model import Submission
from grader.submissions.archives import CLASS, Unpacker
from grader.submissions.bundles import About, Bundle, Look
from grader.submissions.file_listing import File, Listing, is_archive, walked
from grader.submissions.layouts import Recognised, recognised
from grader.submissions.notebook_choice import chosen
from grader.submissions.safe_names import told_apart, without_ending

__all__ = ["About", "Look", "collect", "walked"]


def collect(
    path: Path,
    *,
    about: About | None = None,
    leave_out: Collection[Path] = (),
    unpack_to: Callable[[], Path] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Submission, ...]:
    """Every submission at a path, by name.

    Args:
        path: a folder that is searched to the bottom, an archive, or one file.
        about: what is known of the assignment and of notebooks, and the layout if it is.
        leave_out: folders below it that nobody handed in: our own output, the course's.
        unpack_to: makes an empty folder for what archives hold; without it they stay closed.
        tell: who is told which layout was recognised.

    Raises:
        UsageError: nobody handed in anything, the archive can't be opened, or the layout that is
            insisted on is not there.
    """
    about = about or About()
    unpacker = Unpacker(unpack_to)
    if path.is_file() and not is_archive(path.name):
        bundles: Sequence[Bundle] = [_only(path)]
    else:
        if path.is_file():
            listing = _unpacked(path, unpacker)
        else:
            listing = walked(path, leave_out=leave_out, tell=tell)
        found = recognised(listing, insist=about.layout)
        if found is None:
            raise UsageError(f"{path}: no notebook (.ipynb) in this folder")
        bundles = _distinct(found.layout.bundles(found.listing, about))
        tell(_told(found, count=len(bundles)))
    if not bundles:
        raise UsageError(f"{path}: no notebook (.ipynb) in this folder")
    names = told_apart({bundle.key: bundle.named for bundle in bundles})
    submissions = (
        chosen(bundle, name=names[bundle.key], look=about.look, unpacker=unpacker)
        for bundle in bundles
    )
    return tuple(sorted(submissions, key=lambda submission: submission.name.lower()))


def _only(path: Path) -> Bundle:
    """One file that was given, and those beside it that are called the same."""
    try:
        there = sorted(path.parent.iterdir())
    except OSError:
        there = []
    stem = without_ending(path.name)
    files = {
        other.name: File(path=other, shown=other.name)
        for other in there
        if without_ending(other.name) == stem and other.is_file() and not other.is_symlink()
    }
    return Bundle(
        key=path.name,
        named=stem,
        files=files | {path.name: File(path=path, shown=path.name)},
        shown=path.name,
    )


def _unpacked(path: Path, unpacker: Unpacker) -> Listing:
    try:
        return unpacker.listing(path, bounds=CLASS)
    except ArchiveError as error:
        raise UsageError(f"{path}: the archive could not be opened: {error}") from error


def _distinct(bundles: Iterable[Bundle]) -> Sequence[Bundle]:
    """The bundles, none of a key that another has."""
    seen: dict[str, Bundle] = {}
    for bundle in bundles:
        key, again = bundle.key, 1
        while key in seen:
            again += 1
            key = f"{bundle.key}\n{again}"
        seen[key] = replace(bundle, key=key)
    return list(seen.values())


def _told(found: Recognised, *, count: int) -> str:
    """Which layout was recognised, as a line for the person at the keyboard."""
    many = f"{count} submission{'' if count == 1 else 's'}"
    why = "" if found.known else ", since the names are of no system known here"
    return f"layout {found.layout.name} ({found.layout.told}){why}: {many}"
