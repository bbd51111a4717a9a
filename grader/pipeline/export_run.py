"""From the gradebook of a folder to a file that another program reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import checks, gradebook, rubric
from grader.errors import UsageError
from grader.exports import FORMATS, Download, Export, Grades, Wish
from grader.folder import Brief, Folder, absent_from, write_whole
from grader.gradebook import Gradebook, seeds
from grader.model import Graded, Rubric, Student
from grader.report import student_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be written, from where to where."""

    format: str
    folder: Path
    """What `grade` wrote."""
    root: Path
    """The folder that holds `rubrics/`."""
    assignment: str | None
    out: Path | None
    """A file, or a folder for formats of many files; None for a place in the folder."""
    into: Path | None = None
    """The file to fill."""
    wish: Wish = field(default_factory=Wish)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written, and where."""

    export: Export
    places: tuple[Path, ...]
    unread: tuple[str, ...]
    """Submissions that the gradebook has no grade for yet."""

    @property
    def needs_person(self) -> bool:
        """Whether somebody was left out."""
        return bool(self.export.left or self.unread)


def export(order: Order) -> Written:
    """Write one format.

    Raises:
        UsageError: the folder holds no grades of this assignment, grades are older than the rubric,
            or the format can't be written as it was asked for.
        RubricError: the rubric is not as it must be.
    """
    loaded = rubric.load(
        rubric.find(order.root, assignment=order.assignment), catalogue=checks.catalogue()
    )
    wish = _with_download(order)
    if not Folder.is_one(order.folder):
        raise UsageError(f"{order.folder}: no gradebook there; `grade PATH` makes one")
    with gradebook.opened(Folder(order.folder).store) as book:
        _refuse_other(book, loaded, folder=order.folder)
        known, roll = book.keys(), book.roll()
        names = [name for name in roll if name in known]
        grades = Grades(
            rubric=loaded,
            results=_current(book, names, rubric=loaded),
            page=lambda graded: student_page(graded, rubric=loaded),
            absent=lambda: _absent(book, names, rubric=loaded),
        )
        made = FORMATS[order.format](grades, wish=wish)
    places = _write(made, order=order)
    unread = tuple(name for name in roll if name not in known)
    return Written(export=made, places=places, unread=unread)


def _with_download(order: Order) -> Wish:
    """The wish with the file that is to be filled."""
    if order.into is None:
        return order.wish
    try:
        data = order.into.read_bytes()
    except OSError as error:
        raise UsageError(f"{order.into}: cannot be read ({error.strerror})") from error
    return replace(order.wish, into=Download(name=order.into.name, data=data))


def _refuse_other(book: Gradebook, loaded: Rubric, *, folder: Path) -> None:
    if seeds.kept(book, loaded.id) is None:
        raise UsageError(f"{folder}: nothing there was graded by the assignment {loaded.id!r}")


def _current(book: Gradebook, names: list[str], *, rubric: Rubric) -> Iterator[Graded]:
    """The grades, none of them older than the rubric.

    Raises:
        UsageError: one is.
    """
    for graded in book.all_graded(names):
        made = graded.provenance
        if made is not None and made.rubric != rubric.sha256:
            raise UsageError(
                f"{graded.submission.name} was graded by another version of {rubric.path}: judge "
                "again first, with `grade again`"
            )
        yield graded


def _absent(book: Gradebook, names: list[str], *, rubric: Rubric) -> tuple[Student, ...]:
    """Who of the roster is in no submission."""
    briefs = [Brief.of(graded, rubric=rubric) for graded in book.all_graded(names)]
    return tuple(absent_from(briefs, book=book, rubric=rubric).students)


def _write(made: Export, *, order: Order) -> tuple[Path, ...]:
    """Put the files where they were asked for: one under its own name, many into a folder.

    Raises:
        UsageError: they can't be written there.
    """
    out = order.out
    try:
        if out is None:
            folder = Folder(order.folder).exports
            folder.mkdir(exist_ok=True, mode=0o700)
            return _into(folder if len(made.files) == 1 else folder / order.format, made)
        if out.is_dir() or len(made.files) != 1:
            return _into(out, made)
        (data,) = made.files.values()
        write_whole(out, data)
    except OSError as error:
        raise UsageError(
            f"{error.filename or out}: cannot be written ({error.strerror})"
        ) from error
    return (out,)


def _into(folder: Path, made: Export) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data in made.files.items():
        write_whole(folder / name, data)
    return tuple(folder / name for name in made.files)
