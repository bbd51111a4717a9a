"""Finds the code that answers written items which take code, and shows it as Markdown.

The cells are those below an item's prompt, up to the next prompt or, where they hold something of
the student's, up to the handout's next heading. Code that the handout gave unchanged is no answer.
Each cell is shown with what it showed when the file was saved: text, never HTML, and pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model import Cell, Notebook, Picture
from grader.notebook.attachments import picture_address
from grader.notebook.confidence import AnswerConfidence
from grader.notebook.gap_assignment import Unit
from grader.notebook.given_code import GivenCode, is_written_code
from grader.notebook.page_reading import PageReading
from grader.notebook.saved_outputs import shows_figure

MAX_CODE, MAX_OUTPUT = 8_000, 4_000
"""The most characters of a cell's code, and of all its outputs, that are shown."""
NO_QUESTION = AnswerConfidence(value=0.0, reason="its question was not found in the notebook")
_FENCE = re.compile(r"~{3,}")


def units_with_code(
    item: str, *, notebook: Notebook, page: PageReading, given: GivenCode
) -> list[Unit]:
    """Return the pieces of an answer, words and code, in the notebook's order.

    Args:
        item: The item, which takes code.
        notebook: The submission.
        page: Its text, with the prompts, and the words that answer each.
        given: The code of the handout.
    """
    cells = _find_cells(item, notebook=notebook, page=page, given=given)
    code = [code_unit(cell, notebook=notebook) for cell in dict.fromkeys(cells)]
    shown = {unit.cell for unit in code}
    words = [unit for unit in page.units.get(item, ()) if unit.cell not in shown]
    return sorted([*words, *code], key=lambda unit: unit.cell)


def _find_cells(
    item: str, *, notebook: Notebook, page: PageReading, given: GivenCode
) -> Iterator[Cell]:
    """Yield the student's code cells below an item's prompts."""
    given_keys = {*given.get(item, ()), *given.get("", ())}
    headings = [event.cell for event in page.events if event.kind == "heading"]
    ends = [*(prompt.cell for prompt in page.prompts[1:]), len(notebook.cells)]
    for prompt, end in zip(page.prompts, ends, strict=False):
        if prompt.item != item:
            continue
        cells = [
            cell
            for cell in notebook.cells[prompt.cell : end]
            if cell.kind == "code" and is_written_code(cell, given=given_keys)
        ]
        if cells:
            heading = next((index for index in headings if index > cells[0].index), end)
            yield from (cell for cell in cells if cell.index < heading)


def code_unit(cell: Cell, *, notebook: Notebook) -> Unit:
    """Return a code cell and what it showed as a piece of an answer."""
    parts = [_fenced(_cut(cell.source.strip("\n"), MAX_CODE), language="python")]
    shown = "\n".join(text for o in cell.outputs if (text := (o.error or o.text).strip("\n")))
    if shown.strip():
        parts += ["Output:", _fenced(_cut(shown, MAX_OUTPUT))]
    parts += [f"Output: {_mention(picture)}" for picture in cell.images]
    if left_out := max(0, sum(map(shows_figure, cell.outputs)) - len(cell.images)):
        figures = "1 figure" if left_out == 1 else f"{left_out} figures"
        why = (
            "not kept when this notebook was run, before the question took code"
            if notebook.without_figures
            else "of a kind that is not shown here"
        )
        parts.append(f"Output: {figures} {why}.")
    return Unit(cell=cell.index, text="\n\n".join(parts), pictures=cell.images)


def _mention(picture: Picture) -> str:
    return f"![]({picture_address(picture)})"


def _cut(text: str, limit: int) -> str:
    """Return a text without its middle where it is longer than the limit."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - limit:,} characters left out …]\n{text[-half:]}"


def _fenced(text: str, *, language: str = "") -> str:
    """Return a text as a block of code that nothing in it ends."""
    longest = max(map(len, _FENCE.findall(text)), default=2)
    fence = "~" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
