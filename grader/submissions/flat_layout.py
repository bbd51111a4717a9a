"""The plainest layouts: notebooks in a folder under any name, and a folder a student.

Both may be mixed: a notebook on top is a submission, and so is a folder. A folder with several
notebooks is one submission, unless they name different students, or lie in folders of their own
that look like a student's each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from grader.submissions.bundles import (
    Bundle,
    LayoutContext,
    SubmissionLayout,
    name_different_students,
)
from grader.submissions.file_listing import File, Listing, is_archive, is_notebook, path_stem
from grader.submissions.safe_names import plain_letters, without_ending

MAX_DEPTH = 4
"""Folders within folders that may hold several students'."""
MIN_RELATIVE_OVERLAP = 0.5
"""How much of the handout a notebook must hold, of what the best beside it holds."""
_DOCUMENTS = (".py", ".pdf", ".html", ".htm", ".doc", ".docx", ".odt", ".rtf")
_ARCHIVES = (".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
SUBSTITUTE_ENDINGS = frozenset([*_DOCUMENTS, *_ARCHIVES])
"""Endings of what is handed in instead of a notebook; others lie beside one."""
MAX_SCANNED_BYTES = 16 * 2**20
"""Bytes of a notebook in which the names of files are looked for."""


def flat_bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    """A submission for each notebook, and for each folder with one in it."""
    subfolders = {
        name: subfolder
        for name, subfolder in listing.subfolders().items()
        if _holds_notebook(subfolder)
    }
    if subfolders:  # folders are students', then, and not what lies beside a notebook
        subfolders = {
            n: subfolder for n, subfolder in listing.subfolders().items() if _holds_work(subfolder)
        }
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
    """A submission for each folder, also where there is nothing in it."""
    yield from _substitute_bundles(listing.top_files(), main_files=())
    yield from _subfolder_bundles(listing.subfolders(), context)


# ---------------------------------------------------------------- files


def _single_notebook_bundles(name: str, listing: Listing) -> Iterator[Bundle]:
    """The only notebook of a folder: what lies beside it is its own, unless it seems another's."""
    top = listing.top_files()
    notebook_text = _read_bytes(top[name])
    others = [
        bundle
        for bundle in _substitute_bundles(top, main_files=(name,))
        if path_stem(bundle.display_path).encode("utf-8", "surrogateescape") not in notebook_text
    ]
    separate_files = {other for bundle in others for other in bundle.files}
    files = {key: file for key, file in listing.files.items() if key not in separate_files}
    yield _file_bundle(name, files)
    yield from others


def _read_bytes(file: File) -> bytes:
    try:
        with file.path.open("rb") as stream:
            return stream.read(MAX_SCANNED_BYTES) if file.path.is_file() else b""
    except OSError:
        return b""


def _file_bundle(name: str, files: Mapping[str, File]) -> Bundle:
    return Bundle(key=name, preferred_name=without_ending(name), files=files, display_path=name)


def _same_stem(name: str, files: Mapping[str, File]) -> Mapping[str, File]:
    """A file, and those beside it that are called the same but for the ending."""
    stem = without_ending(name)
    return {
        other: file
        for other, file in files.items()
        if other == name or (without_ending(other) == stem and not is_notebook(other))
    }


def _substitute_bundles(
    top: Mapping[str, File], *, main_files: Collection[str]
) -> Iterator[Bundle]:
    """Files that were handed in in a notebook's place."""
    stems = {without_ending(name) for name in main_files}
    for name, file in top.items():
        if _ending(name) in SUBSTITUTE_ENDINGS and without_ending(name) not in stems:
            yield _file_bundle(name, {name: file})


def _is_lone_archive(name: str, top: Mapping[str, File]) -> bool:
    """Whether a file is an archive that is not an attachment of a notebook."""
    return is_archive(name) and not any(
        is_notebook(other) and without_ending(other) == without_ending(name) for other in top
    )


# ---------------------------------------------------------------- folders


def _subfolder_bundles(
    subfolders: Mapping[str, Listing], context: LayoutContext
) -> Iterator[Bundle]:
    inner_counts = Counter(
        key for subfolder in subfolders.values() for key in subfolder.subfolders()
    )
    repeated = frozenset(key for key, count in inner_counts.items() if count > 1)
    for name, subfolder in subfolders.items():
        yield from _bundles_in_folder(name, subfolder, context, repeated=repeated)


def _bundles_in_folder(
    name: str, folder: Listing, context: LayoutContext, *, repeated: frozenset[str], depth: int = 0
) -> Iterator[Bundle]:
    """One folder: mostly one submission.

    Args:
        name: its path below what was given.
        folder: what lies in it.
        context: see `About`.
        repeated: names of folders that lie in several beside it: parts of an assignment, say, but
            no students.
        depth: how deep it lies.
    """
    inner = {
        key: subfolder
        for key, subfolder in folder.subfolders().items()
        if _holds_notebook(subfolder)
    }
    several = len(inner) > 1 and not folder.top_files() and not repeated & inner.keys()
    if several and depth < MAX_DEPTH and not _name_same_student(inner, context):
        for key, subfolder in folder.subfolders().items():
            yield from _bundles_in_folder(
                f"{name}/{key}", subfolder, context, repeated=frozenset(), depth=depth + 1
            )
    elif notebooks := _notebooks_naming_others(folder, context):
        flag = f"in a folder ({name}) whose notebooks name different students"
        for notebook in notebooks:
            yield Bundle(
                key=f"{name}/{notebook}",
                preferred_name=without_ending(f"{name}/{notebook}"),
                files=_same_stem(notebook, folder.files),
                display_path=f"{name}/{notebook}",
                flags=(flag,),
            )
    else:
        yield Bundle(
            key=name, preferred_name=plain_letters(name), files=folder.files, display_path=name
        )


def _name_same_student(inner: Mapping[str, Listing], context: LayoutContext) -> bool:
    """Whether notebooks of two folders name the same student."""
    teams = [
        frozenset[str]().union(
            *(
                context.preview.named_students(subfolder.files[notebook].path)
                for notebook in subfolder.notebooks()
            )
        )
        for subfolder in inner.values()
    ]
    return any(subfolder & other_team for subfolder, other_team in combinations(teams, 2))


def _notebooks_naming_others(folder: Listing, context: LayoutContext) -> tuple[str, ...]:
    """The notebooks of a folder where those that look like the handout name different students."""
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
    """Whether a folder holds a notebook, or what is handed in instead of one."""
    return _holds_notebook(listing) or any(
        _ending(name) in SUBSTITUTE_ENDINGS for name in listing.files
    )


def _ending(name: str) -> str:
    return name[len(without_ending(name)) :].lower()


def _holds_top_notebook(listing: Listing) -> bool:
    return any(is_notebook(name) or is_archive(name) for name in listing.top_files())


FOLDERS = SubmissionLayout(
    name="folders",
    description="a folder a student",
    fits=lambda listing: not _holds_top_notebook(listing) and _holds_notebook(listing),
    partly_fits=lambda listing: bool(listing.subfolders()),
    bundles=folder_bundles,
)
FLAT = SubmissionLayout(
    name="flat",
    description="files under any name",
    fits=_holds_notebook,
    partly_fits=lambda listing: bool(listing.files),
    bundles=flat_bundles,
)
