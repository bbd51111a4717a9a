"""Chooses the files that a notebook finds beside it: the student's own and the course's.

They may take half of what a notebook may write, so that it can still write the rest. Where both
have a file of the same name the course's is used.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader import submissions
from grader.errors import NotebookError
from grader.model import Limits, Rubric, Submission
from grader.notebook import read_submitted_file

MEGABYTE = 2**20
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
"""The longest path, and name in it, that a disk takes."""
CHUNK_BYTES = 2**20
MAX_PARTS = 50_000
"""Most objects and lists of a notebook that is looked into for files that it opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookFiles:
    """The files that a notebook finds in its working folder, by the path below it."""

    files: Mapping[str, Path]
    notes: tuple[str, ...] = ()
    """Which of the student's files the course's replaced, in words for the student."""
    left_out: tuple[str, ...] = ()
    """Which of the student's files were left out for lack of space: a person should look."""

    def digests(self) -> Iterator[str | bytes]:
        """Yield what a run with these files depends on."""
        yield from self.notes
        yield from self.left_out
        for name, path in sorted(self.files.items()):
            yield name
            yield _sha256(path)


def list_provided_files(rubric: Rubric) -> Mapping[str, Path]:
    """Return the course's files that students get, too, by the path in a notebook's folder."""
    if rubric.provided is None:
        return {}
    listing = submissions.list_folder(rubric.provided)
    return {name: file.path for name, file in listing.files.items() if file.path.is_file()}


def list_course_files(rubric: Rubric) -> Mapping[str, Path]:
    """Return what lies beside every notebook when it is graded, by the path in its folder.

    Where a file is provided and withheld, the withheld one: students have another.
    """
    provided = list_provided_files(rubric)
    if rubric.withheld is None:
        return provided
    withheld = list_provided_files(replace(rubric, provided=rubric.withheld))
    return {**provided, **withheld}


def choose_files(
    provided: Mapping[str, Path], submission: Submission, *, limits: Limits
) -> NotebookFiles:
    """Return the course's files and the student's, smallest first, while there is room."""
    files = dict(provided)
    notes: list[str] = []
    left_out: list[str] = []
    size = sum(_size(path) for path in files.values())
    for name, path in sorted(submission.files.items(), key=lambda entry: _size(entry[1])):
        taken = _is_name_taken(name, files)
        size += 0 if taken else _size(path)
        if taken and (name not in files or _sha256(path) != _sha256(files[name])):
            notes.append(
                f"{name}: the course's file was there when the notebook ran, in place of yours."
            )
        elif taken:
            continue
        elif size > limits.disk_mb * MEGABYTE // 2 or len(files) >= limits.files // 2:
            left_out.append(
                f"{name} was not there when the notebook ran: files beside it may be "
                f"{limits.disk_mb / 2:g} MB and {limits.files // 2:,} files."
            )
        elif not _is_valid_path(name) or not os.access(path, os.R_OK):
            left_out.append(f"{name} was not there when the notebook ran: it can't be copied.")
        else:
            files[name] = path
    own_name = PurePosixPath(submission.display_path).name
    if own_name.endswith(".ipynb") and _opens_notebook(submission.path):
        files.setdefault(own_name, submission.path)
    return NotebookFiles(files=files, notes=tuple(notes), left_out=tuple(left_out))


def _opens_notebook(path: Path) -> bool:
    """Return whether a notebook's code seems to open a notebook, which may be itself."""
    try:
        data = read_submitted_file(path)
        if b".ipynb" not in data or sum(map(data.count, (b"{", b"["))) > MAX_PARTS:
            return False
        cells = json.loads(data).get("cells", ())
        sources = ("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        return any(".ipynb" in source for source in sources)
    except (NotebookError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return False


def _is_name_taken(name: str, files: Mapping[str, Path]) -> bool:
    """Return whether there is a file of that name, or one where its folder would be."""
    above = (parent.as_posix() for parent in PurePosixPath(name).parents)
    return name in files or any(parent in files for parent in above)


def _is_valid_path(name: str) -> bool:
    encoded = name.encode("utf-8", "surrogatepass")
    parts = PurePosixPath(name).parts
    short = len(encoded) <= MAX_PATH_BYTES and all(
        len(part.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES for part in parts
    )
    return short and "\0" not in name and ".." not in parts and not name.startswith("/")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _sha256(path: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return b""
    return digest.digest()
