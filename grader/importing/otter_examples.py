"""Finds what a case in OK's format builds on: the cases above it may have changed its objects.

Names that a case binds are its own, as otter has doctest copy them; objects are the notebook's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.importing import cell_code
from grader.importing.otter_tests import OtterCase, example_sources
from grader.importing.test_writing import NotebookNames


@dataclass(slots=True)
class EarlierExamples:
    """The cases of a question above one, in order, with the names whose objects they may change."""

    _above: list[tuple[OtterCase, frozenset[str]]] = field(default_factory=list)

    def end_question(self) -> None:
        """Begin the next question."""
        self._above = []

    def remember(self, case: OtterCase) -> None:
        """Keep a case."""
        text = case.code
        tree = None if case.is_function else _parse(text)
        if tree is not None:
            own = cell_code.read_names("\n".join(example_sources(text))).bound
            self._above.append((case, frozenset(_changed_names(tree)) - own))

    def needed_by(self, case: OtterCase, *, notebook: NotebookNames) -> str:
        """Return the cases above one that may change an object of the notebook's that it reads.

        Students get no hidden one with one that they see.
        """
        if _parse(case.code) is None:
            return ""
        read = cell_code.read_names("\n".join(example_sources(case.code))).read
        wanted = (read & notebook.bound) - notebook.imports.keys()
        return "\n".join(
            above.code
            for above, changed in self._above
            if changed & wanted and (case.hidden or not above.hidden)
        )


def _parse(text: str) -> ast.Module | None:
    try:
        return ast.parse("\n".join(example_sources(text)))
    except (SyntaxError, ValueError):
        return None


def _changed_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names of objects that a method is called of, or a part of which is set."""
    for node in ast.walk(tree):
        is_part = isinstance(node, (ast.Attribute, ast.Subscript))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _root(node.func)
        elif is_part and not isinstance(getattr(node, "ctx", None), ast.Load):
            yield from _root(node)


def _root(node: ast.AST) -> Iterator[str]:
    """Yield the name with which an expression such as `account.owner.rename` begins."""
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        yield from _root(node.value)
    elif isinstance(node, ast.Name):
        yield node.id
