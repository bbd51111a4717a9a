"""What an assignment's own files say of its tests: `mutants.toml` and `cases/cases.toml`."""

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
    """A TOML table: no key but its own, and no value turned into another kind."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


T = TypeVar("T", bound=TomlTable)


class PatchTable(TomlTable):
    """One change of the notebook that is begun with."""

    cell: RequiredText
    """The cell's id."""
    old: Annotated[str, Field(min_length=1)]
    """Text that stands in it, once."""
    new: str


class MutantTable(TomlTable):
    """`[[mutant]]`: a mistake that this assignment's students make."""

    name: RequiredText
    items: list[Id]
    patch: Annotated[list[PatchTable], Field(min_length=1)]


class LinePatternTable(TomlTable):
    """`[[given]]`, `[[explained]]`: lines, by patterns in which `*` is any text."""

    cell: RequiredText
    line: RequiredText = "*"
    """The line as it stands in the reference, without indentation."""
    change: RequiredText = "*"
    """What is done to it: 'call left out'."""
    after: RequiredText = "*"
    """What it becomes."""
    why: RequiredText


class CellTable(TomlTable):
    """`[[cell]]`: the items that a cell's code belongs to."""

    id: RequiredText
    items: list[Id]


class UntriggeredTable(TomlTable):
    """`[[untriggered]]`: a check that nothing need trigger."""

    item: Id
    check: RequiredText
    why: RequiredText


class ShownTable(TomlTable):
    """`[[shown]]`: lines of the solution that students may see elsewhere, by a pattern."""

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
    """`[[case]]`: a submission, and what it must score."""

    name: RequiredText
    why: str = ""
    start: Literal["reference", "template"] = "reference"
    notebook: str = ""
    """A file beside `cases.toml`, in place of a start and patches."""
    others: Literal["full", "none"] = "full"
    """What automatic items score that `points` doesn't name."""
    points: dict[Id, Points] = Field(default_factory=dict)
    patch: list[PatchTable] = Field(default_factory=list)


class CasesFile(TomlTable):
    """`cases/cases.toml`."""

    template: dict[Id, Points] = Field(default_factory=dict)
    """What the blank template scores, where that isn't 0."""
    case: list[CaseTable] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionCase:
    """A submission with expected scores."""

    name: str
    start: str
    """'reference', 'template' or 'notebook'."""
    notebook: Path | None
    patches: tuple[PatchTable, ...]
    points: Mapping[str, Fraction]
    """What each automatic item must score; what isn't named may score anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPlan:
    """What is tested of an assignment beside what is tested of every one."""

    mutants: MutantsFile = field(default_factory=MutantsFile)
    cases: tuple[SubmissionCase, ...] = ()
    template_points: Mapping[str, Fraction] = field(default_factory=dict)

    def given_reason(self, *, cell: str, line: str) -> str:
        """Why a line is left as it is; '' where it isn't."""
        reasons = (
            g.why for g in self.mutants.given if _matches(cell, g.cell) and _matches(line, g.line)
        )
        return next(reasons, "")

    def may_show(self, line: str) -> bool:
        """Whether students may see a line of the solution elsewhere."""
        return any(_matches(line, table.line) for table in self.mutants.shown)

    def survival_reason(self, mutant: Mutant) -> str:
        """Why a mutant may survive; '' where nobody says."""
        return next((table.why for table in self.mutants.explained if explains(table, mutant)), "")

    def items_for_cell(self, cell: str) -> tuple[str, ...]:
        """The items that a cell belongs to, as the file says."""
        return next((tuple(table.items) for table in self.mutants.cell if table.id == cell), ())


def explains(table: LinePatternTable, mutant: Mutant) -> bool:
    """Whether an explanation is about a mutant."""
    return (
        _matches(mutant.cell, table.cell)
        and _matches(mutant.before, table.line)
        and _matches(mutant.change, table.change)
        and _matches(mutant.after, table.after)
    )


def _matches(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern; nothing but `*` stands for something else."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def read_plan(rubric: Rubric) -> ValidationPlan:
    """The plan of an assignment; files that aren't there say nothing.

    Raises:
        RubricError: a file can't be used; the message names every fault in it.
    """
    folder = rubric.path.parent / rubric.id
    mutants = _read_file(folder / "mutants.toml", kind=MutantsFile)
    cases_path = folder / "cases" / "cases.toml"
    cases = _read_file(cases_path, kind=CasesFile)
    item_lists = [
        *(cell.items for cell in mutants.cell),
        *(table.items for table in mutants.mutant),
    ]
    _refuse_unknown(
        folder / "mutants.toml", (i for items in item_lists for i in items), rubric=rubric
    )
    points_tables = [cases.template, *(case.points for case in cases.case)]
    _refuse_unknown(
        cases_path, (item for points in points_tables for item in points), rubric=rubric
    )
    return ValidationPlan(
        mutants=mutants,
        cases=(
            *(_make_case(case, folder=cases_path.parent, rubric=rubric) for case in cases.case),
            *_cases_from_table(cases_path.parent / "expected.csv", rubric=rubric),
        ),
        template_points={**_uniform_points(rubric, "none"), **cases.template},
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


def _uniform_points(rubric: Rubric, amount: str) -> dict[str, Fraction]:
    """Every automatic item at all of its points, or at none."""
    auto = (item for item in rubric.items if item.kind == "auto")
    return {item.id: item.points if amount == "full" else Fraction(0) for item in auto}


def _make_case(case: CaseTable, *, folder: Path, rubric: Rubric) -> SubmissionCase:
    file = folder / case.notebook if case.notebook else None
    if file is not None and not file.is_file():
        raise RubricError(f"{folder / 'cases.toml'}: case {case.name}: there is no {case.notebook}")
    if file is not None and case.patch:
        raise RubricError(
            f"{folder / 'cases.toml'}: case {case.name}: a patch changes the reference or the "
            "template, not a notebook of its own; leave one of the two out"
        )
    return SubmissionCase(
        name=case.name,
        start="notebook" if file else case.start,
        notebook=file,
        patches=tuple(case.patch),
        points={**_uniform_points(rubric, case.others), **case.points},
    )


def _cases_from_table(table: Path, *, rubric: Rubric) -> Iterable[SubmissionCase]:
    """Notebooks beside a table of what they score: a column an item, an empty field for any.

    Raises:
        RubricError: the table names a notebook or an item that isn't there, or no number.
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
        yield SubmissionCase(
            name=file.name, start="notebook", notebook=file, patches=(), points=points
        )
