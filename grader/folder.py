"""The folder that a run writes: private, self-contained, each file whole or not there."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader import gradebook
from grader.errors import UsageError
from grader.exports import CsvRow, csv_rows, gradebook_csv, missing_row, to_json
from grader.gradebook import Gradebook
from grader.gradebook.stored_people import remembered
from grader.model import Graded, Rubric, Student
from grader.people import check_roster, remarks
from grader.report import Row, class_page, class_row, student_page

TRIES = 5
"""How often pages are made anew while others make them, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the files of a class keep of one submission: so little that a large class fits."""

    row: Row
    csv: tuple[CsvRow, ...]
    asks: bool
    """Whether it needs a person."""
    clashes: tuple[str, ...] = ()
    """What it says of other submissions."""
    timed: bool = True
    """Whether it is known when it came, where that matters."""

    @classmethod
    def of(cls, graded: Graded, *, rubric: Rubric) -> Brief:
        """The brief of a grade, which can then be let go."""
        return cls(
            row=class_row(graded),
            csv=csv_rows(graded, rubric=rubric),
            asks=graded.reason is not None or bool(graded.flags),
            clashes=graded.clashes,
            timed=None not in graded.lateness,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """What no submission can say of a class."""

    students: tuple[Student, ...] = ()
    """Those on the roster who handed in nothing."""
    remarks: tuple[str, ...] = ()
    """What else staff should know of people and times, in words."""


NOBODY_ABSENT = Absent()


class Folder:
    """Where results go.

    Args:
        path: the folder, made where it is not there.
        show_ids: whether students see whole ids on their pages.

    Raises:
        UsageError: it cannot be made or written.
    """

    STORE = "gradebook.db"
    """Everything that was graded, and the secret seeds; pages, CSV and JSON are made from it."""
    ADDRESS = ".store"
    """Where the gradebook is if it is on a server, without a password."""

    def __init__(self, path: Path, *, store: str | None = None, show_ids: bool = False) -> None:
        self.path = path
        self._show_ids = show_ids
        try:
            for part in (path, path / "reports", path / "results"):
                part.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
            self._write(path / ".gitignore", "*\n")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
        self.store = self._store(store)
        """Where the gradebook is: a path, or the address of a database."""

    @classmethod
    def is_one(cls, path: Path) -> bool:
        """Whether a run wrote there: whether there is a gradebook, or the address of one."""
        return (path / cls.STORE).is_file() or (path / cls.ADDRESS).is_file()

    def _store(self, given: str | None) -> Path | str:
        """The store that is given, else the one there was; a folder has one for good.

        Raises:
            UsageError: it has another one already, in which marks may be.
        """
        file, remembered = self.path / self.STORE, self.path / self.ADDRESS
        known = remembered.read_text(encoding="utf-8").strip() if remembered.is_file() else None
        if given is None:
            return known or file
        address = gradebook.without_password(given)
        if file.exists() or (known is not None and known != address):
            raise UsageError(
                f"{self.path}: has a gradebook already, in {known or self.STORE}; choose another "
                "folder, or move that away first"
            )
        self._write(remembered, address + "\n")
        return given

    def write_one(self, graded: Graded, *, rubric: Rubric) -> None:
        """The result and the report of one submission."""
        name = graded.submission.name
        self._write(self._result(name), to_json(graded, rubric=rubric))
        self._write(self.report(name), student_page(graded, rubric=rubric, show_ids=self._show_ids))

    def remove(self, name: str) -> None:
        """Take away result and report of a submission."""
        for place in (self._result(name), self.report(name)):
            place.unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """Whether result and report of a submission are there."""
        places = (self._result(name), self.report(name))
        return all(place.is_file() and place.stat().st_size for place in places)

    def write_class(
        self, briefs: Sequence[Brief], *, rubric: Rubric, absent: Absent = NOBODY_ABSENT
    ) -> None:
        """The class page and the gradebook.

        Args:
            briefs: every submission.
            rubric: what they were graded by.
            absent: who handed in nothing, and what else is to be said of the class.
        """
        rows = tuple(brief.row for brief in briefs)
        csv = [row for brief in briefs for row in brief.csv]
        csv += [missing_row(one, rubric=rubric) for one in absent.students]
        page = class_page(rows, rubric=rubric, missing=absent.students, remarks=absent.remarks)
        self._write(self.path / "index.html", page)
        self._write(self.path / "gradebook.csv", gradebook_csv(csv, rubric=rubric))

    @property
    def exports(self) -> Path:
        """Where exports go that nobody wants elsewhere."""
        return self.path / "exports"

    def report(self, name: str) -> Path:
        """Where the report of a submission stands."""
        return self.path / "reports" / f"{name}.html"

    def _result(self, name: str) -> Path:
        return self.path / "results" / f"{name}.json"

    def _write(self, place: Path, text: str) -> None:
        write_whole(place, text.encode())


def write_whole(place: Path, data: bytes) -> None:
    """Write beside and rename, so that a file is whole or not there; nobody else may read it."""
    handle, beside = tempfile.mkstemp(dir=place.parent, prefix=".part-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(beside).replace(place)


def refresh(folder: Folder, book: Gradebook, rubric: Rubric, names: Iterable[str]) -> None:
    """Make the pages of these submissions anew, and the files of the class, from the gradebook."""
    for name in names:
        refresh_one(folder, book, rubric, name)
    refresh_class(folder, book, rubric)


def refresh_one(folder: Folder, book: Gradebook, rubric: Rubric, name: str) -> None:
    """Make result and report of one submission anew: they say what the gradebook says.

    Where another process makes them at the same time, the later look at the gradebook wins; what
    can't be settled stays marked as stale, and the next run makes it anew.
    """
    for _ in range(TRIES):
        token = secrets.token_hex(8)
        book.claim_page(name, token=token)
        marked = book.marked(name)
        folder.write_one(marked.graded, rubric=rubric)
        if book.settle_page(name, token=token, stamp=marked.stamp):
            return


def refresh_class(folder: Folder, book: Gradebook, rubric: Rubric) -> tuple[Brief, ...]:
    """Make the files of the class anew, and once more if a mark came between; what they hold."""
    for _ in range(TRIES):
        moment, there = book.moment(), book.keys()
        graded = book.all_graded([name for name in book.roll() if name in there])
        briefs = tuple(Brief.of(one, rubric=rubric) for one in graded)
        briefs = write_with_clashes(folder, book, rubric, briefs)
        if book.moment() == moment:
            break
    return briefs


def write_with_clashes(
    folder: Folder, book: Gradebook, rubric: Rubric, briefs: Sequence[Brief]
) -> tuple[Brief, ...]:
    """Write the files of a class, and to its grades what only the others tell of them.

    Args:
        folder: where they are written.
        book: where grades are, and the roster.
        rubric: what they were graded by.
        briefs: every submission, in order.

    Returns:
        The briefs as they are now.
    """
    clashes = check_roster(_teams(briefs), members=()).clashes
    told = tuple(
        brief
        if brief.clashes == clashes.get(brief.row.name, ())
        else _clashing(folder, book, rubric, name=brief.row.name, clashes=clashes)
        for brief in briefs
    )
    folder.write_class(told, rubric=rubric, absent=absent_from(told, book=book, rubric=rubric))
    return told


def _teams(briefs: Sequence[Brief]) -> dict[str, tuple[Student, ...]]:
    return {brief.row.name: brief.row.students for brief in briefs}


def _clashing(
    folder: Folder,
    book: Gradebook,
    rubric: Rubric,
    *,
    name: str,
    clashes: Mapping[str, tuple[str, ...]],
) -> Brief:
    """A submission with what the others say against it now."""
    graded = book.graded(name)
    said = clashes.get(name, ())
    own = tuple(flag for flag in graded.flags if flag not in graded.clashes)
    book.amend(replace(graded, flags=(*own, *said), clashes=said), key=book.keys()[name])
    refresh_one(folder, book, rubric, name)
    return Brief.of(book.graded(name), rubric=rubric)


def absent_from(briefs: Sequence[Brief], *, book: Gradebook, rubric: Rubric) -> Absent:
    """What no submission can say: who handed in nothing, and what to know of people and times.

    One submission alone is no class: then nobody is missing.
    """
    people, teams = remembered(book, rubric.id), _teams(briefs)
    missing = check_roster(teams, members=people.members).missing if len(briefs) > 1 else ()
    untimed = [brief.row.name for brief in briefs if not brief.timed]
    said = remarks(teams, people=people, rule=rubric.late, untimed=untimed)
    return Absent(students=missing, remarks=tuple(said))


def settle(folder: Folder, book: Gradebook, rubric: Rubric) -> tuple[Brief, ...]:
    """Let every page, and the files of the class, show the marks there are."""
    catch_up(folder, book, rubric)
    return refresh_class(folder, book, rubric)


def catch_up(folder: Folder, book: Gradebook, rubric: Rubric) -> tuple[str, ...]:
    """Make pages anew that don't show the marks there are, after a crash say; whose they were."""
    graded = book.keys()
    stale = tuple(name for name in book.stale() if name in graded)
    for name in stale:
        refresh_one(folder, book, rubric, name)
    return stale
