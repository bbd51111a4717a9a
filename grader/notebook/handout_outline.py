"""Outlines the handout: the cell and headings where it asks each item, and the code it gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import Cell, Item, Notebook
from grader.notebook.code_matching import HandoutCode, build_handout_code
from grader.notebook.given_code import GivenCode, find_given_code
from grader.notebook.handout import HIDDEN_TAGS, given_source
from grader.notebook.markdown_words import is_heading, is_section_number, line_key, visible_lines
from grader.notebook.prompt_search import find_anchors, stream_words
from grader.notebook.student_code import is_blank

_HEADING_LEVEL = re.compile(r"\s*(?:(#{1,6})\s|<h([1-6])\b)", re.IGNORECASE)
_INNERMOST = 7
"""The level of a heading that is only bold, or only a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlinePart:
    """The location of one item in the handout."""

    cell_ids: frozenset[str] = frozenset()
    """Ids of the cell with its prompt."""
    headings: tuple[str, ...] = ()
    """Keys of the headings above it, the outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A handout's parts by item, and the code it gives."""

    parts: Mapping[str, OutlinePart] = field(default_factory=dict)
    code: HandoutCode = field(default_factory=HandoutCode)
    given: GivenCode = field(default_factory=dict)

    def items_by_headings(self) -> Mapping[tuple[str, ...], str]:
        """Return the items by the two innermost headings above them, where these are unique."""
        items: dict[tuple[str, ...], list[str]] = {}
        for item, part in self.parts.items():
            if part.headings:
                items.setdefault(part.headings[-2:], []).append(item)
        return {headings: same[0] for headings, same in items.items() if len(same) == 1}


class HeadingTrail:
    """The headings above a line, while a page is read downwards."""

    def __init__(self) -> None:
        self._above: list[tuple[int, str]] = []

    def enter(self, line: str) -> tuple[str, ...]:
        """Go below a heading, and return the keys of the headings above, this one last."""
        match = _HEADING_LEVEL.match(line)
        level = (len(match[1] or "") or int(match[2])) if match else _INNERMOST
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        self._above.append((level, line_key(line)))
        return self.path

    @property
    def path(self) -> tuple[str, ...]:
        """The keys of the headings above, the outermost first."""
        return tuple(heading for _, heading in self._above)


def outline_handout(reference: Notebook, *, items: Sequence[Item]) -> Outline:
    """Outline a handout.

    Args:
        reference: The handout, or the reference with its solutions tagged.
        items: All items of the rubric, with their prompts.

    Returns:
        A part for each item whose prompt stands in it; its code belongs to the item asked last
        above it, up to the next heading.
    """
    cells = [
        cell
        for cell in reference.cells
        if ({"grader-only"} if cell.kind == "code" else HIDDEN_TAGS).isdisjoint(cell.tags)
    ]
    lines = [(cell, line) for cell in cells for line in _text_lines_of(cell)]
    starts = _prompt_starts([line for _, line in lines], items=items)
    parts: dict[str, OutlinePart] = {}
    item_by_cell: dict[int, str] = {}
    trail = HeadingTrail()
    current_item: str | None = None
    line_number = 0
    for cell in cells:
        for line in _text_lines_of(cell):
            for item, column in starts.get(line_number, ()):
                current_item = item
                before = line[:column]
                number = (line_key(before),) if is_section_number(before) else ()
                headings = (*trail.path, *number)
                parts.setdefault(item, OutlinePart(cell_ids=frozenset(cell.ids), headings=headings))
            if line_number not in starts and is_heading(line):
                trail.enter(line)
                current_item = None
            line_number += 1
        if current_item is not None:
            item_by_cell[cell.index] = current_item
    code_cells = [cell for cell in cells if cell.kind == "code" and not is_blank(cell)]
    code = build_handout_code([(item_by_cell.get(c.index), given_source(c)) for c in code_cells])
    given = find_given_code(
        [(item_by_cell.get(cell.index, ""), cell) for cell in cells if cell.kind == "code"]
    )
    return Outline(parts=parts, code=code, given=given)


def _text_lines_of(cell: Cell) -> Sequence[str]:
    return visible_lines(given_source(cell)) if cell.kind != "code" else ()


def _prompt_starts(
    lines: Sequence[str], *, items: Sequence[Item]
) -> Mapping[int, list[tuple[str, int]]]:
    """Return the items whose prompts begin on each line, with their columns."""
    stream = stream_words(lines)
    starts: dict[int, list[tuple[str, int]]] = {}
    for anchor in find_anchors(stream, prompts={item.id: item.prompt for item in items}):
        word = stream[anchor.first]
        starts.setdefault(word.line, []).append((anchor.item, word.start))
    return starts
