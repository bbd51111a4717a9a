"""Reads the plainest layouts: notebooks in a folder under any name, and a folder for each student.

Both may be mixed: a notebook on top is a submission, and so is a folder. A folder with several
notebooks is one submission, unless they name different students, or are in folders of their own
that look like a student's each.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from grader.submissions.bundles import (
    Bundle,
    LayoutContext,
    SubmissionLayout,
    name_different_students,
)
from grader.submissions.file_listing import File, Listing, is_archive, is_notebook
from grader.submissions.safe_names import ending_of, plain_letters, without_ending

MAX_DEPTH = 4
"""Levels of folders that may hold several students' submissions."""
MIN_RELATIVE_OVERLAP = 0.5
"""How much of the handout a notebook must hold, relative to the best beside it."""
UNOPENED_ARCHIVES = frozenset({".rar", ".gz", ".bz2", ".xz"})
"""Endings of archives that are not opened."""
_DOCUMENTS = frozenset({".py", ".pdf", ".html", ".htm", ".doc", ".docx", ".odt", ".rtf", ".pages"})
_UNFINISHED = frozenset({".crdownload", ".part", ".partial", ".bak"})
"""Endings of downloads that were not waited for, and of backups."""
SUBSTITUTE_ENDINGS = _DOCUMENTS | UNOPENED_ARCHIVES | _UNFINISHED
"""Endings of files submitted instead of a notebook; others accompany one."""
MAX_ASKED = 5
"""Notebooks that are searched for the name of a file that may accompany all of them."""
MAX_HEAD_BYTES = 2**16
"""Bytes of a file that show whether it is a notebook under another name."""
MAX_SCANNED_BYTES = 16 * 2**20
"""Bytes of a notebook that are searched for the names of files."""


def flat_bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    """Yield a bundle for each notebook, and for each folder with one in it."""
    subfolders = listing.subfolders()
    if any(map(_holds_notebook, subfolders.values())):
        subfolders = {name: folder for name, folder in subfolders.items() if _holds_work(folder)}
    else:
        subfolders = {}  # they accompany a notebook and are not a student's
    top = listing.top_files()
    main_files = [name for name in top if is_notebook(name) or _is_lone_archive(name, top)]
    if len(main_files) == 1 and is_notebook(main_files[0]) and not subfolders:
        yield from _single_notebook_bundles(main_files[0], listing)
        return
    for name in main_files:
        yield _file_bundle(name, _same_stem(name, top))
    yield from _substitute_bundles(top, main_files=main_files)
    yield from _subfolder_bundles(subfolders, context)


def folder_bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    """Yield a bundle for each folder, even where it is empty."""
    yield from _substitute_bundles(listing.top_files(), main_files=())
    yield from _subfolder_bundles(listing.subfolders(), context)


# ---------------------------------------------------------------- files


def _single_notebook_bundles(name: str, listing: Listing) -> Iterator[Bundle]:
    """Yield the only notebook of a folder, with all files that don't seem another student's."""
    top = listing.top_files()
    source = top[name].read_start(MAX_SCANNED_BYTES)
    others = [
        bundle
        for bundle in _substitute_bundles(top, main_files=(name,))
        if bundle.preferred_name.encode("utf-8", "surrogateescape") not in source
    ]
    separate_files = {path for bundle in others for path in bundle.files}
    files = {path: file for path, file in listing.files.items() if path not in separate_files}
    yield _file_bundle(name, files)
    yield from others


def _file_bundle(name: str, files: Mapping[str, File]) -> Bundle:
    return Bundle(key=name, preferred_name=without_ending(name), files=files, display_path=name)


def _same_stem(name: str, files: Mapping[str, File]) -> Mapping[str, File]:
    """Return a file, and those beside it that differ only in their ending."""
    stem = without_ending(name)
    return {
        other: file
        for other, file in files.items()
        if other == name or (without_ending(other) == stem and not is_notebook(other))
    }


def _substitute_bundles(
    top: Mapping[str, File], *, main_files: Collection[str]
) -> Iterator[Bundle]:
    """Yield a bundle for each file that was submitted instead of a notebook."""
    stems = {without_ending(name) for name in main_files}
    others = {n: file for n, file in top.items() if n not in main_files and _stem(n) not in stems}
    alike = _named_like(stems, others, [top[name] for name in main_files])
    for name, file in others.items():
        is_alike = name in alike
        if is_alike or ending_of(name) in SUBSTITUTE_ENDINGS or _looks_like_notebook(file):
            yield _file_bundle(name, {name: file})


def _named_like(
    stems: Collection[str], others: Collection[str], notebooks: Sequence[File]
) -> frozenset[str]:
    """Return the files that are called as all notebooks are (`hw5_…`), and that none mentions."""
    beginnings = {_beginning(stem) for stem in stems}
    if len(stems) < 2 or len(beginnings) != 1 or "" in beginnings:  # noqa: PLR2004 (several)
        return frozenset()
    alike = {name for name in others if _beginning(without_ending(name)) in beginnings}
    for notebook in notebooks[:MAX_ASKED] if alike else ():
        source = notebook.read_start(MAX_SCANNED_BYTES)
        alike = {name for name in alike if os.fsencode(name) not in source}
    return frozenset(alike)


def _beginning(stem: str) -> str:
    """Return what stands before the first separator of a name, or ''."""
    beginning, separator, rest = re.sub(r"[\s.\-]", "_", stem.lower()).partition("_")
    return beginning if separator and rest else ""


def _stem(name: str) -> str:
    """Return a file's name without its ending, and without a notebook's before that."""
    stem = without_ending(name)
    return without_ending(stem) if is_notebook(stem) else stem


def _looks_like_notebook(file: File) -> bool:
    """Tell whether a file under any name holds a notebook."""
    start = file.read_start(MAX_HEAD_BYTES)
    return start.lstrip().startswith(b"{") and b'"cell_type"' in start and b'"source"' in start


def _is_lone_archive(name: str, top: Mapping[str, File]) -> bool:
    """Tell whether a file is an archive that does not accompany a notebook."""
    stem = without_ending(name)
    return is_archive(name) and not any(
        is_notebook(other) and without_ending(other) == stem for other in top
    )


# ---------------------------------------------------------------- folders


def _subfolder_bundles(
    subfolders: Mapping[str, Listing], context: LayoutContext
) -> Iterator[Bundle]:
    inner_counts = Counter(name for folder in subfolders.values() for name in folder.subfolders())
    repeated = frozenset(name for name, count in inner_counts.items() if count > 1)
    for name, subfolder in subfolders.items():
        yield from _bundles_in_folder(name, subfolder, context, repeated=repeated)


def _bundles_in_folder(
    name: str, folder: Listing, context: LayoutContext, *, repeated: frozenset[str], depth: int = 0
) -> Iterator[Bundle]:
    """Yield the bundles of one folder, which is mostly one submission.

    Args:
        name: The folder's path below the given one.
        folder: Its listing.
        context: What is known beside the files.
        repeated: Names of folders that several folders beside it have, too: they are parts of an
            assignment, say, but not students.
        depth: The folder's level.
    """
    inner = {key: below for key, below in folder.subfolders().items() if _holds_notebook(below)}
    several = len(inner) > 1 and not folder.top_files() and not repeated & inner.keys()
    if several and depth < MAX_DEPTH and not _name_same_student(inner, context):
        for key, subfolder in folder.subfolders().items():
            yield from _bundles_in_folder(
                f"{name}/{key}", subfolder, context, repeated=frozenset(), depth=depth + 1
            )
    elif notebooks := _notebooks_naming_others(folder, context):
        flag = f"in a folder ({name}) whose notebooks name different students"
        for notebook in notebooks:
            path = f"{name}/{notebook}"
            yield Bundle(
                key=path,
                preferred_name=without_ending(path),
                files=_same_stem(notebook, folder.files),
                display_path=path,
                concerns=(flag,),
            )
    else:
        preferred_name = plain_letters(name)
        files = folder.files if folder.notebooks() else {**folder.files, **folder.skipped}
        yield Bundle(key=name, preferred_name=preferred_name, files=files, display_path=name)


def _name_same_student(inner: Mapping[str, Listing], context: LayoutContext) -> bool:
    """Tell whether notebooks of two folders name the same student."""
    teams = [
        frozenset[str]().union(
            *(context.preview.named_students(folder.files[n].path) for n in folder.notebooks())
        )
        for folder in inner.values()
    ]
    return any(team & other_team for team, other_team in combinations(teams, 2))


def _notebooks_naming_others(folder: Listing, context: LayoutContext) -> tuple[str, ...]:
    """Return a folder's notebooks if those similar to the handout name different students."""
    notebooks = folder.notebooks()
    if len(notebooks) < 2:  # noqa: PLR2004 (several)
        return ()
    overlaps = {
        notebook: (context.preview.handout_overlap(folder.files[notebook].path) or (0.0, 0))[0]
        for notebook in notebooks
    }
    min_overlap = MIN_RELATIVE_OVERLAP * max(overlaps.values())
    teams = (
        context.preview.named_students(folder.files[notebook].path)
        for notebook in notebooks
        if overlaps[notebook] >= min_overlap
    )
    return notebooks if name_different_students(teams) else ()


def _holds_notebook(listing: Listing) -> bool:
    return any(is_notebook(name) or is_archive(name) for name in listing.files)


def _holds_work(listing: Listing) -> bool:
    return (
        _holds_notebook(listing)
        or bool(listing.skipped)
        or any(ending_of(name) in SUBSTITUTE_ENDINGS for name in listing.files)
    )


def _is_folders(listing: Listing) -> bool:
    on_top = any(is_notebook(name) or is_archive(name) for name in listing.top_files())
    return not on_top and _holds_notebook(listing)


FOLDERS = SubmissionLayout(
    name="folders",
    description="one folder per student",
    matches=_is_folders,
    partly_matches=lambda listing: bool(listing.subfolders()),
    bundles=folder_bundles,
)
FLAT = SubmissionLayout(
    name="flat",
    description="files with any names",
    matches=_holds_notebook,
    partly_matches=lambda listing: bool(listing.files),
    bundles=flat_bundles,
)
