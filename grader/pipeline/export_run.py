"""Exports the grades of a folder to a file that another program reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.exports import FORMATS, Export, ExportOptions, Grades
from grader.folder import OutputFolder, read_class, write_atomically
from grader.gradebook import Gradebook, course_records
from grader.model import Graded, Rubric, Trace
from grader.notebook import given_code, read_notebook
from grader.pipeline.run_config import load_rubric
from grader.report import student_page


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """An export and the files it was written to."""

    export: Export
    paths: tuple[Path, ...]
    folder: Path
    """The folder that they are in, or in folders of."""
    ungraded: tuple[str, ...]
    """Submissions that the gradebook has no grade for yet."""

    @property
    def needs_person(self) -> bool:
        """Whether a student was left out."""
        return bool(self.export.left_out or self.ungraded)


def write_export(
    format_name: str,
    *,
    folder: Path,
    root: Path,
    assignment: str | None,
    out: Path | None,
    options: ExportOptions,
) -> ExportResult:
    """Export the grades of a folder in one format.

    Args:
        format_name: A key of `FORMATS`.
        folder: The folder that `grade` wrote.
        root: The folder that holds `rubrics/`.
        assignment: The rubric's id; None for the default one.
        out: A file, or a folder for formats of many files; None for `exports` in the folder.
        options: Options of the format.

    Raises:
        UsageError: The folder holds no grades of this assignment, grades are older than the rubric,
            or the format can't be written with these options.
        RubricError: The rubric is not valid.
    """
    with open_grades(folder, root=root, assignment=assignment) as (_, grades, ungraded):
        exported = FORMATS[format_name](grades, options=options)
    target, paths = _write_files(exported, folder=folder, format_name=format_name, out=out)
    return ExportResult(export=exported, paths=paths, folder=target, ungraded=ungraded)


@contextmanager
def open_grades(
    folder: Path, *, root: Path, assignment: str | None
) -> Iterator[tuple[Gradebook, Grades, tuple[str, ...]]]:
    """Open the gradebook of a folder; yield it, its grades, and what is not graded yet.

    Args:
        folder: The folder that `grade` wrote.
        root: The folder that holds `rubrics/`.
        assignment: The rubric's id; None for the default one.

    Raises:
        UsageError: The folder holds no grades of this assignment.
        RubricError: The rubric is not valid.
    """
    loaded = load_rubric(root, assignment=assignment)
    with OutputFolder.open_existing(folder).open_gradebook() as book:
        if course_records.load_seed(book, loaded.id) is None:
            raise UsageError(f"{folder}: nothing there was graded by the assignment {loaded.id!r}")
        names = book.graded_names()
        grades = Grades(
            rubric=loaded,
            results=_current_grades(book, names, rubric=loaded),
            render_report=lambda graded: student_page(graded, rubric=loaded),
            list_missing=lambda: read_class(book, loaded).missing_students,
            list_code=lambda name: _list_code(book.trace(name)),
            list_given_code=lambda: _list_given_code(loaded),
        )
        yield book, grades, tuple(name for name in book.roll() if name not in names)


def _current_grades(book: Gradebook, names: Iterable[str], *, rubric: Rubric) -> Iterator[Graded]:
    """Yield the grades.

    Raises:
        UsageError: one is older than the rubric.
    """
    for graded in book.all_graded(names):
        provenance = graded.provenance
        if provenance is not None and provenance.rubric != rubric.sha256:
            raise UsageError(
                f"{graded.submission.name} was graded by another version of {rubric.path}: "
                "re-score it first, with `grade again`"
            )
        yield graded


def _clear_subfolders(paths: Iterable[Path], *, target: Path, is_ours: bool) -> None:
    """Make the folders of these files, without what an earlier export left there.

    Who has withdrawn since would be compared with the class still.

    Raises:
        UsageError: A folder that is not ours has other files in it.
    """
    for folder in {path.parent for path in paths} - {target}:
        folder.mkdir(exist_ok=True, mode=0o700)
        for stale in folder.iterdir():
            if not is_ours:
                raise UsageError(f"{folder}: holds files already; name a new folder by --out")
            stale.unlink()


def _list_code(trace: Trace | None) -> tuple[str, ...]:
    return tuple(cell.source for cell in trace.notebook.code_cells()) if trace else ()


def _list_given_code(rubric: Rubric) -> tuple[str, ...]:
    """Return the code of references without solutions; none where no solution is marked."""
    cells = [
        cell
        for part in rubric.whole
        for cell in read_notebook(part.reference).code_cells()
        if "grader-only" not in cell.tags
    ]
    given = tuple(given_code(cell) for cell in cells)
    return (
        given if any(code != cell.source for code, cell in zip(given, cells, strict=True)) else ()
    )


def _write_files(
    exported: Export, *, folder: Path, format_name: str, out: Path | None
) -> tuple[Path, tuple[Path, ...]]:
    """Write the files to `out`: one file under that name, several into that folder.

    Returns:
        The folder, and the files.

    Raises:
        UsageError: They can't be written there.
    """
    is_single = len(exported.files) == 1 and not any("/" in name for name in exported.files)
    try:
        if out is not None and is_single and not out.is_dir():
            target, files = out.parent, {out: next(iter(exported.files.values()))}
        else:
            exports = OutputFolder(folder).exports_path
            if out is None:
                exports.mkdir(exist_ok=True, mode=0o700)
            target = out or (exports if is_single else exports / format_name)
            target.mkdir(parents=True, exist_ok=True, mode=0o700)
            files = {target / name: data for name, data in exported.files.items()}
            _clear_subfolders(files.keys(), target=target, is_ours=out is None)
        for path, data in files.items():
            write_atomically(path, data)
    except OSError as error:
        raise UsageError(
            f"{error.filename or out}: cannot be written ({error.strerror})"
        ) from error
    return target, tuple(files)
