"""Builds the files of an assignment for students, and refuses if they show any of the solution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.authoring.assignments import Assignment
from grader.authoring.blanking import find_regions
from grader.authoring.leaks import find_leaks
from grader.authoring.public_checks import build_public_checks
from grader.authoring.stated_points import compare_stated_points
from grader.authoring.student_readme import render_readme
from grader.authoring.uncut import find_uncut_items
from grader.errors import RubricError, UsageError
from grader.exports.zip_files import pack_zip
from grader.model import Rubric
from grader.pipeline import SessionOptions
from grader.pipeline.supplied_files import list_provided_files

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of modification of every file in the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltRelease:
    """The files of a release."""

    folder: Path
    archive: Path
    sizes: Mapping[str, int]
    """Bytes by file name."""
    blanks: int
    """Number of solutions that were cut out of cells."""
    removed_cells: int
    """Number of cells that were left out."""
    stated_points: tuple[str, ...]
    """Where the notebooks' text states other points than the rubric."""


def build_release(
    rubric: Rubric,
    assignments: Sequence[Assignment],
    *,
    options: SessionOptions,
    wheel: tuple[str, bytes],
    out: Path,
) -> BuiltRelease:
    """Build the release of an assignment: a folder, and the same as a zip archive.

    Args:
        rubric: The rubric of the whole assignment.
        assignments: The assignment, or each of its notebooks.
        options: How the reference is run, which computes the public numbers.
        wheel: File name and bytes of the program's wheel.
        out: The folder to write to.

    Raises:
        RubricError: A file would show part of the solution (the message says where), no region
            is marked as the solution, or a check is public that can't be.
        UsageError: The folder can't be written.
    """
    blanks = sum(map(_count_blanks, assignments))
    name, data = wheel
    provided = read_provided_files(rubric)
    notebooks = [assignment.rubric.reference.name for assignment in assignments]
    own_files = {
        **{file: b for a in assignments for file, b in _notebook_files(a, options=options)},
        "README.md": render_readme(rubric, notebooks=notebooks, wheel=name).encode(),
        name: data,
    }
    if taken := own_files.keys() & provided.keys():
        raise RubricError(f"{rubric.provided}: {', '.join(sorted(taken))}: the release has its own")
    files = {**own_files, **provided}
    leaked = [
        leak
        for assignment in assignments
        for leak in find_leaks(
            files,
            notebook=assignment.notebook,
            rubric=assignment.rubric,
            plan=assignment.plan,
            provided=provided.keys(),
        )
    ]
    if leaked:
        listing = "\n  ".join(str(leak) for leak in leaked)
        raise RubricError(f"not released: something of the solution would get out\n  {listing}")
    folder, archive = _write_release(files, out=out, name=rubric.id)
    return BuiltRelease(
        folder=folder,
        archive=archive,
        sizes={file: len(content) for file, content in files.items()},
        blanks=blanks,
        removed_cells=sum(len(a.notebook.cells) - len(a.template().cells) for a in assignments),
        stated_points=tuple(_stated_points(assignments)),
    )


def _stated_points(assignments: Sequence[Assignment]) -> Iterator[str]:
    for assignment in assignments:
        rubric = assignment.rubric
        for note in compare_stated_points(assignment.template(), rubric=rubric):
            yield f"{rubric.reference.name}, {note}"


def _notebook_files(
    assignment: Assignment, *, options: SessionOptions
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one notebook: itself with blanks, its public checks and tests."""
    yield assignment.rubric.reference.name, assignment.template().to_json().encode()
    yield from build_public_checks(assignment.rubric, options=options).items()


def _count_blanks(assignment: Assignment) -> int:
    """Return how many solutions are cut out; refuse an item of which nothing is."""
    notebook, rubric = assignment.notebook, assignment.rubric
    shown = [cell for cell in notebook.cells if not cell.hidden]
    blanks = sum(not region.hidden for cell in shown for region in find_regions(cell))
    if not blanks:
        raise RubricError(
            f"{rubric.reference}: nothing stands between ### BEGIN SOLUTION and ### END SOLUTION, "
            "so students would get it solved"
        )
    if uncut := find_uncut_items(notebook, rubric=rubric, plan=assignment.plan):
        listing = "\n  ".join(f"{item}: {names}" for item, names in uncut.items())
        raise RubricError(
            f"not released: students would get this as {rubric.reference.name} solves it, since "
            "nothing of it stands between ### BEGIN SOLUTION and ### END SOLUTION (if a cell is "
            f"given on purpose, say so by [[given]] in mutants.toml)\n  {listing}"
        )
    return blanks


def read_provided_files(rubric: Rubric) -> Mapping[str, bytes]:
    """Return the contents of the files that lie beside every notebook when it runs, by path.

    Raises:
        UsageError: One can't be read.
    """
    try:
        return {name: path.read_bytes() for name, path in list_provided_files(rubric).items()}
    except OSError as error:
        raise UsageError(f"{error.filename}: can't be read ({error.strerror})") from error


def _write_release(files: Mapping[str, bytes], *, out: Path, name: str) -> tuple[Path, Path]:
    folder, archive = out / name, out / f"{name}.zip"
    packed = pack_zip(((f"{name}/{file}", data, 0o644) for file, data in files.items()), time=EPOCH)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        archive.write_bytes(packed)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror})") from error
    return folder, archive
