"""What an assignment's own files say of its tests: `mutants.toml` and `cases/cases.toml`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from grader.errors import RubricError
from grader.model import Mutant, Rubric
from grader.rubric.loading import read_toml
from grader.rubric.rubric_errors import complaints_about, nearest, refuse
from grader.rubric.schema import Id, Points, Said, Table

T = TypeVar("T", bound=Table)


class PatchTable(Table):
    """One change of the notebook that is begun with."""

    cell: Said
    """The cell's id."""
    old: Annotated[str, Field(min_length=1)]
    """Text that stands in it, once."""
    new: str


class MutantTable(Table):
    """`[[mutant]]`: a mistake that this assignment's students make."""

    name: Said
    items: list[Id]
    patch: Annotated[list[PatchTable], Field(min_length=1)]


class LinesTable(Table):
    """`[[given]]`, `[[explained]]`: lines, by patterns in which `*` is any text."""

    cell: Said
    line: Said = "*"
    """The line as it stands in the reference, without indentation."""
    change: Said = "*"
    """What is done to it: 'call left out'."""
    after: Said = "*"
    """What it becomes."""
    why: Said


class CellTable(Table):
    """`[[cell]]`: the items that a cell's code belongs to."""

    id: Said
    items: list[Id]


class IdleTable(Table):
    """`[[untriggered]]`: a check that nothing need trigger."""

    item: Id
    check: Said
    why: Said


class ShownTable(Table):
    """`[[shown]]`: lines of the solution that students may see elsewhere, by a pattern."""

    line: Said
    why: Said


class MutantsFile(Table):
    """`mutants.toml`."""

    cell: list[CellTable] = Field(default_factory=list)
    given: list[LinesTable] = Field(default_factory=list)
    explained: list[LinesTable] = Field(default_factory=list)
    untriggered: list[IdleTable] = Field(default_factory=list)
    shown: list[ShownTable] = Field(default_factory=list)
    mutant: list[MutantTable] = Field(default_factory=list)


class CaseTable(Table):
    """`[[case]]`: a submission, and what it must score."""

    name: Said
    why: str = ""
    start: Literal["reference", "template"] = "reference"
    notebook: str = ""
    """A file beside `cases.toml`, in place of a start and patches."""
    others: Literal["full", "none"] = "full"
    """What automatic items score that `points` doesn't name."""
    points: dict[Id, Points] = Field(default_factory=dict)
    patch: list[PatchTable] = Field(default_factory=list)


class CasesFile(Table):
    """`cases/cases.toml`."""

    template: dict[Id, Points] = Field(default_factory=dict)
    """What the blank template scores, where that isn't 0."""
    case: list[CaseTable] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A submission with expected scores."""

    name: str
    start: str
    """'reference', 'template' or 'notebook'."""
    notebook: Path | None
    patches: tuple[PatchTable, ...]
    points: Mapping[str, Fraction]
    """What each automatic item must score; what isn't named may score anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is tested of an assignment beside what is tested of every one."""

    mutants: MutantsFile = field(default_factory=MutantsFile)
    cases: tuple[Case, ...] = ()
    template: Mapping[str, Fraction] = field(default_factory=dict)

    def given(self, *, cell: str, line: str) -> str:
        """Why a line is left as it is; '' where it isn't."""
        found = (g.why for g in self.mutants.given if _is(cell, g.cell) and _is(line, g.line))
        return next(found, "")

    def shown(self, line: str) -> bool:
        """Whether students may see a line of the solution elsewhere."""
        return any(_is(line, one.line) for one in self.mutants.shown)

    def why(self, mutant: Mutant) -> str:
        """Why a mutant may survive; '' where nobody says."""
        return next((one.why for one in self.mutants.explained if explains(one, mutant)), "")

    def items_of(self, cell: str) -> tuple[str, ...]:
        """The items that a cell belongs to, as the file says."""
        return next((tuple(one.items) for one in self.mutants.cell if one.id == cell), ())


def explains(one: LinesTable, mutant: Mutant) -> bool:
    """Whether an explanation is about a mutant."""
    return (
        _is(mutant.cell, one.cell)
        and _is(mutant.before, one.line)
        and _is(mutant.change, one.change)
        and _is(mutant.after, one.after)
    )


def _is(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern; nothing but `*` stands for something else."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def read(rubric: Rubric) -> Plan:
    """The plan of an assignment; files that aren't there say nothing.

    Raises:
        RubricError: a file can't be used; the message names every fault in it.
    """
    folder = rubric.path.parent / rubric.id
    mutants = _file(folder / "mutants.toml", kind=MutantsFile)
    place = folder / "cases" / "cases.toml"
    cases = _file(place, kind=CasesFile)
    own = [*(cell.items for cell in mutants.cell), *(one.items for one in mutants.mutant)]
    _refuse_unknown(folder / "mutants.toml", (i for items in own for i in items), rubric=rubric)
    named = [cases.template, *(case.points for case in cases.case)]
    _refuse_unknown(place, (item for points in named for item in points), rubric=rubric)
    return Plan(
        mutants=mutants,
        cases=(
            *(_case(case, folder=place.parent, rubric=rubric) for case in cases.case),
            *_tabled(place.parent / "expected.csv", rubric=rubric),
        ),
        template={**_all(rubric, "none"), **cases.template},
    )


def _file(path: Path, *, kind: type[T]) -> T:
    if not path.is_file():
        return kind()
    _, tree = read_toml(path)
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        refuse(path, complaints_about(error, model=kind, tree=tree))
        raise


def _refuse_unknown(path: Path, items: Iterable[str], *, rubric: Rubric) -> None:
    known = {item.id for item in rubric.items if item.kind == "auto"}
    unknown = [item for item in items if item not in known]
    refuse(path, (f"there is no automatic item '{i}'; {nearest(i, among=known)}" for i in unknown))


def _all(rubric: Rubric, how: str) -> dict[str, Fraction]:
    """Every automatic item at all of its points, or at none."""
    auto = (item for item in rubric.items if item.kind == "auto")
    return {item.id: item.points if how == "full" else Fraction(0) for item in auto}


def _case(case: CaseTable, *, folder: Path, rubric: Rubric) -> Case:
    file = folder / case.notebook if case.notebook else None
    if file is not None and not file.is_file():
        raise RubricError(f"{folder / 'cases.toml'}: case {case.name}: there is no {case.notebook}")
    if file is not None and case.patch:
        raise RubricError(
            f"{folder / 'cases.toml'}: case {case.name}: a patch changes the reference or the "
            "template, not a notebook of its own; leave one of the two out"
        )
    return Case(
        name=case.name,
        start="notebook" if file else case.start,
        notebook=file,
        patches=tuple(case.patch),
        points={**_all(rubric, case.others), **case.points},
    )


def _tabled(table: Path, *, rubric: Rubric) -> Iterable[Case]:
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
        yield Case(name=file.name, start="notebook", notebook=file, patches=(), points=points)
