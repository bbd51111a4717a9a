"""Finds items whose code students would get as it is solved, since no mark cuts it out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from grader.authoring.blanking import blanked_source
from grader.authoring.editable_notebook import EditableNotebook
from grader.authoring.test_plan import ValidationPlan
from grader.checks import load_checks, resolve_checks
from grader.model import Rubric
from grader.notebook.student_code import parse_source


def find_uncut_items(
    notebook: EditableNotebook, *, rubric: Rubric, plan: ValidationPlan
) -> Mapping[str, str]:
    """Return, by item, where the code that its checks are about stands uncut.

    An item is uncut if every definition of every name that its checks are about is the same in the
    solved notebook and in what students get. Cells that `[[given]]` names whole are nobody's task.
    """
    solved: dict[str, list[tuple[str, str, bool]]] = {}
    for cell in notebook.cells:
        if cell.kind == "code" and not cell.hidden and not plan.is_given(cell.id):
            left = {code for _, code in _definitions(blanked_source(cell))}
            for name, code in _definitions(cell.source):
                solved.setdefault(name, []).append((cell.id, name, code in left))
    uncut = {}
    rubric_checks = resolve_checks(rubric, registry=load_checks(rubric.check_modules))
    for item in rubric.items:
        names = {n for c in rubric_checks if c.item is item for n in c.check.code_names()}
        definitions = [entry for name in sorted(names) for entry in solved.get(name, ())]
        if definitions and all(is_left for _, _, is_left in definitions):
            uncut[item.id] = ", ".join(f"{name} (cell {cell})" for cell, name, _ in definitions)
    return uncut


def _definitions(source: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a cell's top level defines, each with its statement's code."""
    tree = parse_source(source)
    for statement in tree.body if tree is not None else ():
        match statement:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name, ast.dump(statement)
            case ast.Assign(targets=targets):
                names = (node for target in targets for node in ast.walk(target))
                yield from (
                    (node.id, ast.dump(statement)) for node in names if isinstance(node, ast.Name)
                )
            case _:
                pass
