"""Builds what students get of an assignment, and refuses if any of the solution is in it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader import checks
from grader.authoring.blanking import regions, template
from grader.authoring.leaks import leaks
from grader.authoring.student_readme import readme
from grader.authoring.validation_run import Assignment
from grader.errors import RubricError, UsageError
from grader.pipeline import Opening, opened
from grader.pipeline.judge import Judge
from grader.selfcheck.public_files import draws_of, public, questions_to_reference

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file of the archive, so that the same release is the same bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What was built, and where it is."""

    folder: Path
    archive: Path
    sizes: Mapping[str, int]
    """Bytes, by file."""
    blanks: int
    """Solutions that were cut out of cells."""
    cells: int
    """Cells that were left out."""


def release(
    assignment: Assignment, *, opening: Opening, wheel: tuple[str, bytes], out: Path
) -> Released:
    """Build the release of an assignment: a folder, and the same as a zip archive.

    Raises:
        RubricError: something of the solution would get out; the message shows where. Or nothing
            is marked as the solution, or a check is public that can't be.
        UsageError: the folder can't be written.
    """
    book, rubric = assignment.book, assignment.rubric
    given = template(book)
    blanks = sum(not region.hidden for cell in book.cells for region in regions(cell))
    if not blanks:
        raise RubricError(
            f"{rubric.reference}: nothing stands between ### BEGIN SOLUTION and ### END SOLUTION, "
            "so students would get it solved"
        )
    name, data = wheel
    files = {
        rubric.reference.name: given.text().encode(),
        **_public(assignment, opening=opening),
        "README.md": readme(rubric, notebook=rubric.reference.name, wheel=name).encode(),
        name: data,
    }
    found = leaks(files, book=book, rubric=rubric, plan=assignment.plan)
    if found:
        told = "\n  ".join(str(leak) for leak in found)
        raise RubricError(f"not released: something of the solution would get out\n  {told}")
    folder, archive = _written(files, out=out, name=rubric.id)
    return Released(
        folder=folder,
        archive=archive,
        sizes={file: len(content) for file, content in files.items()},
        blanks=blanks,
        cells=len(book.cells) - len(given.cells),
    )


def _public(assignment: Assignment, *, opening: Opening) -> Mapping[str, bytes]:
    """The public rubric and its numbers, from the live reference."""
    rubric = assignment.rubric
    judge = Judge.of(
        rubric,
        draws=checks.Draws(seed=draws_of(rubric.id)),
        environment=opening.environment.fingerprint,
    )
    asked = questions_to_reference(rubric)
    with opened(judge, opening=opening) as course:
        return public(rubric, answers=course.reference.ask(asked))


def _written(files: Mapping[str, bytes], *, out: Path, name: str) -> tuple[Path, Path]:
    folder, archive = out / name, out / f"{name}.zip"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file, data in files.items():
            entry = zipfile.ZipInfo(f"{name}/{file}", date_time=EPOCH)
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        archive.write_bytes(packed.getvalue())
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror})") from error
    return folder, archive
