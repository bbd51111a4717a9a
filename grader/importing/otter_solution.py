"""Reads the solved notebook beside an autograder of otter-grader's, and what stands in it alone.

`otter assign` writes one: its solutions have tags, tests and manual questions stand in it. Where a
person solved what students get, it is a notebook like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import nbformat

from grader.authoring.editable_notebook import (
    SOLUTION,
    EditableCell,
    EditableNotebook,
    read_editable_notebook,
)
from grader.importing import cell_code
from grader.importing.otter_marks import with_our_marks
from grader.importing.otter_master import INCLUDED, is_master
from grader.importing.otter_tests import OtterTest, read_table, read_test
from grader.notebook.peer_cells import IGNORED

SOLVED = "otter_assign_solution_cell"
_EDGE = re.compile(r"<!--\s*(BEGIN|END) QUESTION\s*-->")
_CHECK = re.compile(r"\.check\(\s*(['\"])(?P<name>.+?)\1")
_POINTS = re.compile(r"^_Points:_\s*(\d+(?:\.\d+)?)\s*$", re.MULTILINE)
_NUMBER = re.compile(r"\bQuestion\s+(\d[\w.]*\w|\d|[A-Z])\b", re.IGNORECASE)


@dataclass(slots=True)
class ManualPart:
    """A part of a notebook that otter-grader exports for a person to look at."""

    cell: str
    """The id of its first cell."""
    text: list[str] = field(default_factory=list)
    solution: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    checks: list[str] = field(default_factory=list)
    """Questions with tests that it holds."""
    name: str = ""
    """A name for it: the one that otter knows is nowhere in the notebook."""

    @property
    def points(self) -> Fraction | None:
        """Its points, where the text for students says them."""
        match = _POINTS.search("\n".join(self.text))
        return Fraction(match[1]) if match else None

    @property
    def prompt(self) -> str:
        """What students read."""
        return "\n\n".join(filter(None, (_POINTS.sub("", text).strip() for text in self.text)))

    @property
    def answer(self) -> Literal["text", "code", "any"]:
        """What answers it."""
        if self.kinds == {"code"}:
            return "code"
        return "any" if len(self.kinds) > 1 else "text"

    def choose_name(self, taken: Collection[str]) -> None:
        """Choose its name: by the number in its text, where no other has it."""
        match = _NUMBER.search(" ".join(self.text))
        numbered = [f"q{match[1].lower()}"] if match else []
        names = (*numbered, *(f"manual-{number}" for number in range(1, len(taken) + 2)))
        self.name = next(name for name in names if name not in taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedNotebook:
    """A solved notebook with our marks, and what else is in it."""

    notebook: EditableNotebook
    manual: tuple[ManualPart, ...] = ()
    tests: tuple[OtterTest, ...] = ()
    """The tests in its metadata."""


def read_solution(path: Path) -> SolvedNotebook:
    """Read a solved notebook.

    Raises:
        RubricError: It is no notebook.
        UsageError: A test in its metadata is none.
    """
    notebook = read_editable_notebook(path)
    raw: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    noted = [_table(cell.metadata.get("otter")) for cell in raw.cells]
    reader = _SolutionReader(_questions_below(notebook.cells, noted))
    for cell, note in zip(notebook.cells, noted, strict=True):
        reader.read(cell, note)
    cells = [*_missing_start(notebook), *reader.finish()]
    return SolvedNotebook(
        notebook=replace(notebook, cells=tuple(cells)),
        manual=tuple(reader.parts),
        tests=tuple(_metadata_tests(_table(raw.metadata.get("otter")))),
    )


def has_tests(path: Path) -> bool:
    """Return whether a notebook has tests in its metadata, and is no master notebook.

    Raises:
        RubricError: It is no notebook.
    """
    if is_master(path):
        return False
    raw: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return bool(_table(raw.metadata.get("otter")).get("tests"))


def _table(value: object) -> Mapping[str, Any]:
    return json.loads(json.dumps(value)) if isinstance(value, dict) else {}


def _metadata_tests(noted: Mapping[str, Any]) -> Iterator[OtterTest]:
    for name, test in _table(noted.get("tests")).items():
        if isinstance(test, dict):
            yield read_table(test, name=name)
        else:
            yield read_test(str(test), name=name)


def _missing_start(notebook: EditableNotebook) -> Iterator[EditableCell]:
    """Yield the cell that makes `grader`, where the notebook uses it and nothing in it does."""
    sources = [
        c.source for c in notebook.cells if c.kind == "code" and cell_code.parse_cell(c.source)
    ]
    names = [cell_code.read_names(cell_code.without_magics(source)) for source in sources]
    uses = any("grader" in part.read for part in names)
    if uses and not any("grader" in part.bound for part in names):
        source = "import otter\ngrader = otter.Notebook()"
        yield EditableCell(id="otter-init", kind="code", source=source)


def _questions_below(cells: tuple[EditableCell, ...], noted: list[Mapping[str, Any]]) -> list[str]:
    """Return for each cell the first question that is checked from there on, or ''."""
    below: list[str] = []
    name = ""
    for cell, note in reversed([*zip(cells, noted, strict=True)]):
        checked = _checked(cell, note)
        name = checked[0] if checked else name
        below.insert(0, name)
    return below


def _checked(cell: EditableCell, note: Mapping[str, Any]) -> list[str]:
    """Return the questions that a cell checks, or whose check follows it."""
    tests = note.get("tests")
    named = [str(test) for test in tests] if isinstance(tests, list) else []
    called = [m["name"] for m in _CHECK.finditer(cell.source)] if cell.kind == "code" else []
    return [*called, *named]


class _SolutionReader:
    """Reads one cell after the other, and knows in which part it is.

    below: for each cell the question that it may belong to.
    """

    def __init__(self, below: list[str]) -> None:
        self.parts: list[ManualPart] = []
        self._questions = below
        self._below = iter(below)
        self._part: ManualPart | None = None
        self._entries: list[tuple[EditableCell, str | None, ManualPart | None]] = []
        """Cells, with the question of those of code that hold a solution, and their part."""

    def read(self, cell: EditableCell, note: Mapping[str, Any]) -> None:
        """Read one cell, and what its metadata say for otter."""
        question = next(self._below)
        tags = tuple(tag for tag in cell.tags if not tag.startswith("otter_") or tag == IGNORED)
        if note.get("ignore") and IGNORED not in tags:
            tags = (*tags, IGNORED)
        is_solved = SOLVED in cell.tags and not (cell.kind == "markdown" and INCLUDED in cell.tags)
        self._follow(cell, is_solved=is_solved)
        if cell.kind == "markdown":  # an edge is for PDFs, and a mark that nothing here obeys
            cell = replace(cell, source=_EDGE.sub("", cell.source).strip("\n"))
        if self._part is not None:
            self._part.checks += _checked(cell, note)
        is_text = is_solved and cell.kind != "code"
        kept = replace(cell, tags=(*tags, SOLUTION) if is_text else tags)
        is_marked = is_solved and cell.kind == "code"
        self._entries.append((kept, question if is_marked else None, self._part))
        tests = note.get("tests")
        for number, name in enumerate(tests if isinstance(tests, list) else ()):
            source = f"grader.check({json.dumps(str(name))})"
            check = EditableCell(id=f"{cell.id}-check-{number}", kind="code", source=source)
            self._entries.append((check, None, None))

    def finish(self) -> Iterator[EditableCell]:
        """Yield the cells, with our marks where they hold a solution."""
        self.end_part()
        taken = set(self._questions)
        for manual in (part for part in self.parts if not part.checks):
            manual.choose_name(taken)
            taken.add(manual.name)
        for cell, question, part in self._entries:
            if question is None:
                yield cell
                continue
            is_manual = part is not None and not part.checks
            name = part.name if part is not None and is_manual else question
            yield replace(cell, source=with_our_marks(cell.source, item=name))

    def _follow(self, cell: EditableCell, *, is_solved: bool) -> None:
        """Take what a cell says into its part; an edge within a text begins or ends one."""
        if cell.kind == "code":
            if self._part is not None and not _CHECK.search(cell.source):
                self._part.kinds |= {"code"} if is_solved else set()
                self._part.solution += [cell.source] if is_solved else []
            return
        texts = _EDGE.split(cell.source)
        self._take_text(texts[0], is_solved=is_solved, tags=cell.tags)
        for edge, text in zip(texts[1::2], texts[2::2], strict=True):
            self.end_part()
            if edge == "BEGIN":
                self._part = ManualPart(cell=cell.id)
            self._take_text(text, is_solved=is_solved, tags=cell.tags)

    def _take_text(self, text: str, *, is_solved: bool, tags: tuple[str, ...]) -> None:
        if self._part is None or not text.strip():
            return
        if is_solved or "otter_answer_cell" in tags:
            self._part.kinds.add("text")
        if is_solved:
            self._part.solution.append(text.strip())
        elif "otter_answer_cell" not in tags:
            self._part.text.append(text.strip())

    def end_part(self) -> None:
        """End the part that is open."""
        if self._part is not None:
            self.parts.append(self._part)
        self._part = None
