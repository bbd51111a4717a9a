"""Finds what a case in OK's format builds on: the cases above it may have changed its objects.

Names that a case binds are its own, as otter has doctest copy them; objects are the notebook's.
"""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.importing import cell_code
from grader.importing.otter_tests import OtterCase, example_sources
from grader.importing.test_writing import NotebookNames


@dataclass(slots=True)
class EarlierExamples:
    """The cases of a question above one, in order, with the names whose objects they may change."""

    _above: list[tuple[OtterCase, frozenset[str], frozenset[str]]] = field(default_factory=list)
    """Each case with the names whose objects it changes, and what it calls for its effect."""

    def end_question(self) -> None:
        """Begin the next question."""
        self._above = []

    def remember(self, case: OtterCase) -> None:
        """Keep a case."""
        text = case.code
        tree = None if case.is_function else _parse(text)
        if tree is not None:
            own = cell_code.read_names("\n".join(example_sources(text))).bound
            changed = frozenset(_changed_names(tree)) - own
            self._above.append((case, changed, frozenset(_called_for_effect(text)) - own))

    def needed_by(self, case: OtterCase, *, notebook: NotebookNames) -> str:
        """Return the cases above one that may change an object of the notebook's that it reads.

        A function of the notebook's that is called for its effect may change any of them.
        Students get no hidden one with one that they see.
        """
        if _parse(case.code) is None:
            return ""
        read = cell_code.read_names("\n".join(example_sources(case.code))).read
        wanted = (read & notebook.bound) - notebook.imports.keys()
        return "\n".join(
            above.code
            for above, changed, called in self._above
            if (changed & wanted or (wanted and called & notebook.bound))
            and (case.hidden or not above.hidden)
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
            yield cell_code.root_name(node.func)
        elif is_part and not isinstance(getattr(node, "ctx", None), ast.Load):
            yield cell_code.root_name(node)


def _called_for_effect(text: str) -> Iterator[str]:
    """Yield the functions that are called where nothing is shown: `push(1)`."""
    for example in doctest.DocTestParser().get_examples(text):
        body = [] if example.want else ast.parse(example.source).body
        calls = (node.value for node in body if isinstance(node, ast.Expr))
        functions = (call.func for call in calls if isinstance(call, ast.Call))
        yield from (function.id for function in functions if isinstance(function, ast.Name))
