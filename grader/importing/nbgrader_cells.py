"""Reads cells of a notebook made for nbgrader: its metadata of any version, and its marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat

from grader.errors import UsageError
from grader.importing.nbgrader_config import NbgraderConfig
from grader.model import Json

NEWEST_VERSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NbgraderCell:
    """One cell with what nbgrader's metadata say of it."""

    index: int
    kind: str
    source: str
    own_id: str
    """The cell's id in the file's format; '' in older ones."""
    attachments: Mapping[str, Json] = field(default_factory=dict)
    grade_id: str = ""
    is_graded: bool = False
    is_solution: bool = False
    is_locked: bool = False
    is_task: bool = False
    points: Fraction = Fraction(0)
    fault: str = ""
    """What is wrong with its metadata; '' if nothing is."""

    @property
    def is_test(self) -> bool:
        """Whether it is an autograded test: code that is worth points and is nobody's answer."""
        return self.is_graded and not self.is_solution and self.kind == "code"

    @property
    def is_manual(self) -> bool:
        """Whether a person marks it."""
        return (self.is_graded and self.is_solution) or self.is_task

    @property
    def label(self) -> str:
        """What a person finds it by."""
        return self.grade_id or str(self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class NbgraderNotebook:
    """A notebook made for nbgrader."""

    path: Path
    cells: tuple[NbgraderCell, ...]
    kernel: Mapping[str, Json]


def read_nbgrader_notebook(path: Path) -> NbgraderNotebook:
    """Read a notebook; nothing of it is run.

    Raises:
        UsageError: It is no notebook, or one of another language than Python.
    """
    try:
        notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise UsageError(f"{path}: not a notebook ({type(error).__name__})") from error
    metadata = notebook.metadata
    language = str(
        metadata.get("language_info", {}).get("name")
        or metadata.get("kernelspec", {}).get("language")
        or "python"
    )
    if not language.lower().startswith(("python", "ipython")):
        raise UsageError(f"{path}: its language is {language}; only Python is graded here")
    kernel = {
        key: dict(metadata[key]) for key in ("kernelspec", "language_info") if key in metadata
    }
    cells = tuple(_read_cell(cell, index) for index, cell in enumerate(notebook.cells))
    return NbgraderNotebook(path=path, cells=cells, kernel=kernel)


def _read_cell(cell: Any, index: int) -> NbgraderCell:
    meta = cell.metadata.get("nbgrader")
    plain = NbgraderCell(
        index=index,
        kind=str(cell.cell_type),
        source=str(cell.source).replace("\r\n", "\n"),
        own_id=str(cell.get("id") or ""),
        attachments=dict(cell.get("attachments", {})),
    )
    if not isinstance(meta, dict):
        return plain
    flags = {key: meta.get(key) is True for key in ("grade", "solution", "locked", "task")}
    if not any(flags.values()):
        return plain
    points, fault = _read_points(meta) if flags["grade"] or flags["task"] else (Fraction(0), "")
    version = meta.get("schema_version", 0)
    if isinstance(version, int) and version > NEWEST_VERSION:
        fault = f"its metadata are of version {version}; versions 0 to {NEWEST_VERSION} are known"
    grade_id = meta.get("grade_id")
    if not isinstance(grade_id, str) or not grade_id:
        fault = fault or "it has no grade_id"
        grade_id = f"cell-{index}"
    if plain.kind == "markdown" and flags["grade"] and not flags["solution"]:
        fault = fault or "it is Markdown, is worth points, and is nobody's answer"
    return NbgraderCell(
        **{key: getattr(plain, key) for key in ("index", "kind", "source", "own_id")},
        attachments=plain.attachments,
        grade_id=grade_id,
        is_graded=flags["grade"],
        is_solution=flags["solution"],
        is_locked=flags["locked"] or (flags["grade"] and not flags["solution"]),
        is_task=flags["task"],
        points=points,
        fault=fault,
    )


def _read_points(meta: Mapping[str, Any]) -> tuple[Fraction, str]:
    """Return the points of a cell, and what is wrong with them; none and those below 0 are 0."""
    value = meta.get("points", 0)
    if value in ("", None):
        return Fraction(0), ""
    try:
        points = Fraction(str(float(value)))
    except (TypeError, ValueError, OverflowError):
        return Fraction(0), f"its points are {value!r}"
    return max(points, Fraction(0)), ""


# ---------------------------------------------------------------- marks


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedText:
    """A cell's lines, without its marks."""

    lines: tuple[tuple[str, bool], ...]
    """Each line, and whether it stands between the marks."""
    fault: str = ""

    @property
    def has_marks(self) -> bool:
        """Whether anything stood between marks, if only nothing."""
        return any(inside for _, inside in self.lines)

    def text(self, *, inside: bool | None = None) -> str:
        """Return the lines outside of the marks, or inside of them, or all."""
        wanted = (line for line, is_inside in self.lines if inside in (None, is_inside))
        return "\n".join(wanted)


def split_at_marks(source: str, marks: tuple[str, str]) -> MarkedText:
    """Return a cell's lines with those between two marks told apart.

    A mark counts wherever it stands in a line, and the whole line belongs to what it marks. What
    stands before it there is kept, without the comment that the mark is in.
    """
    begin, end = marks
    lines: list[tuple[str, bool]] = []
    is_inside, fault = False, ""
    for line in source.split("\n"):
        if begin in line:
            if is_inside:
                fault = f"{begin} stands in another {begin}"
            is_inside = True
            lines.append((_before_mark(line, begin), True))
        elif end in line:
            if is_inside:
                lines.append((_before_mark(line, end), True))
            is_inside = False
        else:
            lines.append((line, is_inside))
    if is_inside:
        fault = f"{begin} has no {end}"
    return MarkedText(lines=tuple(lines), fault=fault)


def _before_mark(line: str, mark: str) -> str:
    """Return what stands before a mark in its line, or an empty line of the same depth."""
    before = line[: line.index(mark)]
    kept = re.sub(r"(?:#+|<!--|=+|-+|\*+)?[\s#=*-]*$", "", before)
    indent = re.match(r"\s*", line)
    return kept if kept.strip() else (indent[0] if indent else "")


def mark_solution(cell: NbgraderCell, config: NbgraderConfig) -> tuple[str, str]:
    """Return a cell's source with our marks around its solution, and what is wrong with its own.

    A solution cell without marks is a solution as a whole.
    """
    marked = split_at_marks(cell.source, config.solution_marks)
    if not cell.is_solution and not marked.has_marks:
        return cell.source, marked.fault
    fault = marked.fault
    if not cell.is_solution:
        fault = fault or "it has a solution, but is not a solution cell"
    lines = list(marked.lines)
    if not marked.has_marks:
        if not cell.source.strip():
            return cell.source, fault
        lines = [(line, True) for line, _ in lines]
    source = _with_our_marks(lines)
    if cell.kind == "markdown" and not marked.has_marks:
        source = f"{config.text_stub}\n\n{source}"
    return source, fault


def handed_out(cell: NbgraderCell, config: NbgraderConfig) -> str:
    """Return an answer's cell as students get it; '' where nbgrader doesn't compare it with that.

    It compares checksums, which it makes before it cuts hidden tests and mark schemes out.
    """
    begin, end = config.solution_marks
    if any(mark in cell.source for mark in (*config.hidden_marks, *config.scheme_marks)):
        return ""
    stub = (config.code_stub if cell.kind == "code" else config.text_stub).split("\n")
    if begin not in cell.source:
        return "\n".join(stub)
    lines: list[str] = []
    is_inside = False
    for line in cell.source.split("\n"):
        if begin in line:
            is_inside = True
            indent = (re.match(r"\s*", line) or [""])[0]
            lines += [indent + stub_line for stub_line in stub]
        elif end in line:
            is_inside = False
        elif not is_inside:
            lines.append(line)
    return "\n".join(lines)


def _with_our_marks(lines: list[tuple[str, bool]]) -> str:
    """Return lines with our marks around those that stand inside."""
    result: list[str] = []
    was_inside = False
    indent = ""
    for line, is_inside in [*lines, ("", False)]:
        if is_inside and not was_inside:
            indent = (re.match(r"\s*", line) or [""])[0]
            result.append(f"{indent}### BEGIN SOLUTION")
        if was_inside and not is_inside:
            result.append(f"{indent}### END SOLUTION")
        if not is_inside or line.strip():
            result.append(line)
        was_inside = is_inside
    return "\n".join(result[:-1])
