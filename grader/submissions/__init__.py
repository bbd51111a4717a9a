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
from grader.submissions.archives import CLASS_BOUNDS, Unpacker
from grader.submissions.bundles import Bundle, LayoutContext, NotebookPreview
from grader.submissions.file_listing import File, Listing, is_archive, list_folder
from grader.submissions.layouts import RecognizedLayout, recognize_layout
from grader.submissions.notebook_choice import choose_notebook
from grader.submissions.safe_names import distinct_safe_names, without_ending

__all__ = ["LayoutContext", "NotebookPreview", "collect", "list_folder"]


def collect(
    path: Path,
    *,
    context: LayoutContext | None = None,
    excluded: Collection[Path] = (),
    make_folder: Callable[[], Path] | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> tuple[Submission, ...]:
    """Every submission at a path, by name.

    Args:
        path: a folder that is searched to the bottom, an archive, or one file.
        context: what is known of the assignment and of notebooks, and the layout if it is.
        excluded: folders below it that nobody handed in: our own output, the course's.
        make_folder: makes an empty folder for what archives hold; without it they stay closed.
        notify: who is told which layout was recognized.

    Raises:
        UsageError: nobody handed in anything, the archive can't be opened, or the layout that is
            insisted on is not there.
    """
    context = context or LayoutContext()
    unpacker = Unpacker(make_folder)
    if path.is_file() and not is_archive(path.name):
        bundles: Sequence[Bundle] = [_single_file_bundle(path)]
    else:
        if path.is_file():
            listing = _list_archive(path, unpacker)
        else:
            listing = list_folder(path, excluded=excluded, notify=notify)
        recognition = recognize_layout(listing, layout_name=context.layout)
        if recognition is None:
            raise UsageError(f"{path}: no notebook (.ipynb) in this folder")
        bundles = _with_distinct_keys(recognition.layout.bundles(recognition.listing, context))
        notify(_layout_message(recognition, count=len(bundles)))
    if not bundles:
        raise UsageError(f"{path}: no notebook (.ipynb) in this folder")
    names = distinct_safe_names({bundle.key: bundle.preferred_name for bundle in bundles})
    submissions = (
        choose_notebook(bundle, name=names[bundle.key], preview=context.preview, unpacker=unpacker)
        for bundle in bundles
    )
    return tuple(sorted(submissions, key=lambda submission: submission.name.lower()))


def _single_file_bundle(path: Path) -> Bundle:
    """One file that was given, and those beside it that are called the same."""
    try:
        siblings = sorted(path.parent.iterdir())
    except OSError:
        siblings = []
    stem = without_ending(path.name)
    files = {
        sibling.name: File(path=sibling, display_path=sibling.name)
        for sibling in siblings
        if without_ending(sibling.name) == stem and sibling.is_file() and not sibling.is_symlink()
    }
    return Bundle(
        key=path.name,
        preferred_name=stem,
        files=files | {path.name: File(path=path, display_path=path.name)},
        display_path=path.name,
    )


def _list_archive(path: Path, unpacker: Unpacker) -> Listing:
    try:
        return unpacker.unpack(path, bounds=CLASS_BOUNDS)
    except ArchiveError as error:
        raise UsageError(f"{path}: the archive could not be opened: {error}") from error


def _with_distinct_keys(bundles: Iterable[Bundle]) -> Sequence[Bundle]:
    """The bundles, none of a key that another has."""
    seen: dict[str, Bundle] = {}
    for bundle in bundles:
        key, repeat = bundle.key, 1
        while key in seen:
            repeat += 1
            key = f"{bundle.key}\n{repeat}"
        seen[key] = replace(bundle, key=key)
    return list(seen.values())


def _layout_message(recognition: RecognizedLayout, *, count: int) -> str:
    """Which layout was recognized, as a line for the person at the keyboard."""
    count_text = f"{count} submission{'' if count == 1 else 's'}"
    reason = "" if recognition.is_known_system else ", since the names are of no system known here"
    return (
        f"layout {recognition.layout.name} ({recognition.layout.description}){reason}: {count_text}"
    )
