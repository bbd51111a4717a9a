"""The mutants of an assignment: its reference changed everywhere it can be, and its own list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.authoring.blanking import regions
from grader.authoring.editable_notebook import GRADER_ONLY, Book, BookCell
from grader.authoring.mutation_operators import Edit, edits, imported
from grader.authoring.test_plan import PatchTable, Plan
from grader.checks import CHECKS
from grader.errors import RubricError
from grader.model import Mutant, Rubric
from grader.notebook import is_blank, read
from grader.notebook.student_code import code_about


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutants:
    """The mutants of an assignment, and the cells that were not changed."""

    made: tuple[Mutant, ...]
    left_aside: Mapping[str, str]
    """By cell, why."""
    used: frozenset[int]
    """Places of the plan's `[[given]]` that left something as it is."""


def mutants(book: Book, *, rubric: Rubric, plan: Plan) -> Mutants:
    """Every mutant, those of the assignment's own list last.

    Raises:
        RubricError: a patch of the list does not fit the reference.
    """
    code = [c for c in book.cells if c.kind == "code" and GRADER_ONLY not in c.tags]
    modules = frozenset(name for cell in code for name in imported(cell.source))
    belongs = _items_by_cell(book, rubric)
    aside: dict[str, str] = {}
    made: list[Mutant] = []
    used: set[int] = set()
    for cell in code:
        items = plan.items_of(cell.id) or belongs.get(cell.id, ())
        for edit in edits(cell.source, modules=modules):
            place = _given(plan, cell=cell.id, line=edit.before)
            if place is None:
                made.append(_mutant(edit, cell=cell, items=items))
                continue
            used.add(place)
            if plan.mutants.given[place].line == "*":
                aside[cell.id] = plan.mutants.given[place].why
    made += [*_of_the_file(book), *_own(book, plan)]
    return Mutants(made=tuple(made), left_aside=aside, used=frozenset(used))


def patched(book: Book, patches: Iterable[PatchTable], *, what: str) -> dict[str, str]:
    """The changed cells' sources, by id.

    Raises:
        RubricError: there is no such cell, or the text to replace does not stand in it once.
    """
    sources: dict[str, str] = {}
    for patch in patches:
        cell = book.cell(patch.cell)
        if cell is None:
            raise RubricError(f"{what}: there is no cell {patch.cell!r}")
        source = sources.get(patch.cell, cell.source)
        if source.count(patch.old) != 1:
            raise RubricError(
                f"{what}: {patch.old!r} stands {source.count(patch.old)} times in the cell "
                f"{patch.cell}; a patch replaces a text that stands there once"
            )
        sources[patch.cell] = source.replace(patch.old, patch.new)
    return sources


def _mutant(edit: Edit, *, cell: BookCell, items: tuple[str, ...]) -> Mutant:
    place = edit.line - 1
    named = (r.items for r in regions(cell) if r.first < place < r.last and r.items)
    return Mutant(
        cell=cell.id,
        line=edit.line,
        change=edit.change,
        before=edit.before,
        after=edit.after,
        items=next(named, items),
        sources={cell.id: edit.source},
    )


def _given(plan: Plan, *, cell: str, line: str) -> int | None:
    """Which of the plan's `[[given]]` leaves this line as it is."""
    for place, one in enumerate(plan.mutants.given):
        alone = Plan(mutants=plan.mutants.model_copy(update={"given": [one]}))
        if alone.given(cell=cell, line=line):
            return place
    return None


def _of_the_file(book: Book) -> Iterator[Mutant]:
    """What can go wrong with the file as a whole, where outputs are saved in it."""
    changes = {"outputs cleared": "cleared", "figures dropped": "without figures"}
    for change, how in changes.items():
        if book.with_outputs(how) != book:
            yield Mutant(
                cell="",
                line=0,
                change=change,
                before="",
                after="",
                items=(),
                sources={},
                outputs=how,
            )


def _own(book: Book, plan: Plan) -> Iterator[Mutant]:
    for table in plan.mutants.mutant:
        sources = patched(book, table.patch, what=f"mutant {table.name}")
        first = table.patch[0]
        yield Mutant(
            cell=first.cell,
            line=0,
            change=table.name,
            before=_first_line(first.old),
            after=_first_line(first.new),
            items=tuple(table.items),
            sources=sources,
            own=True,
        )


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0].strip() if lines else ""


def _items_by_cell(book: Book, rubric: Rubric) -> Mapping[str, tuple[str, ...]]:
    """The items whose checks are about names that a cell makes, by the cell's id."""
    notebook = read(rubric.reference)
    found: dict[str, list[str]] = {}
    for item in rubric.items:
        names: set[str] = set()
        for spec in item.checks:
            check = CHECKS[spec.code]
            names |= set(check.names(check.params.model_validate(spec.params)))
        for excerpt in code_about(notebook, names):
            cell = book.cells[excerpt.cell]
            if not cell.hidden and not is_blank(notebook.cells[excerpt.cell]):
                found.setdefault(cell.id, []).append(item.id)
    return {cell: tuple(items) for cell, items in found.items()}
