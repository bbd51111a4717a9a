"""How a notebook is put together from the handout: blanks filled, answers placed, cells changed."""
# ruff: noqa: INP001 -- this folder is scripts, no package
# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nbformat
from handout import BLANK, BLANKS, HANDOUT, HandoutCell
from story import Place, Story

from reference import ANSWERS, SOLVED, TEAM

COUNTER_FUNCTIONS = Path(__file__).with_name("counter_functions.py")
LAST_CELL_BEGINS = "# The cell begins below this line.\n"
SOLVED_TEXTS = {"names": TEAM, **ANSWERS}
"""What the reference writes below a cell of the handout, by that cell's id."""
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def template() -> nbformat.NotebookNode:
    """The handout as students receive it: nothing filled, nothing run."""
    return notebook([cell_of(cell) for cell in HANDOUT])


def reference() -> nbformat.NotebookNode:
    """The reference solution: marked solutions, tagged answers, and the grader's own last cell."""
    cells = []
    for given in HANDOUT:
        cells.append(cell_of(given, source=filled(given, _marked_solutions())))
        if given.id in SOLVED_TEXTS:
            answer = new_cell("markdown", SOLVED_TEXTS[given.id], cell_id=f"{given.id}-answer")
            answer.metadata["tags"] = ["solution"]
            cells.append(answer)
    source = COUNTER_FUNCTIONS.read_text(encoding="utf-8").split(LAST_CELL_BEGINS)[1]
    last = new_cell("code", source.strip(), cell_id="counter-functions")
    last.metadata["tags"] = ["grader-only"]
    return notebook([*cells, last])


def submission(story: Story) -> nbformat.NotebookNode:
    """The notebook a student hands in, before it has run."""
    cells: list[nbformat.NotebookNode] = []
    for given in HANDOUT:
        cells += _student_cells(given, story=story)
        cells += [
            new_cell(kind, source, cell_id=f"{given.id}-own-{number}")
            for number, (kind, source) in enumerate(story.extra.get(given.id, ()), start=1)
        ]
    return notebook(cells)


def filled(given: HandoutCell, blanks: Mapping[str, str]) -> str:
    """The cell's source with each blank's line replaced, indented as it was."""
    names = iter(blank_names(given.id))
    lines = []
    for line in given.source.split("\n"):
        name = next(names) if BLANK in line else ""
        if name not in blanks:
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        lines += [indent + new if new else new for new in blanks[name].split("\n")]
    return "\n".join(lines)


def blank_names(cell_id: str) -> tuple[str, ...]:
    """The blanks that stand in this cell, in order."""
    before = 0
    for cell in HANDOUT:
        inside = cell.source.count(BLANK)
        if cell.id == cell_id:
            return BLANKS[before : before + inside]
        before += inside
    raise KeyError(cell_id)


def cell_of(given: HandoutCell, *, source: str | None = None) -> nbformat.NotebookNode:
    """The handout's cell as a notebook's, with the source given or its own."""
    return new_cell(given.kind, given.source if source is None else source, cell_id=given.id)


def new_cell(kind: str, source: str, *, cell_id: str) -> nbformat.NotebookNode:
    """A cell with an id that is the same in every build."""
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, id=cell_id)


def notebook(cells: list[nbformat.NotebookNode]) -> nbformat.NotebookNode:
    """A notebook of these cells, for the python3 kernel."""
    book = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
    book.nbformat_minor = 5
    return book


def _marked_solutions() -> dict[str, str]:
    """The lines that fill the blanks, each with the handout's own comment, between marks."""
    comments = (
        line.partition(BLANK)[2] for c in HANDOUT for line in c.source.split("\n") if BLANK in line
    )
    code = (SOLVED[name].partition("  #")[0] for name in BLANKS)
    return {
        name: f"### BEGIN SOLUTION\n{line}{comment}\n### END SOLUTION"
        for name, line, comment in zip(BLANKS, code, comments, strict=True)
    }


def _student_cells(given: HandoutCell, *, story: Story) -> list[nbformat.NotebookNode]:
    """The handout's cell as this student left it, with the answer to it if there is one."""
    source = story.cells.get(given.id)
    if source is None:
        source = filled(given, story.blanks)
    if given.id == "names" and story.team:
        source = f"{source}\n\n{story.team}"
    answer = story.answers.get(given.id, "")
    if answer and story.place is Place.INSIDE:
        source = f"{source}\n\n{answer}"
    cells = [cell_of(given, source=source)] if source else []
    if answer and story.place is not Place.INSIDE:
        own = new_cell("markdown", answer, cell_id=f"{given.id}-answer")
        own.attachments = dict(story.attachments.get(given.id, {}))
        cells.insert(0 if story.place is Place.ABOVE else 1, own)
    return cells
