"""Knows the handout as a page: where it asks each item, under which headings, with what code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import Cell, Item, Notebook
from grader.notebook.code_matching import HandoutCode, build_handout_code
from grader.notebook.handout import HIDDEN_TAGS
from grader.notebook.markdown_words import is_heading, is_section_number, line_key, visible_lines
from grader.notebook.prompt_search import StreamWord, find_anchors, stream_words
from grader.notebook.student_code import is_blank

_HEADING_LEVEL = re.compile(r"\s*(?:(#{1,6})\s|<h([1-6])\b)", re.IGNORECASE)
_INNERMOST = 7
"""The level of a heading that is only bold, or only a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlinePart:
    """How the handout asks one item."""

    item: str
    cell_ids: frozenset[str] = frozenset()
    """Ids of the cell that asks it."""
    headings: tuple[str, ...] = ()
    """The headings above it, the outermost first, as they are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A handout's parts by item, and the code it gives."""

    parts: Mapping[str, OutlinePart] = field(default_factory=dict)
    code: HandoutCode = field(default_factory=HandoutCode)


class HeadingTrail:
    """The headings above a line, while a page is read downwards."""

    def __init__(self) -> None:
        self._above: list[tuple[int, str]] = []

    def enter(self, line: str) -> tuple[str, ...]:
        """Go below a heading; the headings that are then above, this one last."""
        match = _HEADING_LEVEL.match(line)
        level = (len(match[1] or "") or int(match[2])) if match else _INNERMOST
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        self._above.append((level, line_key(line)))
        return self.path

    @property
    def path(self) -> tuple[str, ...]:
        """The headings above, the outermost first."""
        return tuple(heading for _, heading in self._above)


def outline_handout(reference: Notebook, *, items: Sequence[Item]) -> Outline:
    """The outline of a handout.

    Args:
        reference: The handout, or the reference with its solutions tagged.
        items: All items of the rubric, with their prompts.

    Returns:
        A part for each item whose prompt stands in it.
    """
    cells = [cell for cell in reference.cells if _is_visible_cell(cell)]
    texts = [(cell, line) for cell in cells if cell.kind != "code" for line in _lines(cell)]
    stream = stream_words([line for _, line in texts])
    starts = _prompt_starts(stream, prompts={item.id: item.prompt for item in items})
    parts: dict[str, OutlinePart] = {}
    item_by_cell: dict[int, str | None] = {}
    trail = HeadingTrail()
    current_item: str | None = None
    line_number = 0
    for cell in cells:
        for line in _lines(cell) if cell.kind != "code" else ():
            for item, column in starts.get(line_number, ()):
                current_item = item
                parts.setdefault(
                    item, _outline_part(item, cell=cell, before=line[:column], trail=trail)
                )
            if line_number not in starts and is_heading(line):
                trail.enter(line)
                current_item = None
            line_number += 1
        item_by_cell[cell.index] = current_item
    code = [
        (item_by_cell[c.index], c.source) for c in cells if c.kind == "code" and not is_blank(c)
    ]
    return Outline(parts=parts, code=build_handout_code(code))


def _is_visible_cell(cell: Cell) -> bool:
    hidden = {"grader-only"} if cell.kind == "code" else HIDDEN_TAGS
    return not hidden & set(cell.tags)


def _lines(cell: Cell) -> list[str]:
    return visible_lines(cell.source)


def _prompt_starts(
    stream: Sequence[StreamWord], *, prompts: dict[str, str]
) -> Mapping[int, list[tuple[str, int]]]:
    """By line, the items whose prompts begin there, each with its column."""
    starts: dict[int, list[tuple[str, int]]] = {}
    for anchor in find_anchors(stream, prompts=prompts):
        word = stream[anchor.first]
        starts.setdefault(word.line, []).append((anchor.item, word.start))
    return starts


def _outline_part(item: str, *, cell: Cell, before: str, trail: HeadingTrail) -> OutlinePart:
    """A part; what stands before the prompt on its line may be its number."""
    label = (line_key(before),) if is_section_number(before) else ()
    return OutlinePart(item=item, cell_ids=frozenset(cell.ids), headings=(*trail.path, *label))


def unique_headings(parts: Iterable[OutlinePart]) -> Mapping[tuple[str, ...], str]:
    """The items by the two innermost headings above them, where no two items share these."""
    items_by_headings: dict[tuple[str, ...], list[str]] = {}
    for part in parts:
        if part.headings:
            items_by_headings.setdefault(part.headings[-2:], []).append(part.item)
    return {path: items[0] for path, items in items_by_headings.items() if len(items) == 1}
