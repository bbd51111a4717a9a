"""Knows the handout as a page: where it asks each item, under which headings, with what code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import Cell, Item, Notebook
from grader.notebook.code_matching import Given, given
from grader.notebook.handout import HIDDEN_TAGS
from grader.notebook.markdown_words import is_heading, is_section_number, key, shown_lines
from grader.notebook.prompt_search import Place, anchors, places
from grader.notebook.student_code import is_blank

_LEVEL = re.compile(r"\s*(?:(#{1,6})\s|<h([1-6])\b)", re.IGNORECASE)
_INNERMOST = 7
"""The level of a heading that is only bold, or only a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How the handout asks one item."""

    item: str
    marks: frozenset[str] = frozenset()
    """Ids of the cell that asks it."""
    headings: tuple[str, ...] = ()
    """The headings above it, the outermost first, as they are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A handout's parts by item, and the code it gives."""

    parts: Mapping[str, Part] = field(default_factory=dict)
    code: Given = field(default_factory=Given)


class Trail:
    """The headings above a line, while a page is read downwards."""

    def __init__(self) -> None:
        self._above: list[tuple[int, str]] = []

    def enter(self, line: str) -> tuple[str, ...]:
        """Go below a heading; the headings that are then above, this one last."""
        found = _LEVEL.match(line)
        level = (len(found[1] or "") or int(found[2])) if found else _INNERMOST
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        self._above.append((level, key(line)))
        return self.path

    @property
    def path(self) -> tuple[str, ...]:
        """The headings above, the outermost first."""
        return tuple(said for _, said in self._above)


def outline_handout(reference: Notebook, *, items: Sequence[Item]) -> Outline:
    """The outline of a handout.

    Args:
        reference: The handout, or the reference with its solutions tagged.
        items: All items of the rubric, with their prompts.

    Returns:
        A part for each item whose prompt stands in it.
    """
    cells = [cell for cell in reference.cells if _is_handout(cell)]
    texts = [(cell, line) for cell in cells if cell.kind != "code" for line in _lines(cell)]
    stream = places([line for _, line in texts])
    starts = _starts(stream, prompts={item.id: item.prompt for item in items})
    parts: dict[str, Part] = {}
    asked: dict[int, str | None] = {}
    trail = Trail()
    now: str | None = None
    number = 0
    for cell in cells:
        for line in _lines(cell) if cell.kind != "code" else ():
            for item, column in starts.get(number, ()):
                now = item
                parts.setdefault(item, _part(item, cell=cell, before=line[:column], trail=trail))
            if number not in starts and is_heading(line):
                trail.enter(line)
                now = None
            number += 1
        asked[cell.index] = now
    code = [(asked[c.index], c.source) for c in cells if c.kind == "code" and not is_blank(c)]
    return Outline(parts=parts, code=given(code))


def _is_handout(cell: Cell) -> bool:
    hidden = {"grader-only"} if cell.kind == "code" else HIDDEN_TAGS
    return not hidden & set(cell.tags)


def _lines(cell: Cell) -> list[str]:
    return shown_lines(cell.source)


def _starts(
    stream: Sequence[Place], *, prompts: dict[str, str]
) -> Mapping[int, list[tuple[str, int]]]:
    """By line, the items whose prompts begin there, each with its column."""
    starts: dict[int, list[tuple[str, int]]] = {}
    for anchor in anchors(stream, prompts=prompts):
        place = stream[anchor.first]
        starts.setdefault(place.line, []).append((anchor.item, place.start))
    return starts


def _part(item: str, *, cell: Cell, before: str, trail: Trail) -> Part:
    """A part; what stands before the prompt on its line may be its number."""
    label = (key(before),) if is_section_number(before) else ()
    return Part(item=item, marks=frozenset(cell.marks), headings=(*trail.path, *label))


def unique_headings(parts: Iterable[Part]) -> Mapping[tuple[str, ...], str]:
    """The items by the two innermost headings above them, where no two items share these."""
    found: dict[tuple[str, ...], list[str]] = {}
    for part in parts:
        if part.headings:
            found.setdefault(part.headings[-2:], []).append(part.item)
    return {path: items[0] for path, items in found.items() if len(items) == 1}
