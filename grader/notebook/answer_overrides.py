"""Puts a person's word in place of what was found: which cells an item is answered in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.model import Cell, Notebook, Picture
from grader.notebook.attachments import REFERENCE
from grader.notebook.confidence import SURE, Doubt
from grader.notebook.gap_assignment import Prompt, Unit
from grader.notebook.markdown_words import key
from grader.notebook.student_text import Event

Told = Mapping[str, tuple[int, ...]]
"""By item, indexes of cells; none at all says that there is no answer."""


def with_told(
    units: Mapping[str, Sequence[Unit]],
    *,
    told: Told,
    prompts: Sequence[Prompt],
    pieces: Mapping[int, Unit],
) -> Mapping[str, Sequence[Unit]]:
    """What each item is given, once a person has told some.

    Args:
        units: What was found.
        told: What the person says.
        prompts: Where the questions stand.
        pieces: By cell, all that a student wrote in it, for the cells told.

    Returns:
        The told items' cells; the others keep what they have, but for cells that were told to be
        another's, unless their own question stands there.
    """
    asked = {(prompt.item, prompt.cell) for prompt in prompts}
    claimed = {cell: item for item, cells in told.items() for cell in cells}
    kept = {
        item: [u for u in found if u.cell not in claimed or (item, u.cell) in asked]
        for item, found in units.items()
        if item not in told
    }
    given = {
        item: [pieces[cell] for cell in cells if cell in pieces] for item, cells in told.items()
    }
    return {**kept, **given}


def pieces_of(
    notebook: Notebook, *, told: Told, events: Sequence[Event], pictures: Mapping[str, Picture]
) -> Mapping[int, Unit]:
    """All that a student wrote in each cell that was told; code stands as a block of code."""
    wanted = {cell for cells in told.values() for cell in cells}
    said: dict[int, list[str]] = {}
    for event in events:
        if event.kind == "text" and event.cell in wanted:
            said.setdefault(event.cell, []).append(event.text)
    return {
        cell.index: _unit(cell, lines=said.get(cell.index, []), pictures=pictures)
        for cell in notebook.cells
        if cell.index in wanted
    }


def doubt_about(cells: Sequence[int], *, notebook: Notebook) -> Doubt:
    """None, unless cells were told that the notebook does not have."""
    gone = [str(cell) for cell in cells if cell >= len(notebook.cells)]
    if not gone:
        return SURE
    why = f"cell {', '.join(gone)} was told, and the notebook has {len(notebook.cells)} cells"
    return Doubt(confidence=0.0, why=why)


def _unit(cell: Cell, *, lines: Sequence[str], pictures: Mapping[str, Picture]) -> Unit:
    text = "\n".join(lines).strip("\n") if any(key(line) for line in lines) else ""
    if not text and cell.kind == "code" and cell.source.strip():
        text = f"~~~python\n{cell.source.strip()}\n~~~"
    shown = dict.fromkeys(REFERENCE.findall(text))
    return Unit(
        cell=cell.index,
        text=text,
        pictures=tuple(pictures[name] for name in shown if name in pictures),
    )
