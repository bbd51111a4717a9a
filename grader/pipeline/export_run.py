"""Exports the grades of a folder to a file that another program reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.errors import UsageError
from grader.exports import FORMATS, Download, Export, ExportOptions, Grades
from grader.folder import OutputFolder, read_class, write_atomically
from grader.gradebook import Gradebook, course_records
from grader.model import Graded, Rubric
from grader.pipeline.run_config import load_rubric
from grader.report import student_page


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to export, from where to where."""

    format: str
    folder: Path
    """The folder that `grade` wrote."""
    root: Path
    """The folder that holds `rubrics/`."""
    assignment: str | None
    out: Path | None
    """A file, or a folder for formats of many files; None for `exports` in the folder."""
    into: Path | None = None
    """The file to fill."""
    options: ExportOptions = field(default_factory=ExportOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What was exported, and where it is."""

    export: Export
    paths: tuple[Path, ...]
    ungraded: tuple[str, ...]
    """Submissions that the gradebook has no grade for yet."""

    @property
    def needs_person(self) -> bool:
        """Whether somebody was left out."""
        return bool(self.export.left_out or self.ungraded)


def write_export(request: ExportRequest) -> ExportResult:
    """Export the grades of a folder in one format.

    Raises:
        UsageError: the folder holds no grades of this assignment, grades are older than the rubric,
            or the format can't be written with these options.
        RubricError: the rubric is not valid.
    """
    loaded = load_rubric(request.root, assignment=request.assignment)
    options = _with_download(request)
    with OutputFolder.open_existing(request.folder).open_gradebook() as book:
        if course_records.load_seed(book, loaded.id) is None:
            raise UsageError(
                f"{request.folder}: nothing there was graded by the assignment {loaded.id!r}"
            )
        names = book.graded_names()
        ungraded = tuple(name for name in book.roll() if name not in names)
        grades = Grades(
            rubric=loaded,
            results=_current_grades(book, names, rubric=loaded),
            render_report=lambda graded: student_page(graded, rubric=loaded),
            list_missing=lambda: read_class(book, loaded).missing_students,
        )
        exported = FORMATS[request.format](grades, options=options)
    paths = _write_files(exported, request=request)
    return ExportResult(export=exported, paths=paths, ungraded=ungraded)


def _with_download(request: ExportRequest) -> ExportOptions:
    if request.into is None:
        return request.options
    try:
        data = request.into.read_bytes()
    except OSError as error:
        raise UsageError(f"{request.into}: cannot be read ({error.strerror})") from error
    return replace(request.options, into=Download(name=request.into.name, data=data))


def _current_grades(book: Gradebook, names: Iterable[str], *, rubric: Rubric) -> Iterator[Graded]:
    """Yield the grades.

    Raises:
        UsageError: one is older than the rubric.
    """
    for graded in book.all_graded(names):
        provenance = graded.provenance
        if provenance is not None and provenance.rubric != rubric.sha256:
            raise UsageError(
                f"{graded.submission.name} was graded by another version of {rubric.path}: judge "
                "again first, with `grade again`"
            )
        yield graded


def _write_files(exported: Export, *, request: ExportRequest) -> tuple[Path, ...]:
    """Write the files to the requested path: a single file, or several into a folder.

    Raises:
        UsageError: they can't be written there.
    """
    out = request.out
    try:
        if out is None:
            folder = OutputFolder(request.folder).exports_path
            folder.mkdir(exist_ok=True, mode=0o700)
            return _write_into(
                folder if len(exported.files) == 1 else folder / request.format, exported
            )
        if out.is_dir() or len(exported.files) != 1:
            return _write_into(out, exported)
        (data,) = exported.files.values()
        write_atomically(out, data)
    except OSError as error:
        raise UsageError(
            f"{error.filename or out}: cannot be written ({error.strerror})"
        ) from error
    return (out,)


def _write_into(folder: Path, exported: Export) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data in exported.files.items():
        write_atomically(folder / name, data)
    return tuple(folder / name for name in exported.files)
