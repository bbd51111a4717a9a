"""Chooses the notebook to grade among all files that one student or team submitted.

Of several, those that hold much of the handout are candidates, and of these the one with the most
phrases is chosen, since the handout's own blank copy holds all of the handout, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from grader.errors import ArchiveError
from grader.model import Submission, list_some
from grader.submissions.archives import STUDENT_BOUNDS, Unpacker
from grader.submissions.bundles import Bundle, NotebookPreview, name_different_students
from grader.submissions.file_listing import NO_PATH, File, is_archive, is_notebook
from grader.submissions.flat_layout import UNOPENED_ARCHIVES
from grader.submissions.safe_names import ending_of, without_ending

MIN_RELATIVE_OVERLAP = 0.7
"""How much of the handout a candidate must hold, relative to the best."""
DIFFERENT_STUDENTS = "its notebooks name different students"
MAX_NAMED_FILES = 3
"""Files that are listed where there is no notebook."""


def choose_notebook(
    bundle: Bundle, *, name: str, preview: NotebookPreview, unpacker: Unpacker
) -> Submission:
    """Return the submission of a bundle; without a notebook, it says why.

    Args:
        bundle: All submitted files.
        name: The submission's safe name.
        preview: Looks into notebooks.
        unpacker: Opens archives.
    """
    bundle, readable, problem = find_notebooks(bundle, unpacker=unpacker)
    if not readable:
        return refuse_bundle(bundle, name=name, problem=problem)
    key, bundle = choose_best(bundle, readable, preview=preview)
    return make_submission(bundle, key, name=name)


def find_notebooks(bundle: Bundle, *, unpacker: Unpacker) -> tuple[Bundle, Mapping[str, File], str]:
    """Return a bundle, its archives opened if need be, its notebooks, and why there are none."""
    faults: list[str] = []
    if not any(map(is_notebook, bundle.files)):
        bundle = _open_archives(bundle, unpacker=unpacker, faults=faults)
    notebooks = {key: file for key, file in bundle.files.items() if is_notebook(key)}
    readable = {key: file for key, file in notebooks.items() if not file.fault}
    if not readable:
        messages = [
            f"{file.display_path} cannot be read: {file.fault}."
            for key, file in bundle.files.items()
            if file.fault and (is_notebook(key) or file.path == NO_PATH)
        ]
        problem = " ".join([*messages[:MAX_NAMED_FILES], *faults])
        return bundle, {}, problem or _explain_no_notebook(bundle)
    if faults:
        bundle = replace(bundle, concerns=(*bundle.concerns, *faults))
    return bundle, readable, ""


def _open_archives(bundle: Bundle, *, unpacker: Unpacker, faults: list[str]) -> Bundle:
    """Replace archives by the files in them; archives in those stay closed."""
    files: dict[str, File] = {}
    for key, file in bundle.files.items():
        if not is_archive(key) or file.fault:
            files[key] = file
            continue
        try:
            inner = unpacker.unpack(
                file.path, bounds=STUDENT_BOUNDS, display_root=file.display_path
            )
        except ArchiveError as error:
            faults.append(f"The archive {file.display_path} could not be opened: {error}.")
            files[key] = replace(file, fault=str(error))
            continue
        folder = without_ending(key)
        files |= {f"{folder}/{name}": inner_file for name, inner_file in inner.files.items()}
    return replace(bundle, files=files)


# ---------------------------------------------------------------- one of several


def choose_best(
    bundle: Bundle, notebooks: Mapping[str, File], *, preview: NotebookPreview
) -> tuple[str, Bundle]:
    """Return the path of the notebook to grade, and the bundle with the reason."""
    if len(notebooks) == 1:
        return next(iter(notebooks)), bundle
    overlap_by_key = {key: preview.handout_overlap(file.path) for key, file in notebooks.items()}
    overlaps = {key: overlap or (0.0, 0) for key, overlap in overlap_by_key.items()}
    unreadable = [
        notebooks[key].display_path for key, overlap in overlap_by_key.items() if overlap is None
    ]
    if unreadable:
        message = f"cannot be read, though another notebook can: {list_some(unreadable)}"
        bundle = replace(bundle, concerns=(*bundle.concerns, message))
    max_share = max(share for share, _ in overlaps.values())
    candidates = [
        key for key, (share, _) in overlaps.items() if share >= MIN_RELATIVE_OVERLAP * max_share
    ]
    best = max(candidates, key=lambda key: (overlaps[key][1], -key.count("/"), key))
    if name_different_students(preview.named_students(notebooks[key].path) for key in candidates):
        bundle = replace(bundle, concerns=(*bundle.concerns, DIFFERENT_STUDENTS))
    others = list_some(sorted(file.display_path for k, file in notebooks.items() if k != best))
    graded_path = notebooks[best].display_path
    if len(candidates) == 1:
        message = (
            f"{graded_path} is graded: of {len(notebooks)} notebooks it looks most like the handout"
        )
        return best, replace(bundle, remarks=(*bundle.remarks, f"{message}; not graded: {others}"))
    message = (
        f"{graded_path} is graded: of {len(candidates)} notebooks that look "
        "like the handout it is the fullest"
    )
    return best, replace(bundle, concerns=(*bundle.concerns, f"{message}; not graded: {others}"))


def make_submission(bundle: Bundle, key: str, *, name: str) -> Submission:
    """Return the submission of a bundle's notebook, with the files beside it."""
    file = bundle.files[key]
    folder, stem = PurePosixPath(key).parent, without_ending(PurePosixPath(key).name)
    siblings = {
        PurePosixPath(other).relative_to(folder).as_posix(): other_file
        for other, other_file in bundle.files.items()
        if other != key and not other_file.fault and PurePosixPath(other).is_relative_to(folder)
    }
    faulty = [other_file.display_path for other_file in bundle.files.values() if other_file.fault]
    flags = (f"could not be taken out of the archive: {list_some(faulty)}",) if faulty else ()
    return Submission(
        name=name,
        path=file.path,
        display_path=file.display_path,
        attachments=tuple(
            other_file.path
            for other, other_file in sorted(siblings.items())
            if without_ending(other) == stem or other.lower().endswith(".pdf")
        ),
        files={
            other: other_file.path
            for other, other_file in sorted(siblings.items())
            if other_file.path.is_file()
        },
        students=bundle.students,
        submitted_at=bundle.submitted_at,
        late=bundle.late,
        remarks=bundle.remarks,
        concerns=(*bundle.concerns, *flags),
    )


# ---------------------------------------------------------------- none


def refuse_bundle(bundle: Bundle, *, name: str, problem: str) -> Submission:
    """Return the submission of a bundle without a notebook."""
    files = list(bundle.files.values())
    return Submission(
        name=name,
        path=files[0].path if len(files) == 1 else Path(),
        display_path=files[0].display_path if len(files) == 1 else bundle.display_path,
        students=bundle.students,
        submitted_at=bundle.submitted_at,
        late=bundle.late,
        problem=problem,
        remarks=bundle.remarks,
        concerns=bundle.concerns,
    )


def _explain_no_notebook(bundle: Bundle) -> str:
    """Explain to the student why there is no notebook."""
    names = sorted(bundle.files)
    if not names:
        return "Nothing was submitted: there is no file, apart from hidden ones."
    listed = list_some(names, most=MAX_NAMED_FILES)
    if any(ending_of(name) in UNOPENED_ARCHIVES for name in names):
        hint = "Such archives are not opened: submit the notebook itself."
    else:
        hint = "Submit the .ipynb file itself."
    return f"No notebook (.ipynb) was submitted, only {listed}. {hint}"
