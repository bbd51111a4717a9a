"""Reads a master notebook of otter-grader: questions, their tests, and the solved notebook."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import yaml

from grader.authoring.editable_notebook import (
    SOLUTION,
    EditableCell,
    EditableNotebook,
    read_editable_notebook,
)
from grader.errors import UsageError
from grader.importing.otter_marks import with_our_marks, without_ignored
from grader.importing.otter_tests import OtterCase, OtterTest, read_points

_BLOCK = re.compile(r"#\s+(begin|end)\s+(question|prompt|solution|tests)\s*", re.IGNORECASE)
_CONFIG = re.compile(r"#\s+assignment\s+config\s*", re.IGNORECASE)
_IGNORED = re.compile(r"(?:##\s*ignore\s*##\s*|#\s*ignore\s*)", re.IGNORECASE)
_FENCE = re.compile(r"^```otter[ \t]*\n(.*?)^```[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_TEST_CONFIG = re.compile(
    r"\A(?:.\s*=\s*)?\"{2,3}\s*#\s*BEGIN\s*TEST\s*CONFIG[^\n]*\n(.*?)^\"{2,3}\s*#\s*END\s*TEST\s*CONFIG[^\n]*\n?",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_OLD_FORMAT = re.compile(r"^```\s*\n\s*(?:BEGIN|END) (?:QUESTION|ASSIGNMENT)", re.MULTILINE)
INCLUDED = "otter_include"
"""The tag of a text within a solution that students get."""
ANSWER_HERE = "_Type your answer here, replacing this text._"

EXPORT_TEXT = (
    "## Submission\n\n"
    "Make sure you have run all cells in your notebook in order before running the cell below, "
    "so that all images/graphs appear in the output. "
    "The cell below will generate a zip file for you to submit."
)
SAVE_TEXT = "**Please save before exporting!**"
"""What otter writes at the end of students' notebooks, word for word: `create_export_cells`."""


@dataclass(slots=True)
class MasterQuestion:
    """A question of a master notebook."""

    name: str
    options: Mapping[str, object]
    cell: str = ""
    """The id of the cell where it begins."""
    text: list[str] = field(default_factory=list)
    solution: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    """Kinds of the cells that answer it."""
    cases: list[OtterCase] = field(default_factory=list)

    @property
    def is_manual(self) -> bool:
        """Whether a person marks it."""
        return self.options.get("manual") is True

    @property
    def answer(self) -> Literal["text", "code", "any"]:
        """What answers it."""
        if self.kinds == {"code"}:
            return "code"
        return "any" if len(self.kinds) > 1 else "text"

    def shown_points(self) -> str:
        """Return its points as otter tells students."""
        points = read_points(self.options.get("points"))
        if self.cases and not self.is_manual:
            shares = (case.points for case in self.test().with_points().cases)
            points = sum((share for share in shares if share is not None), Fraction(0))
        elif not isinstance(points, Fraction):
            points = Fraction(0 if self.is_manual else 1)
        return f"{round(float(points), 5):g}"

    def test(self) -> OtterTest:
        """Return its tests."""
        given = self.options.get("points")
        points = read_points(given)
        if isinstance(given, dict):
            each = read_points(given.get("each", 1))
            points = each * len(self.cases) if isinstance(each, Fraction) else None
        return OtterTest(
            name=self.name,
            cases=tuple(self.cases),
            points=points,
            all_or_nothing=self.options.get("all_or_nothing") is True,
        )


@dataclass(slots=True)
class MasterNotebook:
    """What was read of a master notebook."""

    config: dict[str, object] = field(default_factory=dict)
    questions: list[MasterQuestion] = field(default_factory=list)
    cells: list[EditableCell] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Cells that were not understood, and why."""
    kernel: Mapping[str, object] = field(default_factory=dict)

    def solved(self) -> EditableNotebook:
        """Return the solved notebook, with our marks and the lines that check its questions."""
        init = EditableCell(id="otter-init", kind="code", source="import grader")
        kernel = json.loads(json.dumps(self.kernel))
        cells = [cell for cell in (init, *self.cells, *self._end()) if cell.source.strip()]
        return EditableNotebook(cells=tuple(cells), kernel=kernel)

    def _end(self) -> list[EditableCell]:
        """Return the text that otter puts at the end of students' notebooks.

        What students got is no answer of theirs, though it stands behind the last question.
        """
        export = self.config.get("export_cell", True)
        if not export:
            return []
        options = export if isinstance(export, dict) else {}
        text = EXPORT_TEXT if options.get("force_save") is True else f"{EXPORT_TEXT} {SAVE_TEXT}"
        if options.get("instructions"):
            text += f"\n\n{options['instructions']}"
        return [EditableCell(id="otter-export", kind="markdown", source=text)]

    @property
    def uses_examples(self) -> bool:
        """Whether its test cells are compared by what they show, and are no functions."""
        tests = self.config.get("tests")
        return not (isinstance(tests, dict) and tests.get("ok_format") is False)


def is_master(path: Path) -> bool:
    """Return whether a notebook has cells of otter's own language."""
    cells = _unfenced(read_editable_notebook(path).cells)
    return any(cell.kind == "raw" and _BLOCK.match(cell.source) for cell in cells)


def read_master(path: Path) -> MasterNotebook:
    """Read a master notebook.

    Raises:
        UsageError: It is none, or for R, or in the format before version 5.
    """
    notebook = read_editable_notebook(path)
    language = str(dict(notebook.kernel.get("kernelspec") or {}).get("language", "python"))
    if language.lower() not in {"python", ""}:
        raise UsageError(f"{path}: it is in {language}; only Python is graded here")
    if any(cell.kind == "markdown" and _OLD_FORMAT.search(cell.source) for cell in notebook.cells):
        raise UsageError(
            f"{path}: it is in otter's format before version 5; convert it by otter's own "
            "`python -m otter.assign.v0.convert`, and look at its points"
        )
    reader = _MasterReader(path.parent)
    for cell in _unfenced(notebook.cells):
        reader.read(cell)
    if reader.block or not reader.master.questions:
        raise UsageError(f"{path}: no question begins and ends in it: it is not a master notebook")
    reader.master.kernel = notebook.kernel
    return reader.master


def _unfenced(cells: Iterable[EditableCell]) -> Iterator[EditableCell]:
    """Yield cells, with each fenced part of a text, in otter's own language, as a raw cell."""
    for cell in cells:
        if cell.kind != "markdown" or not _FENCE.search(cell.source):
            yield cell
            continue
        for number, part in enumerate(_FENCE.split(cell.source)):
            kind = "raw" if number % 2 else "markdown"
            if part.strip():
                yield replace(
                    cell, id=f"{cell.id}-{number}", kind=kind, source=part.strip("\n"), outputs=()
                )


class _MasterReader:
    """Reads one cell after the other, and knows in which block it is."""

    def __init__(self, folder: Path) -> None:
        self.master = MasterNotebook()
        self.block: list[str] = []
        self._folder = folder
        self._has_prompt = False
        self._text: int | None = None
        """The place of the last text of the question."""

    def read(self, cell: EditableCell) -> None:
        """Read one cell."""
        if _IGNORED.match(cell.source):
            return
        if cell.kind == "raw" and _CONFIG.match(cell.source):
            self._read_config(cell)
        elif cell.kind == "raw" and (edge := _BLOCK.match(cell.source)) is not None:
            self._pass_edge(cell, edge[1].lower(), edge[2].lower())
        elif self.block[-1:] == ["tests"]:
            self._read_case(cell)
        else:
            self._keep(replace(cell, source=without_ignored(cell.source)))

    def _read_config(self, cell: EditableCell) -> None:
        config = self._load(cell)
        file = config.get("config_file")
        if isinstance(file, str):
            try:
                text = (self._folder / file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                self.master.problems.append(
                    (cell.id, f"its configuration is in {file}, which could not be read")
                )
                text = ""
            self.master.config |= self._load(replace(cell, source=text))
        self.master.config |= config

    def _load(self, cell: EditableCell) -> dict[str, object]:
        try:
            table = yaml.safe_load(cell.source)
        except yaml.YAMLError as error:
            self.master.problems.append((cell.id, f"its YAML was not understood ({error})"))
            return {}
        return table if isinstance(table, dict) else {}

    def _pass_edge(self, cell: EditableCell, edge: str, block: str) -> None:
        if edge == "end":
            if self.block[-1:] != [block]:
                raise UsageError(f"cell {cell.id}: END {block.upper()} ends nothing")
            self.block.pop()
            if block == "question":
                self._end_question()
            return
        is_outside = not self.block
        if is_outside is not (block == "question") or len(self.block) > 1:
            raise UsageError(f"cell {cell.id}: BEGIN {block.upper()} is in the wrong place")
        self.block.append(block)
        self._has_prompt |= block == "prompt"
        if block == "question":
            options = self._load(cell)
            if "name" not in options:
                raise UsageError(f"cell {cell.id}: the question has no name")
            question = MasterQuestion(name=str(options["name"]), options=options, cell=cell.id)
            self.master.questions.append(question)
            self._has_prompt = False
            self._text = None

    def _end_question(self) -> None:
        question = self.master.questions[-1]
        if self._text is not None and self.master.config.get("show_question_points") is True:
            cell = self.master.cells[self._text]
            source = f"{cell.source}\n\n_Points:_ {question.shown_points()}"
            self.master.cells[self._text] = replace(cell, source=source)
        if question.cases:
            source = f"grader.check({json.dumps(question.name)})"
            number = len(self.master.questions)
            check = EditableCell(id=f"otter-check-{number}", kind="code", source=source)
            self.master.cells.append(check)

    def _keep(self, cell: EditableCell) -> None:
        """Keep a cell of the notebook, with our marks where it solves a question."""
        block = self.block[-1] if self.block else ""
        question = self.master.questions[-1] if block else None
        if question is not None and block == "question" and cell.kind == "markdown":
            question.text.append(cell.source)
            self._text = len(self.master.cells)
        if question is not None and block in {"prompt", "solution"}:
            question.kinds.add("code" if cell.kind == "code" else "text")
        if question is not None and block == "solution":
            cell = self._mark(cell, question)
        elif self.master.config.get("strip_solutions_from_all_cells") is True:
            cell = self._strip(cell)
        self.master.cells.append(cell)

    def _mark(self, cell: EditableCell, question: MasterQuestion) -> EditableCell:
        if INCLUDED in cell.tags and cell.kind == "markdown":
            return replace(cell, tags=tuple(tag for tag in cell.tags if tag != INCLUDED))
        question.solution.append(cell.source)
        if cell.kind == "code":
            return self._strip(cell, item=question.name)
        if question.is_manual and not self._has_prompt:
            self._has_prompt = True
            blank = EditableCell(id=f"{cell.id}-answer", kind="markdown", source=ANSWER_HERE)
            self.master.cells.append(blank)
        return replace(cell, tags=(*cell.tags, SOLUTION))

    @staticmethod
    def _strip(cell: EditableCell, *, item: str = "") -> EditableCell:
        if cell.kind != "code":
            return cell
        return replace(cell, source=with_our_marks(cell.source, item=item))

    # ------------------------------------------------------------ tests

    def _read_case(self, cell: EditableCell) -> None:
        question = self.master.questions[-1]
        if cell.kind != "code":
            self.master.problems.append((cell.id, "a cell among tests that is not code"))
            return
        source, options = cell.source, {}
        first = source.lstrip().partition("\n")[0]
        is_hidden = first.startswith("#") and re.search(r"\bhidden\b", first, re.IGNORECASE)
        if config := _TEST_CONFIG.match(source):
            options = self._load(replace(cell, source=config[1]))
            source = source[config.end() :]
        elif is_hidden:
            source = source.lstrip().partition("\n")[2]
        points = read_points(options.get("points"))
        code, is_function = self._case_code(replace(cell, source=source))
        question.cases.append(
            OtterCase(
                code=code,
                is_function=is_function,
                hidden=options.get("hidden", bool(is_hidden)) is True,
                points=points if isinstance(points, Fraction) else None,
                success_message=str(options.get("success_message") or ""),
                failure_message=str(options.get("failure_message") or ""),
            )
        )

    def _case_code(self, cell: EditableCell) -> tuple[str, bool]:
        """Return the code of a case, and whether it is a function."""
        tree = ast.parse(cell.source)
        if self.master.uses_examples:
            return as_examples(cell.source, tree, shown=_shown_text(cell)), False
        if not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
            raise UsageError(f"cell {cell.id}: a test that is not a function")
        return ast.get_source_segment(cell.source, tree.body[0]) or "", True


def as_examples(source: str, tree: ast.Module, *, shown: str) -> str:
    """Return a test cell as doctest's examples: each statement, and at the end what it shows."""
    lines: list[str] = []
    last = 0
    for node in tree.body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        if first <= last:  # another statement of the same line
            continue
        last = node.end_lineno or first
        part = "\n".join(source.split("\n")[first - 1 : node.end_lineno])
        begin, *rest = part.split("\n")
        lines += [f">>> {begin}", *(f"... {line}" for line in rest)]
    return "\n".join([*lines, *shown.rstrip("\n").split("\n")]).rstrip("\n")


def _shown_text(cell: EditableCell) -> str:
    """Return what the saved outputs of a test cell show, as otter reads them."""
    texts: list[str] = []
    for output in cell.outputs:
        values = (output.get("text"), (output.get("data") or {}).get("text/plain"))
        texts += ["".join(v) if isinstance(v, list) else str(v or "") for v in values]
    return "".join(texts)
