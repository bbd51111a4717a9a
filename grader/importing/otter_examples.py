"""Finds what a case in OK's format builds on: otter runs all of them on the same names."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.importing import cell_code
from grader.importing.otter_tests import example_sources
from grader.importing.test_writing import NotebookNames


@dataclass(slots=True)
class EarlierExamples:
    """The examples of the cases above one, in order."""

    _before: list[_Step] = field(default_factory=list)
    """Of the questions above."""
    _above: list[_Step] = field(default_factory=list)
    """Of the same question."""

    def end_question(self) -> None:
        """Begin the next question."""
        self._before += self._above
        self._above = []

    def remember(self, text: str) -> None:
        """Keep the examples of a case."""
        examples = doctest.DocTestParser().get_examples(text)
        self._above += [_Step.of_example(example) for example in examples]

    def needed_by(self, text: str, *, notebook: NotebookNames) -> str:
        """Return the examples above that a case builds on, or ''.

        These are the ones that bind a name it reads, and all that touch such a name or change an
        object of the notebook's that it reads. What another question binds counts where the
        notebook does not bind it.
        """
        wanted = set(_free_names(example_sources(text)))
        chosen: list[_Step] = []
        for step in reversed(self._above):
            if step.bound & wanted or step.changed & wanted - notebook.imports.keys():
                chosen.insert(0, step)
                wanted |= step.read
        for step in reversed(self._before):
            if step.bound & wanted - notebook.bound:
                chosen.insert(0, step)
                wanted |= step.read
        return "\n".join(step.text for step in chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One example of a case."""

    text: str
    bound: frozenset[str]
    read: frozenset[str]
    changed: frozenset[str]
    """Names whose objects it may change: it calls a method of theirs, or sets a part of them."""

    @classmethod
    def of_example(cls, example: doctest.Example) -> _Step:
        begin, *rest = example.source.rstrip("\n").split("\n")
        lines = [f">>> {begin}", *(f"... {line}" for line in rest)]
        tree = _parse(example.source)
        if tree is None:
            return cls(text="", bound=frozenset(), read=frozenset(), changed=frozenset())
        names = cell_code.read_names(example.source)
        return cls(
            text="\n".join(lines),
            bound=names.bound,
            read=names.read,
            changed=frozenset(_changed_names(tree)),
        )


def _parse(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _free_names(sources: Sequence[str]) -> Iterator[str]:
    """Yield the names that statements read and that none of those above them binds."""
    bound: set[str] = set()
    for source in filter(_parse, sources):
        names = cell_code.read_names(source)
        own = names.bound if isinstance(ast.parse(source).body[0], ast.FunctionDef) else set()
        yield from names.read - bound - own
        bound |= names.bound


def _changed_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _root(node.func)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
            node.ctx, ast.Load
        ):
            yield from _root(node)


def _root(node: ast.expr) -> Iterator[str]:
    """Yield the name with which an expression such as `account.owner.rename` begins."""
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        yield from _root(node.value)
    elif isinstance(node, ast.Name):
        yield node.id
