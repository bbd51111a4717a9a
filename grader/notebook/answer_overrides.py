"""Puts a person's word in place of what was found: which cells an item is answered in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.model import Cell, Notebook, Picture
from grader.notebook.attachments import PICTURE_REFERENCE
from grader.notebook.confidence import CERTAIN, AnswerConfidence
from grader.notebook.gap_assignment import Prompt, Unit
from grader.notebook.markdown_words import line_key
from grader.notebook.student_text import Event

AnswerOverrides = Mapping[str, tuple[int, ...]]
"""By item, indexes of cells; none at all says that there is no answer."""


def apply_overrides(
    units: Mapping[str, Sequence[Unit]],
    *,
    overrides: AnswerOverrides,
    prompts: Sequence[Prompt],
    cell_units: Mapping[int, Unit],
) -> Mapping[str, Sequence[Unit]]:
    """What each item is given, once a person has told some.

    Args:
        units: What was found.
        overrides: What the person says.
        prompts: Where the questions stand.
        cell_units: By cell, all that a student wrote in it, for the cells told.

    Returns:
        The told items' cells; the others keep what they have, but for cells that were told to be
        another's, unless their own question stands there.
    """
    prompt_cells = {(prompt.item, prompt.cell) for prompt in prompts}
    item_by_cell = {cell: item for item, cells in overrides.items() for cell in cells}
    unchanged = {
        item: [
            unit
            for unit in item_units
            if unit.cell not in item_by_cell or (item, unit.cell) in prompt_cells
        ]
        for item, item_units in units.items()
        if item not in overrides
    }
    overridden = {
        item: [cell_units[cell] for cell in cells if cell in cell_units]
        for item, cells in overrides.items()
    }
    return {**unchanged, **overridden}


def collect_cell_units(
    notebook: Notebook,
    *,
    overrides: AnswerOverrides,
    events: Sequence[Event],
    pictures: Mapping[str, Picture],
) -> Mapping[int, Unit]:
    """All that a student wrote in each cell that was told; code stands as a block of code."""
    override_cells = {cell for cells in overrides.values() for cell in cells}
    lines_by_cell: dict[int, list[str]] = {}
    for event in events:
        if event.kind == "text" and event.cell in override_cells:
            lines_by_cell.setdefault(event.cell, []).append(event.text)
    return {
        cell.index: _unit(cell, lines=lines_by_cell.get(cell.index, []), pictures=pictures)
        for cell in notebook.cells
        if cell.index in override_cells
    }


def rate_override(cells: Sequence[int], *, notebook: Notebook) -> AnswerConfidence:
    """None, unless cells were told that the notebook does not have."""
    missing = [str(cell) for cell in cells if cell >= len(notebook.cells)]
    if not missing:
        return CERTAIN
    reason = f"cell {', '.join(missing)} was told, and the notebook has {len(notebook.cells)} cells"
    return AnswerConfidence(value=0.0, reason=reason)


def _unit(cell: Cell, *, lines: Sequence[str], pictures: Mapping[str, Picture]) -> Unit:
    text = "\n".join(lines).strip("\n") if any(line_key(line) for line in lines) else ""
    if not text and cell.kind == "code" and cell.source.strip():
        text = f"~~~python\n{cell.source.strip()}\n~~~"
    picture_names = dict.fromkeys(PICTURE_REFERENCE.findall(text))
    return Unit(
        cell=cell.index,
        text=text,
        pictures=tuple(pictures[name] for name in picture_names if name in pictures),
    )
