"""Makes the mutants of an assignment: generated changes of the reference, and a list of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.authoring.blanking import find_regions
from grader.authoring.editable_notebook import GRADER_ONLY, EditableCell, EditableNotebook
from grader.authoring.mutation_operators import Edit, imported_modules, make_edits
from grader.authoring.test_plan import PatchTable, ValidationPlan
from grader.checks import load_checks, resolve_checks
from grader.errors import RubricError
from grader.model import Mutant, Rubric
from grader.notebook import is_blank, read_notebook
from grader.notebook.student_code import find_definitions


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantSet:
    """The mutants of an assignment, and the cells that were not changed."""

    mutants: tuple[Mutant, ...]
    skipped_cells: Mapping[str, str]
    """By the id of a cell, why it was not changed."""
    used_given: frozenset[int]
    """Indices of the plan's `[[given]]` tables that match a line."""


def make_mutants(notebook: EditableNotebook, *, rubric: Rubric, plan: ValidationPlan) -> MutantSet:
    """Return all mutants; those of the assignment's list come last.

    Raises:
        RubricError: A patch of the list does not fit the reference.
    """
    code_cells = [c for c in notebook.cells if c.kind == "code" and GRADER_ONLY not in c.tags]
    modules = frozenset(name for cell in code_cells for name in imported_modules(cell.source))
    items_by_cell = _items_by_cell(notebook, rubric)
    skipped_cells: dict[str, str] = {}
    mutants: list[Mutant] = []
    used_given: set[int] = set()
    for cell in code_cells:
        items = plan.items_for_cell(cell.id) or items_by_cell.get(cell.id, ())
        for edit in make_edits(cell.source, modules=modules):
            index = plan.find_given(cell=cell.id, line=edit.before)
            if index is None:
                mutants.append(_make_mutant(edit, cell=cell, items=items))
                continue
            used_given.add(index)
            if plan.mutants.given[index].line == "*":
                skipped_cells[cell.id] = plan.mutants.given[index].why
    mutants += [*_file_mutants(notebook), *_listed_mutants(notebook, plan)]
    return MutantSet(
        mutants=tuple(mutants), skipped_cells=skipped_cells, used_given=frozenset(used_given)
    )


def patched_sources(
    notebook: EditableNotebook, patches: Iterable[PatchTable], *, context: str
) -> dict[str, str]:
    """Return the sources of the changed cells, by id.

    Raises:
        RubricError: There is no such cell, or it does not contain the text exactly once.
    """
    sources: dict[str, str] = {}
    for patch in patches:
        cell = notebook.cell(patch.cell)
        if cell is None:
            raise RubricError(f"{context}: there is no cell {patch.cell!r}")
        source = sources.get(patch.cell, cell.source)
        if source.count(patch.old) != 1:
            raise RubricError(
                f"{context}: {patch.old!r} stands {source.count(patch.old)} times in the cell "
                f"{patch.cell}; a patch replaces a text that stands there once"
            )
        sources[patch.cell] = source.replace(patch.old, patch.new)
    return sources


def _make_mutant(edit: Edit, *, cell: EditableCell, items: tuple[str, ...]) -> Mutant:
    regions = (r for r in find_regions(cell) if r.first < edit.line - 1 < r.last and r.items)
    return Mutant(
        cell=cell.id,
        line=edit.line,
        change=edit.change,
        before=edit.before,
        after=edit.after,
        items=next((region.items for region in regions), items),
        sources={cell.id: edit.source},
    )


def _file_mutants(notebook: EditableNotebook) -> Iterator[Mutant]:
    """Yield changes of the saved outputs, where there are any."""
    changes = (("outputs cleared", "cleared"), ("figures dropped", "without figures"))
    for change, treatment in changes:
        if notebook.with_outputs(treatment) != notebook:
            yield Mutant(change=change, outputs=treatment)


def _listed_mutants(notebook: EditableNotebook, plan: ValidationPlan) -> Iterator[Mutant]:
    for table in plan.mutants.mutant:
        first_patch = table.patch[0]
        yield Mutant(
            cell=first_patch.cell,
            change=table.name,
            before=_first_line(first_patch.old),
            after=_first_line(first_patch.new),
            items=tuple(table.items),
            sources=patched_sources(notebook, table.patch, context=f"mutant {table.name}"),
            is_listed=True,
        )


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


def _items_by_cell(notebook: EditableNotebook, rubric: Rubric) -> Mapping[str, tuple[str, ...]]:
    """Return, by the id of a cell, the items whose checks are about names that it defines."""
    reference = read_notebook(rubric.reference)
    items: dict[str, list[str]] = {}
    rubric_checks = resolve_checks(rubric, registry=load_checks(rubric.check_modules))
    for item in rubric.items:
        names = {n for c in rubric_checks if c.item is item for n in c.check.code_names()}
        for excerpt in find_definitions(reference, names):
            cell = notebook.cells[excerpt.cell]
            if not cell.hidden and not is_blank(reference.cells[excerpt.cell]):
                items.setdefault(cell.id, []).append(item.id)
    return {cell_id: tuple(item_ids) for cell_id, item_ids in items.items()}
