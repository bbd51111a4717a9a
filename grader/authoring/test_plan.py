"""Reads the tests of an assignment from its files `mutants.toml` and `cases/cases.toml`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from grader.errors import RubricError
from grader.model import Mutant, Rubric
from grader.model.field_types import Id, Points, RequiredText
from grader.rubric.rubric_errors import explain_validation, raise_complaints, suggest_nearest
from grader.rubric.toml_files import read_tables, validate_tables


class TomlTable(BaseModel):
    """A TOML table without unknown keys, whose values are not converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


T = TypeVar("T", bound=TomlTable)


class PatchTable(TomlTable):
    """One change of a cell."""

    cell: RequiredText
    """The cell's id."""
    old: Annotated[str, Field(min_length=1)]
    """Text that the cell contains exactly once."""
    new: str


class MutantTable(TomlTable):
    """`[[mutant]]`: a mistake that this assignment's students make."""

    name: RequiredText
    items: list[Id]
    patch: Annotated[list[PatchTable], Field(min_length=1)]


class LinePatternTable(TomlTable):
    """`[[given]]` or `[[explained]]`: lines, by patterns in which `*` is any text."""

    cell: RequiredText
    line: RequiredText = "*"
    """The line of the reference, without indentation."""
    change: RequiredText = "*"
    """The kind of change: 'call left out'."""
    after: RequiredText = "*"
    """The line after the change."""
    why: RequiredText


class CellTable(TomlTable):
    """`[[cell]]`: the items that a cell's code belongs to."""

    id: RequiredText
    items: list[Id]


class UntriggeredTable(TomlTable):
    """`[[untriggered]]`: a check that may take points from nothing."""

    item: Id
    check: RequiredText
    why: RequiredText


class ShownTable(TomlTable):
    """`[[shown]]`: lines of the solution, by a pattern, that students may see elsewhere."""

    line: RequiredText
    why: RequiredText


class MutantsFile(TomlTable):
    """`mutants.toml`."""

    cell: list[CellTable] = Field(default_factory=list)
    given: list[LinePatternTable] = Field(default_factory=list)
    explained: list[LinePatternTable] = Field(default_factory=list)
    untriggered: list[UntriggeredTable] = Field(default_factory=list)
    shown: list[ShownTable] = Field(default_factory=list)
    mutant: list[MutantTable] = Field(default_factory=list)


class CaseTable(TomlTable):
    """`[[case]]`: a submission with its expected points."""

    name: RequiredText
    why: str = ""
    start: Literal["reference", "template"] = "reference"
    notebook: str = ""
    """A file beside `cases.toml`, instead of a start and patches."""
    others: Literal["full", "none"] = "full"
    """The expected points of automatic items that `points` doesn't name."""
    points: dict[Id, Points] = Field(default_factory=dict)
    patch: list[PatchTable] = Field(default_factory=list)


class CasesFile(TomlTable):
    """`cases/cases.toml`."""

    template: dict[Id, Points] = Field(default_factory=dict)
    """The expected points of the blank template, where they aren't 0."""
    case: list[CaseTable] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionCase:
    """A submission with its expected points."""

    name: str
    start: Literal["reference", "template"] = "reference"
    """The notebook that patches change."""
    patches: tuple[PatchTable, ...] = ()
    notebook: Path | None = None
    """A file, instead of a start and patches."""
    points: Mapping[str, Fraction]
    """The expected points by item; items that aren't named may score anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPlan:
    """The tests of one assignment, in addition to those that every assignment must pass."""

    mutants: MutantsFile = field(default_factory=MutantsFile)
    cases: tuple[SubmissionCase, ...] = ()
    template_points: Mapping[str, Fraction] = field(default_factory=dict)

    def find_given(self, *, cell: str, line: str) -> int | None:
        """Return the index of the first `[[given]]` table that matches a line, or None."""
        for index, table in enumerate(self.mutants.given):
            if _matches(cell, table.cell) and _matches(line, table.line):
                return index
        return None

    def is_given(self, cell: str) -> bool:
        """Return whether a `[[given]]` table matches every line of a cell."""
        return any(table.line == "*" and _matches(cell, table.cell) for table in self.mutants.given)

    def may_show(self, line: str) -> bool:
        """Return whether students may see a line of the solution elsewhere."""
        return any(_matches(line, table.line) for table in self.mutants.shown)

    def survival_reason(self, mutant: Mutant) -> str:
        """Return why a mutant may survive; '' where the file gives no reason."""
        return next((table.why for table in self.mutants.explained if explains(table, mutant)), "")

    def items_for_cell(self, cell: str) -> tuple[str, ...]:
        """Return the items that the file assigns to a cell."""
        return next((tuple(table.items) for table in self.mutants.cell if table.id == cell), ())


def explains(table: LinePatternTable, mutant: Mutant) -> bool:
    """Return whether an explanation is about a mutant."""
    return (
        _matches(mutant.cell, table.cell)
        and _matches(mutant.before, table.line)
        and _matches(mutant.change, table.change)
        and _matches(mutant.after, table.after)
    )


def _matches(text: str, pattern: str) -> bool:
    """Return whether a text fits a pattern in which only `*` is special."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def read_plan(rubric: Rubric) -> ValidationPlan:
    """Return the plan of an assignment; each of its files may be missing.

    Raises:
        RubricError: A file is not valid; the message names all of its faults.
    """
    folder = rubric.folder
    mutants = _read_file(folder / "mutants.toml", kind=MutantsFile)
    cases_path = folder / "cases" / "cases.toml"
    cases = _read_file(cases_path, kind=CasesFile)
    tables: tuple[CellTable | MutantTable, ...] = (*mutants.cell, *mutants.mutant)
    mutant_items = [item for table in tables for item in table.items]
    _refuse_unknown(folder / "mutants.toml", mutant_items, rubric=rubric)
    case_items = [item for case in cases.case for item in case.points]
    _refuse_unknown(cases_path, [*cases.template, *case_items], rubric=rubric)
    return ValidationPlan(
        mutants=mutants,
        cases=(
            *(_make_case(case, cases_path=cases_path, rubric=rubric) for case in cases.case),
            *_cases_from_table(cases_path.parent / "expected.csv", rubric=rubric),
        ),
        template_points={**uniform_points(rubric, "none"), **cases.template},
    )


def _read_file(path: Path, *, kind: type[T]) -> T:
    if not path.is_file():
        return kind()
    _, tree = read_tables(path)
    try:
        return validate_tables(tree, TypeAdapter(kind))
    except ValidationError as error:
        raise_complaints(path, explain_validation(error, table=kind, tree=tree))
        raise


def _refuse_unknown(path: Path, items: Iterable[str], *, rubric: Rubric) -> None:
    known = {item.id for item in rubric.items if item.kind == "auto"}
    unknown = [item for item in items if item not in known]
    raise_complaints(
        path,
        (f"there is no automatic item '{i}'; {suggest_nearest(i, among=known)}" for i in unknown),
    )


def uniform_points(rubric: Rubric, amount: str) -> dict[str, Fraction]:
    """Return the points of all automatic items: their maximum for 'full', 0 for 'none'."""
    share = 1 if amount == "full" else 0
    return {item.id: item.points * share for item in rubric.items if item.kind == "auto"}


def _make_case(case: CaseTable, *, cases_path: Path, rubric: Rubric) -> SubmissionCase:
    file = cases_path.parent / case.notebook if case.notebook else None
    if file is not None and not file.is_file():
        raise RubricError(f"{cases_path}: case {case.name}: there is no {case.notebook}")
    if file is not None and case.patch:
        raise RubricError(
            f"{cases_path}: case {case.name}: a patch changes the reference or the "
            "template, not a notebook of its own; leave one of the two out"
        )
    return SubmissionCase(
        name=case.name,
        start=case.start,
        patches=tuple(case.patch),
        notebook=file,
        points={**uniform_points(rubric, case.others), **case.points},
    )


def _cases_from_table(table: Path, *, rubric: Rubric) -> Iterable[SubmissionCase]:
    """Yield the cases of a CSV table with a column for each item; an empty cell allows any points.

    Raises:
        RubricError: The table names a missing notebook or item, or a field is no number.
    """
    if not table.is_file():
        return
    with table.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    _refuse_unknown(
        table, (name for name in rows[0] if name != "notebook") if rows else (), rubric=rubric
    )
    for row in rows:
        file = table.parent / (row.get("notebook") or "")
        if not file.is_file():
            raise RubricError(f"{table}: there is no notebook {file.name!r} beside it")
        try:
            points = {
                k: Fraction(v.strip()) for k, v in row.items() if k != "notebook" and v.strip()
            }
        except ValueError as error:
            raise RubricError(f"{table}: {file.name}: {error}") from error
        yield SubmissionCase(name=file.name, notebook=file, points=points)
