"""Reads a master notebook of otter-grader, as `otter assign` does; nothing of it is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import yaml

from grader.authoring.editable_notebook import (
    EditableCell,
    EditableNotebook,
    read_editable_notebook,
)
from grader.errors import UsageError
from grader.importing.otter_tests import OtterCase, OtterTest, read_function_case, read_points

_MARK = re.compile(
    r"\s*(?:```\s*otter\s*\n)?\s*#\s*"
    r"(assignment config|(?:begin|end) (?:question|solution|prompt|tests))"
    r"[ \t]*(?:\n|\Z)(.*)",
    re.IGNORECASE | re.DOTALL,
)
_IGNORED = re.compile(r"\s*#+\s*ignore\b", re.IGNORECASE)
_HIDDEN = re.compile(r"\s*#[^\n]*\bhidden\b[^\n]*(?:\n|\Z)", re.IGNORECASE)
_TEST_CONFIG = re.compile(
    r'\s*"""\s*#\s*BEGIN TEST CONFIG\s*\n(.*?)\n?\s*"""\s*#\s*END TEST CONFIG[ \t]*\n?',
    re.IGNORECASE | re.DOTALL,
)
_PROMPT = re.compile(
    r'^[ \t]*"""\s*#\s*BEGIN PROMPT.*?"""\s*;?\s*#\s*END PROMPT[^\n]*\n?',
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_BLOCK = re.compile(r"^([ \t]*)#\s*(BEGIN|END) SOLUTION\b[^\n]*$", re.IGNORECASE | re.MULTILINE)
_LINE = re.compile(
    r"^([ \t]*)(\S[^\n]*?)[ \t]*#\s*SOLUTION(?:\s+NO PROMPT)?[ \t]*$", re.IGNORECASE | re.MULTILINE
)
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualQuestion:
    """A question that a person marks."""

    name: str
    points: Fraction
    is_code: bool
    prompt: str
    solution: str


@dataclass(slots=True, kw_only=True)
class Master:
    """What a master notebook holds."""

    config: Mapping[str, object] = field(default_factory=dict)
    cells: list[EditableCell] = field(default_factory=list)
    tests: list[OtterTest] = field(default_factory=list)
    manual: list[ManualQuestion] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Question:
    """A question while its cells are read."""

    config: Mapping[str, object]
    cases: list[OtterCase] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    solutions: list[EditableCell] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.config.get("name") or "question")


def read_master(path: Path) -> tuple[Master, EditableNotebook]:
    """Return what a master notebook holds, and its solved notebook with our marks.

    Raises:
        UsageError: It has no assignment of otter's.
    """
    notebook = read_editable_notebook(path)
    master = Master()
    question: _Question | None = None
    section = ""
    for cell in notebook.cells:
        mark = _MARK.match(cell.source) if cell.kind in {"raw", "markdown"} else None
        words = " ".join(mark[1].lower().split()) if mark else ""
        if mark is None:
            _take_cell(cell, master, question, section)
        elif words == "assignment config":
            master.config = _read_yaml(mark[2])
        elif words == "begin question":
            question = _Question(config=_read_yaml(mark[2]))
        elif words == "end question" and question is not None:
            _end_question(question, master)
            question, section = None, ""
        else:
            section = words.removeprefix("begin ") if words.startswith("begin ") else ""
    if not master.tests and not master.manual:
        raise UsageError(f"{path}: no question of otter-grader's is in it")
    return master, replace(notebook, cells=tuple(master.cells))


def _read_yaml(text: str) -> Mapping[str, object]:
    """Return the table that a cell of otter's holds.

    Raises:
        UsageError: It is none.
    """
    try:
        table = yaml.safe_load(text.replace("```", "")) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"a cell of otter's is no YAML: {error}") from error
    if not isinstance(table, dict):
        raise UsageError(f"a cell of otter's holds no table: {text[:60]!r}")
    return table


def _take_cell(
    cell: EditableCell, master: Master, question: _Question | None, section: str
) -> None:
    """Take a cell that is no mark of otter's."""
    if section == "prompt" or (cell.kind == "code" and _IGNORED.match(cell.source)):
        return
    if section == "tests" and question is not None:
        _take_test(cell, master, question)
        return
    if question is not None and section == "solution":
        question.solutions.append(cell)
        master.cells.append(_solved(cell))
        return
    if question is not None and cell.kind == "markdown":
        question.texts.append(cell.source)
    master.cells.append(replace(cell, outputs=()))


def _solved(cell: EditableCell) -> EditableCell:
    """Return a cell with our marks around its solution: all of it where it has none."""
    if cell.kind != "code":
        return replace(cell, tags=(*cell.tags, "solution"), outputs=())
    source = _PROMPT.sub("", cell.source)
    marked = _LINE.sub(rf"\1{BEGIN}\n\1\2\n\1{END}", source)
    marked = _BLOCK.sub(lambda m: m[1] + (BEGIN if m[2].upper() == "BEGIN" else END), marked)
    if BEGIN not in marked:
        marked = f"{BEGIN}\n{marked}\n{END}"
    return replace(cell, source=marked, outputs=())


def _take_test(cell: EditableCell, master: Master, question: _Question) -> None:
    source = cell.source
    options: Mapping[str, object] = {}
    if config := _TEST_CONFIG.match(source):
        options, source = _read_yaml(config[1]), source[config.end() :]
    elif hidden := _HIDDEN.match(source):
        options, source = {"hidden": True}, source[hidden.end() :]
    try:
        case = _read_case(source, cell)
    except SyntaxError as error:
        master.faults.append(f"{question.name}: a test is no Python ({error.msg})")
        return
    points = options.get("points")
    is_number = isinstance(points, (int, float)) and not isinstance(points, bool)
    question.cases.append(
        replace(
            case,
            hidden=options.get("hidden") is True,
            points=Fraction(str(points)) if is_number else None,
            success_message=str(options.get("success_message") or ""),
            failure_message=str(options.get("failure_message") or ""),
        )
    )


def _read_case(source: str, cell: EditableCell) -> OtterCase:
    """Return the case of a cell: a function, or examples with what the cell showed."""
    tree = ast.parse(source)
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.FunctionDef):
        return read_function_case(tree.body[0], source)
    lines = source.split("\n")
    code = []
    for node in tree.body:
        first, *rest = lines[node.lineno - 1 : node.end_lineno]
        code += [f">>> {first}", *(f"... {line}" for line in rest)]
    return OtterCase(code="\n".join([*code, *_shown(cell)]))


def _shown(cell: EditableCell) -> Iterator[str]:
    """Yield the lines that a cell shows, as its file saved them."""
    for output in cell.outputs:
        data = output.get("data", {}) if isinstance(output, dict) else {}
        text = output.get("text", data.get("text/plain", "")) if isinstance(output, dict) else ""
        whole = "".join(map(str, text)) if isinstance(text, list) else str(text)
        yield from whole.rstrip("\n").split("\n") if whole else ()


def _end_question(question: _Question, master: Master) -> None:
    points = question.config.get("points")
    if isinstance(points, dict):
        points = [points.get("each")] * len(question.cases)
    worth = read_points(points)
    if question.config.get("manual") is True or not question.cases:
        if question.config.get("manual") is True:
            master.manual.append(_manual(question, worth))
        return
    test = OtterTest(
        name=question.name,
        cases=tuple(question.cases),
        points=worth,
        all_or_nothing=question.config.get("all_or_nothing") is True,
    )
    master.tests.append(test)
    name = re.sub(r"[^A-Za-z0-9_-]", "-", question.name)
    check = EditableCell(
        id=f"check-{name}"[:60], kind="code", source=f'grader.check("{question.name}")'
    )
    master.cells.append(check)


def _manual(question: _Question, worth: Fraction | tuple[Fraction, ...] | None) -> ManualQuestion:
    total = worth if isinstance(worth, Fraction) else sum(worth or (), Fraction(0))
    is_code = any(cell.kind == "code" for cell in question.solutions)
    solution = "\n\n".join(cell.source for cell in question.solutions)
    return ManualQuestion(
        name=question.name,
        points=total or Fraction(1),
        is_code=is_code,
        prompt="\n\n".join(question.texts),
        solution=f"```\n{solution}\n```" if is_code and solution else solution,
    )
