"""The folder that a run writes: private, self-contained, each file whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.exports import CsvRow, csv_rows, gradebook_csv, to_json
from grader.model import Graded, Rubric
from grader.report import Row, class_page, class_row, student_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the files of a class keep of one submission: so little that a large class fits."""

    row: Row
    csv: tuple[CsvRow, ...]
    asks: bool
    """Whether it needs a person."""

    @classmethod
    def of(cls, graded: Graded, *, rubric: Rubric) -> Brief:
        """The brief of a grade, which can then be let go."""
        return cls(
            row=class_row(graded),
            csv=csv_rows(graded, rubric=rubric),
            asks=graded.reason is not None or bool(graded.flags),
        )


class Folder:
    """Where results go.

    Raises:
        UsageError: it cannot be made or written.
    """

    STORE = "gradebook.db"
    """Everything that was graded, and the secret seeds; pages, CSV and JSON are made from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            for part in (path, path / "reports", path / "results"):
                part.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
            self._write(path / ".gitignore", "*\n")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror})") from error

    @property
    def store(self) -> Path:
        """Where the gradebook is."""
        return self.path / self.STORE

    def write_one(self, graded: Graded, *, rubric: Rubric) -> None:
        """The result and the report of one submission."""
        name = graded.submission.name
        self._write(self._result(name), to_json(graded, rubric=rubric))
        self._write(self.report(name), student_page(graded, rubric=rubric))

    def has(self, name: str) -> bool:
        """Whether result and report of a submission are there."""
        places = (self._result(name), self.report(name))
        return all(place.is_file() and place.stat().st_size for place in places)

    def write_class(self, briefs: Sequence[Brief], *, rubric: Rubric) -> None:
        """The class page and the gradebook."""
        rows = tuple(brief.row for brief in briefs)
        csv = (row for brief in briefs for row in brief.csv)
        self._write(self.path / "index.html", class_page(rows, rubric=rubric))
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
