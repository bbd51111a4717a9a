"""Makes items, tests and a solved notebook of the cells of nbgrader's notebooks."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader.authoring.editable_notebook import EditableCell, EditableNotebook
from grader.authoring.mutation_operators import imported_modules, make_edits
from grader.importing import cell_code
from grader.importing.imported_assignment import ImportedItem, ImportedNotebook, ImportedTest
from grader.importing.nbgrader_cells import (
    NbgraderCell,
    NbgraderNotebook,
    handed_out,
    mark_solution,
    split_at_marks,
)
from grader.importing.nbgrader_config import NbgraderConfig
from grader.importing.test_writing import (
    AUTOTEST,
    NotebookNames,
    TestHead,
    TestWriter,
    function_name,
)
from grader.model import Unsettled

MAX_TITLE = 60
_HEADING = re.compile(r"^#+\s+(.+)$", re.MULTILINE)
_MARK = re.compile(r"(?:BEGIN|END)\b|(?:HASHED )?AUTOTEST\b")
"""How a comment begins that is for nbgrader, and no title."""
_ITEM_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
NOT_UNDERSTOOD = "a person must mark it until its test is written by hand"


@dataclass(slots=True)
class AssignmentReader:
    """Reads one notebook of an assignment after another."""

    config: NbgraderConfig
    head: TestHead
    several: bool
    """Whether the assignment has several notebooks."""
    items: list[ImportedItem] = field(default_factory=list)
    notebooks: list[ImportedNotebook] = field(default_factory=list)
    unsettled: list[Unsettled] = field(default_factory=list)
    has_autotests: bool = False
    _test_names: set[str] = field(default_factory=set)

    def read(self, notebook: NbgraderNotebook, *, header: NbgraderNotebook | None) -> None:
        """Take the items and the solved notebook of a notebook."""
        cells = _without_repeated(notebook.cells)
        solved = [
            _check_line(cell) if cell.is_test else self._solve(cell, notebook) for cell in cells
        ]
        sources = [
            cell.source
            for cell in solved
            if cell.kind == "code" and cell_code.parse_cell(cell.source)
        ]
        writer = TestWriter(names=NotebookNames.from_sources(sources), head=self.head)
        part = re.sub(r"[^A-Za-z0-9._-]+", "-", notebook.path.stem).strip("-._") or "notebook"
        prompt = ""
        for cell in cells:
            if cell.fault:
                self._tell(notebook, cell, cell.fault)
            if cell.is_test:
                self.items.append(self._test_item(cell, notebook, writer=writer, part=part))
            elif cell.is_manual:
                self.items.append(self._manual_item(cell, notebook, prompt=prompt, part=part))
            prompt = self._next_prompt(cell, prompt)
        before = _header_cells(header)
        ids = _CellIds()
        editable = tuple(ids.with_own_id(cell) for cell in (*before, *solved))
        tree = EditableNotebook(cells=editable, kernel=dict(notebook.kernel))
        code = [cell for cell in editable if cell.kind == "code"]
        modules = frozenset(name for cell in code for name in imported_modules(cell.source))
        given = tuple(cell.id for cell in code if _is_given(cell, modules))
        self.notebooks.append(ImportedNotebook(id=part, notebook=tree, given=given))

    def _tell(self, notebook: NbgraderNotebook, cell: NbgraderCell, text: str) -> None:
        self.unsettled.append(Unsettled(file=notebook.path.name, cell=cell.label, text=text))

    def _item_id(self, cell: NbgraderCell, notebook: NbgraderNotebook, part: str) -> str:
        """Return the cell's own id, with the notebook's where another notebook has it, too."""
        name = cell.grade_id
        if _ITEM_ID.fullmatch(name) is None:
            name = re.sub(r"[^A-Za-z0-9._-]", "-", f"x{name}")[:64]
            self._tell(notebook, cell, f"its grade_id can't be an id here: it is {name}")
        taken = {item.id for item in self.items}
        return f"{part}.{name}" if name in taken else name

    # ------------------------------------------------------------ the solved notebook

    def _solve(self, cell: NbgraderCell, notebook: NbgraderNotebook) -> EditableCell:
        """Return a cell with our marks around what is a solution."""
        without_scheme = split_at_marks(cell.source, self.config.scheme_marks)
        text = without_scheme.text(inside=False) if without_scheme.has_marks else cell.source
        source, fault = mark_solution(replace(cell, source=text), self.config)
        if fault or without_scheme.fault:
            self._tell(notebook, cell, fault or without_scheme.fault)
        hidden = split_at_marks(source, self.config.hidden_marks)
        if hidden.has_marks:
            self._tell(notebook, cell, "it has hidden tests, but is not a cell of tests")
            source = hidden.text(inside=False)
        if cell.kind == "code" and not cell.is_solution and self._autotest_lines(source):
            self._tell(notebook, cell, "it has AUTOTEST lines, but is not a cell of tests")
        return EditableCell(
            id=cell.grade_id or cell.own_id,
            kind=cell.kind,
            source=source,
            attachments=cell.attachments,
            nbgrader={"grade_id": cell.grade_id, "locked": cell.is_locked} if cell.grade_id else {},
        )

    @staticmethod
    def _next_prompt(cell: NbgraderCell, prompt: str) -> str:
        """Return the question that the cells after this one answer."""
        is_text = cell.kind == "markdown" and not cell.is_manual
        return cell.source if is_text and cell.source.strip() else prompt

    # ------------------------------------------------------------ items

    def _manual_item(
        self, cell: NbgraderCell, notebook: NbgraderNotebook, *, prompt: str, part: str
    ) -> ImportedItem:
        marked = split_at_marks(cell.source, self.config.scheme_marks)
        scheme = marked.text(inside=True).strip()
        text = marked.text(inside=False).strip() if marked.has_marks else cell.source.strip()
        solution = "" if cell.is_task else _fence(cell, text)
        return ImportedItem(
            id=self._item_id(cell, notebook, part),
            title=_title(text if cell.is_task else prompt, cell.grade_id),
            points=cell.points,
            kind="written",
            notebook=part,
            notebook_there=notebook.path.stem,
            cell_there=cell.grade_id,
            answer="any" if cell.is_task else "code" if cell.kind == "code" else "text",
            prompt=text if cell.is_task else prompt,
            untouched="" if cell.is_task else handed_out(cell, self.config),
            good_answer="\n\n".join(filter(None, [scheme, solution])),
        )

    def _test_item(
        self,
        cell: NbgraderCell,
        notebook: NbgraderNotebook,
        *,
        writer: TestWriter,
        part: str,
    ) -> ImportedItem:
        item = ImportedItem(
            id=self._item_id(cell, notebook, part),
            title=_title(cell.source, cell.grade_id),
            points=cell.points,
            kind="auto",
            notebook=part,
            notebook_there=notebook.path.stem,
            cell_there=cell.grade_id,
        )
        try:
            tests = tuple(self._tests(cell, writer, name=item.id))
        except (SyntaxError, ValueError) as error:
            why = error.msg if isinstance(error, SyntaxError) else str(error)
            self._tell(notebook, cell, f"its test is not plain Python ({why}): {NOT_UNDERSTOOD}")
            return replace(item, kind="written", answer="code")
        return replace(item, tests=tuple(replace(test, at=cell.grade_id) for test in tests))

    def _tests(
        self, cell: NbgraderCell, writer: TestWriter, *, name: str
    ) -> Iterator[ImportedTest]:
        """Yield the tests of a cell: all of it, and what of it students may run themselves.

        Raises:
            SyntaxError: It is no Python.
            ValueError: It has lines that only IPython understands.
        """
        marked = split_at_marks(cell.source, self.config.hidden_marks)
        if marked.fault:
            raise ValueError(marked.fault)
        source = self._with_autotests(marked.text())
        if magic := cell_code.find_magic(source):
            raise ValueError(f"{magic[:60]} is a line of IPython's own")
        says = _first_comment(source)
        asked = self._only_autotests(source)
        if asked is not None and writer.asks_notebook_alone(asked):
            writer.remember(source)
            yield ImportedTest(code=asked, form="value", points=cell.points, says="", digits=2)
            return
        is_public = not marked.has_marks and AUTOTEST not in _names(source)
        function = function_name(name, self._test_names)
        self._test_names.add(function)
        code = writer.write(function, source, points=cell.points)
        visible = self._with_autotests(marked.text(inside=False))
        if marked.has_marks and AUTOTEST not in _names(visible) and _asserts(visible):
            shown = function_name(f"{name}_visible", self._test_names)
            self._test_names.add(shown)
            yield ImportedTest(
                name=shown,
                code=writer.write(shown, visible),
                points=Fraction(0),
                public=True,
                says=says,
            )
        writer.remember(source)
        yield ImportedTest(
            name=function, code=code, points=cell.points, public=is_public, says=says
        )

    # ------------------------------------------------------------ AUTOTEST

    def _autotest_lines(self, source: str) -> list[str]:
        mark = self.config.autotest_mark
        lines = source.split("\n")
        return [line for line in lines if mark in line and line.strip().startswith("#")]

    def _with_autotests(self, source: str) -> str:
        """Return code with calls of `autotest` in place of the lines that stand for them."""
        mark = self.config.autotest_mark
        lines = []
        for line in source.split("\n"):
            if mark not in line or not line.strip().startswith("#"):
                lines.append(line)
                continue
            self.has_autotests = True
            indent = (re.match(r"\s*", line) or [""])[0]
            snippets = line.partition(mark)[2].strip().strip(";").split(";")
            calls = [f"{AUTOTEST}({snippet.strip()})" for snippet in snippets if snippet.strip()]
            lines += [indent + call for call in calls] or [line]
        return "\n".join(lines)

    def _only_autotests(self, source: str) -> str | None:
        """Return the expression that a cell of nothing but AUTOTEST asks for, or None."""
        expressions = []
        for node in ast.parse(cell_code.without_magics(source)).body:
            match node:
                case ast.Expr(value=ast.Constant(value=str())):
                    continue
                case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[value])) if (
                    name == AUTOTEST
                ):
                    expressions.append(ast.get_source_segment(source, value) or ast.unparse(value))
                case _:
                    return None
        unique = list(dict.fromkeys(expressions))
        if not unique:
            return None
        return unique[0] if len(unique) == 1 else f"({', '.join(unique)})"


def _without_repeated(cells: tuple[NbgraderCell, ...]) -> list[NbgraderCell]:
    """Return the cells, of several with one id only the last as nbgrader's: it does so, too."""
    last = {cell.grade_id: cell.index for cell in cells if cell.grade_id}
    return [
        cell
        if not cell.grade_id or last[cell.grade_id] == cell.index
        else replace(
            cell,
            grade_id="",
            is_graded=False,
            is_solution=False,
            is_locked=False,
            is_task=False,
            fault=f"its grade_id {cell.grade_id} stands again below: no question was made of it",
        )
        for cell in cells
    ]


class _CellIds:
    """Gives each cell an id that no other has."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def with_own_id(self, cell: EditableCell) -> EditableCell:
        """Return the cell under its id, or under the next that is free."""
        wanted = re.sub(r"[^A-Za-z0-9_-]", "-", cell.id)[:60] or f"c{len(self.taken) + 1}"
        name, number = wanted, 2
        while name in self.taken:
            name = f"{wanted}-{number}"
            number += 1
        self.taken.add(name)
        return replace(cell, id=name)


def _check_line(cell: NbgraderCell) -> EditableCell:
    """Return what stands in place of a test cell: who runs it, runs the public test."""
    return EditableCell(
        id=cell.grade_id,
        kind="code",
        source=f"import grader\n\ngrader.check({json.dumps(cell.grade_id)})",
        nbgrader={"grade_id": cell.grade_id, "locked": True},
    )


def _header_cells(header: NbgraderNotebook | None) -> list[EditableCell]:
    return [
        EditableCell(id=cell.own_id, kind=cell.kind, source=cell.source)
        for cell in (header.cells if header else ())
    ]


def _is_given(cell: EditableCell, modules: frozenset[str]) -> bool:
    """Return whether a cell is code that may be changed for a mutant, and that nobody writes."""
    is_solved = "### BEGIN SOLUTION" in cell.source
    return not is_solved and bool(make_edits(cell.source, modules=modules))


def _names(source: str) -> Mapping[str, None]:
    nodes = ast.walk(ast.parse(cell_code.without_magics(source)))
    return {node.id: None for node in nodes if isinstance(node, ast.Name)}


def _asserts(source: str) -> bool:
    """Return whether code does more than say what it is about."""
    body = ast.parse(cell_code.without_magics(source)).body
    return any(not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)) for n in body)


def _first_comment(source: str) -> str:
    """Return the comment that a test without a docstring begins with, or ''."""
    tree = ast.parse(cell_code.without_magics(source))
    if ast.get_docstring(tree):
        return ""
    first = next((line.strip() for line in source.split("\n") if line.strip()), "")
    return first.lstrip("# ").strip()[:200] if first.startswith("#") else ""


def _title(text: str, fallback: str) -> str:
    """Return a few words for tables: a heading, else the id."""
    headings = (" ".join(comment.split()).strip("#* ") for comment in _HEADING.findall(text))
    title = next((heading for heading in headings if heading and not _MARK.match(heading)), "")
    is_plain = not text.lstrip().startswith(("#!", "# "))
    return title[:MAX_TITLE] if title and is_plain else fallback


def _fence(cell: NbgraderCell, text: str) -> str:
    return f"```python\n{text}\n```" if cell.kind == "code" and text else text
