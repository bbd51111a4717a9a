"""Of all that one student or team handed in, the notebook that is graded, and what lies beside it.

Where there are several, those that hold much of the handout are looked at, and of them the one with
the most words of its own is taken: the handout's own blank copy holds all of the handout, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from grader.errors import ArchiveError
from grader.model import Submission
from grader.submissions.archives import STUDENT, Unpacker
from grader.submissions.bundles import Bundle, Look, name_different
from grader.submissions.file_listing import File, is_archive, is_notebook
from grader.submissions.safe_names import without_ending

ENOUGH = 0.7
"""How much of the handout a notebook must hold, of what the best beside it holds."""
OTHERS = "its notebooks name different students"
NAMED = 3
"""Files that are named where there is no notebook."""
PACKED = frozenset({".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
"""Endings of archives that are not opened."""


def chosen(bundle: Bundle, *, name: str, look: Look, unpacker: Unpacker) -> Submission:
    """The submission that a bundle comes to; without a notebook, it says why.

    Args:
        bundle: all that was handed in.
        name: the submission's safe name.
        look: what can be seen in notebooks.
        unpacker: opens archives.
    """
    faults: list[str] = []
    if not any(map(is_notebook, bundle.files)):
        bundle = _opened(bundle, unpacker=unpacker, faults=faults)
    books = {key: file for key, file in bundle.files.items() if is_notebook(key)}
    sound = {key: file for key, file in books.items() if not file.fault}
    if not sound:
        told = [f"{file.shown} cannot be read: {file.fault}." for file in books.values()]
        return _without(bundle, name=name, problem=" ".join([*told, *faults]) or _nothing(bundle))
    if faults:
        bundle = replace(bundle, doubts=(*bundle.doubts, *faults))
    if len(sound) > 1:
        key, bundle = _best(bundle, sound, look=look)
    else:
        key = next(iter(sound))
    return _with(bundle, key, name=name)


def _opened(bundle: Bundle, *, unpacker: Unpacker, faults: list[str]) -> Bundle:
    """The same with what its archives hold in their place; archives in those stay closed."""
    files: dict[str, File] = {}
    for key, file in bundle.files.items():
        if not is_archive(key) or file.fault:
            files[key] = file
            continue
        try:
            inner = unpacker.listing(file.path, bounds=STUDENT, shown=file.shown)
        except ArchiveError as error:
            faults.append(f"The archive {file.shown} could not be opened: {error}.")
            files[key] = replace(file, fault=str(error))
            continue
        folder = without_ending(key)
        files |= {f"{folder}/{name}": one for name, one in inner.files.items()}
    return replace(bundle, files=files)


# ---------------------------------------------------------------- one of several


def _best(bundle: Bundle, books: Mapping[str, File], *, look: Look) -> tuple[str, Bundle]:
    """The notebook that is graded, and the bundle with why."""
    looks = {key: look.alike(file.path) for key, file in books.items()}
    alike = {key: seen or (0.0, 0) for key, seen in looks.items()}
    unread = [books[key].shown for key, seen in looks.items() if seen is None]
    if unread:
        told = f"cannot be read, though another notebook can: {', '.join(unread)}"
        bundle = replace(bundle, doubts=(*bundle.doubts, told))
    most = max(part for part, _ in alike.values())
    close = [key for key, (part, _) in alike.items() if part >= ENOUGH * most]
    best = max(close, key=lambda key: (alike[key][1], -key.count("/"), key))
    if name_different(look.whose(books[key].path) for key in close):
        bundle = replace(bundle, doubts=(*bundle.doubts, OTHERS))
    others = ", ".join(sorted(file.shown for key, file in books.items() if key != best))
    shown = books[best].shown
    if len(close) == 1:
        told = f"{shown} is graded: of {len(books)} notebooks it looks most like the handout"
        return best, replace(bundle, remarks=(*bundle.remarks, f"{told}; not graded: {others}"))
    told = f"{shown} is graded: of {len(close)} notebooks like the handout the fullest"
    return best, replace(bundle, doubts=(*bundle.doubts, f"{told}; not graded: {others}"))


def _with(bundle: Bundle, key: str, *, name: str) -> Submission:
    file = bundle.files[key]
    folder = PurePosixPath(key).parent
    beside = {
        PurePosixPath(other).relative_to(folder).as_posix(): one
        for other, one in bundle.files.items()
        if other != key and not one.fault and PurePosixPath(other).is_relative_to(folder)
    }
    lost = [one.shown for one in bundle.files.values() if one.fault]
    doubts = (f"could not be taken out of the archive: {', '.join(lost)}",) if lost else ()
    return Submission(
        name=name,
        path=file.path,
        shown=file.shown,
        attachments=tuple(
            one.path for other, one in sorted(beside.items()) if _is_attachment(other, of=key)
        ),
        files={other: one.path for other, one in sorted(beside.items()) if one.path.is_file()},
        students=bundle.students,
        at=bundle.at,
        late=bundle.late,
        remarks=bundle.remarks,
        doubts=(*bundle.doubts, *doubts),
    )


def _is_attachment(other: str, *, of: str) -> bool:
    """Whether a file is the same work in another form: of the notebook's name, or a print."""
    same = without_ending(PurePosixPath(of).name) == without_ending(other)
    return same or other.lower().endswith(".pdf")


# ---------------------------------------------------------------- none


def _without(bundle: Bundle, *, name: str, problem: str) -> Submission:
    files = list(bundle.files.values())
    return Submission(
        name=name,
        path=files[0].path if len(files) == 1 else Path(),
        shown=files[0].shown if len(files) == 1 else bundle.shown,
        students=bundle.students,
        at=bundle.at,
        late=bundle.late,
        problem=problem,
        remarks=bundle.remarks,
        doubts=bundle.doubts,
    )


def _nothing(bundle: Bundle) -> str:
    """Why there is no notebook, in words for whoever handed in."""
    names = sorted(bundle.files)
    if not names:
        return "Nothing was handed in: there is no file."
    told = ", ".join(names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    packed = [name for name in names if PurePosixPath(name).suffix.lower() in PACKED]
    if packed:
        hint = "Archives other than .zip are not opened: hand in the notebook itself."
    else:
        hint = "Hand in the .ipynb file itself."
    return f"No notebook (.ipynb) was handed in, only {told}{more}. {hint}"
