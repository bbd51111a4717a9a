"""Turns a folder, an archive or one notebook, in any course's layout, into the submissions in it.

Each layout says who submitted which files (`Bundle`); then the notebook to grade is chosen among
them (`Submission`). A bundle without a notebook becomes a submission that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grader.errors import ArchiveError, UsageError
from grader.model import Submission, list_some
from grader.submissions.archives import CLASS_BOUNDS, Unpacker
from grader.submissions.bundles import Bundle, LayoutContext, NotebookPreview
from grader.submissions.fetch_manifest import read_source
from grader.submissions.file_listing import (
    HIDDEN_FAULTS,
    File,
    Listing,
    is_archive,
    list_folder,
)
from grader.submissions.layouts import RecognizedLayout, recognize_layout
from grader.submissions.notebook_choice import choose_notebook
from grader.submissions.safe_names import distinct_safe_names, without_ending
from grader.submissions.several_notebooks import choose_notebooks, join_bundles

__all__ = ["LayoutContext", "NotebookPreview", "collect", "list_folder", "read_source"]

MAX_LEFT_OUT = 40
"""Files and folders that are named where they belong to no submission."""


def collect(
    path: Path,
    *,
    context: LayoutContext | None = None,
    excluded: Collection[Path] = (),
    make_folder: Callable[[], Path] | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> tuple[Submission, ...]:
    """Return every submission at a path, sorted by name.

    Args:
        path: A folder with any number of levels, an archive, or one file.
        context: What is known beside the files.
        excluded: Folders below it that nobody submitted: our own output, the course's.
        make_folder: Returns an empty folder to unpack to; without it archives stay closed.
        notify: Gets a sentence on the layout, and on each folder that can't be read.

    Raises:
        UsageError: Nobody submitted anything, the archive can't be opened, or the named layout
            is not there.
    """
    context = context or LayoutContext()
    unpacker = Unpacker(make_folder)
    if path.is_file() and not is_archive(path.name):
        bundles: Sequence[Bundle] = [_single_file_bundle(path)]
    else:
        if path.is_file():
            try:
                listing = unpacker.unpack(path, bounds=CLASS_BOUNDS)
            except ArchiveError as error:
                message = f"{path}: the archive could not be opened: {error}"
                raise UsageError(message) from error
        else:
            listing = list_folder(path, excluded=excluded, notify=notify)
        recognition = recognize_layout(listing, layout_name=context.layout)
        if recognition is None:
            raise UsageError(f"{path}: no notebook (.ipynb) in this folder")
        separate = recognition.layout.bundles(recognition.listing, context)
        bundles = _with_distinct_keys(join_bundles(separate, previews=context.notebooks))
        notify(_layout_message(recognition, count=len(bundles)))
        if not recognition.is_known_system:
            _notify_left_out(recognition.listing, bundles, notify)
    if not bundles:
        raise UsageError(f"{path}: no notebook (.ipynb) in this folder")
    submissions = _make_submissions(bundles, context=context, unpacker=unpacker)
    return tuple(sorted(submissions, key=lambda submission: submission.name.lower()))


def _make_submissions(
    bundles: Sequence[Bundle], *, context: LayoutContext, unpacker: Unpacker
) -> Iterator[Submission]:
    names = distinct_safe_names({bundle.key: bundle.preferred_name for bundle in bundles})
    for bundle in bundles:
        yield _choose(bundle, name=names[bundle.key], context=context, unpacker=unpacker)


def _choose(bundle: Bundle, *, name: str, context: LayoutContext, unpacker: Unpacker) -> Submission:
    """Return the submission of a bundle, by its notebook or by several."""
    if context.notebooks:
        return choose_notebooks(bundle, name=name, previews=context.notebooks, unpacker=unpacker)
    return choose_notebook(bundle, name=name, preview=context.preview, unpacker=unpacker)


def _notify_left_out(
    listing: Listing, bundles: Iterable[Bundle], notify: Callable[[str], None]
) -> None:
    """Say which files and folders belong to no submission: none is lost without a word."""
    used = {file.display_path for bundle in bundles for file in bundle.files.values()}
    left_out = [f.display_path for f in listing.top_files().values() if f.display_path not in used]
    if left_out:
        listed = list_some(left_out, most=MAX_LEFT_OUT)
        notify(f"not graded, since they belong to no notebook: {listed}")
    hidden = {n: f for n, f in listing.skipped.items() if f.fault in HIDDEN_FAULTS.values()}
    if top_hidden := [name for name in hidden if "/" not in name]:
        listed = list_some(top_hidden, most=MAX_LEFT_OUT)
        notify(f"not graded, since their names begin with a dot or ~$: {listed}")
    rows = {bundle.key.partition("/")[0] for bundle in bundles}
    folders = [
        f"{name}/"
        for name, folder in listing.subfolders().items()
        if name not in rows and used.isdisjoint(f.display_path for f in folder.files.values())
    ]
    if folders:
        listed = list_some(folders, most=MAX_LEFT_OUT)
        notify(f"not graded, since they hold no notebook: {listed}")


def _single_file_bundle(path: Path) -> Bundle:
    """Return one given file, and those beside it that differ only in their ending."""
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


def _with_distinct_keys(bundles: Iterable[Bundle]) -> Sequence[Bundle]:
    """Return the bundles with a number added to keys that others have, too."""
    seen: dict[str, Bundle] = {}
    for bundle in bundles:
        key, repeat = bundle.key, 1
        while key in seen:
            repeat += 1
            key = f"{bundle.key}\n{repeat}"
        seen[key] = replace(bundle, key=key)
    return list(seen.values())


def _layout_message(recognition: RecognizedLayout, *, count: int) -> str:
    """Say which layout was recognized, in a line for the person at the keyboard."""
    count_text = f"{count} submission{'' if count == 1 else 's'}"
    layout = recognition.layout
    reason = "" if recognition.is_known_system else "; file names match no known LMS"
    return f"layout: {layout.name} ({layout.description}{reason}): {count_text}"
