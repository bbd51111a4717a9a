"""Compares the points that the notebook's text states with those of the rubric."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from grader.authoring.editable_notebook import EditableNotebook
from grader.model import Item, Rubric

_POINTS = re.compile(
    r"(?<![\w./+-])(\d+(?:[.,]\d+)?) ?-?(?:points?|pts?|marks?)\b"
    r"|\b(?:points?|pts|marks?)\b *[:=] *(\d+(?:\.\d+)?)\b(?![%/])",
    re.IGNORECASE,
)
_NO_WORTH = re.compile(
    r"\b(?:each|every|per|bonus|extra|lose|loses|minus|deduct\w*|at least|up to|at most)\b",
    re.IGNORECASE,
)
"""Matches what says that points of a line are no item's whole worth."""
_TOTAL = re.compile(r"\b(?:total|altogether|overall|in all)\b", re.IGNORECASE)
_HEADING = re.compile(r"\s*(#{1,6})\s|\s*\*\*")
_NUMBER = re.compile(
    r"[\s#*_>-]*(?:(?:questions?|problem|exercise|task|part|section|q|p|ex)[ .:]*)?"
    r"(\d+(?:\.\d+)*)(?![\d.]*[ -]*(?:points?|pts?|marks?)\b)\W?([a-z]\b)?",
    re.IGNORECASE,
)
"""Matches how a line begins that tells the number of a question."""
_BOLD_LEVEL = 7
Place = tuple[str, ...]
"""The numbers by which a question is known: ("2", "3", "1") of Q2.3.1."""


def compare_stated_points(template: EditableNotebook, *, rubric: Rubric) -> Iterator[str]:
    """Yield each place where the text that students read and the rubric disagree on points.

    A line counts that is about one item, or one group of items, for certain: by its id or number,
    below the numbers of the headings above it, by its title or its question; and the total.
    """
    for cell in template.cells:
        cell_place = f"cell {cell.id}"
        if cell.kind == "code":
            continue
        for line, above in _lines_with_points(template, cell.id):
            stated = _stated_points(line)
            items = _items_of(line, above=above, rubric=rubric)
            worths = {sum((item.points for item in items), Fraction(0))} if items else set()
            if not (items or rubric.part_of or _place_of(line)) and _TOTAL.search(line):
                worths = _totals(rubric)
            if stated is not None and worths and stated not in worths:
                name = ", ".join(item.id for item in items) or "the assignment"
                worth = " or ".join(str(float(worth)).removesuffix(".0") for worth in worths)
                yield f"{cell_place}: {line.strip()[:80]!r}, but the rubric gives {name} {worth}"


def _lines_with_points(
    template: EditableNotebook, cell_id: str
) -> Iterator[tuple[str, Sequence[Place]]]:
    """Yield a cell's lines that state points, each with the numbers of the headings above."""
    trail: list[tuple[int, Place]] = []
    for cell in template.cells:
        for line in cell.source.split("\n") if cell.kind != "code" else ():
            heading = _HEADING.match(line)
            level = len(heading[1] or "") or _BOLD_LEVEL if heading else _BOLD_LEVEL + 1
            trail = [entry for entry in trail if entry[0] < level]
            if cell.id == cell_id and _POINTS.search(line):
                yield line, [numbers for _, numbers in trail]
            if heading:
                trail.append((level, _place_of(line)))


def _stated_points(line: str) -> Fraction | None:
    """Return the points that a line states, if it states them once and without conditions."""
    amounts = [first or second for first, second in _POINTS.findall(line)]
    if len(amounts) != 1 or _NO_WORTH.search(line):
        return None
    return Fraction(amounts[0].replace(",", "."))


def _items_of(line: str, *, above: Sequence[Place], rubric: Rubric) -> Sequence[Item]:
    """Return the item that a line is about, or the group of items; none if that is not sure."""
    numbers = _place_of(line)
    outer = [part for level in above for part in level]
    for start in range(len(outer) + 1):
        number = (*outer[: len(outer) - start], *numbers)
        items = [item for item in rubric.items if numbers and _place_of(item.id) == number]
        if len(items) == 1:
            return items
        if not start and not items:
            items = [
                i for i in rubric.items if numbers and _place_of(i.id)[: len(number)] == number
            ]
            if items:
                return [item for item in items if item.source == "handout"]
    key = _squeeze(line)
    named = [i for i in rubric.items if _is_named(i.id, line) or key.startswith(_squeeze(i.title))]
    return named if len(named) == 1 and not numbers else ()


def _is_named(item_id: str, line: str) -> bool:
    """Return whether a line has an item's id; one of few letters may be a word of the text."""
    return len(item_id) > 1 and bool(
        re.search(rf"(?<![\w.]){re.escape(item_id)}(?![\w]|\.\w)", line)
    )


def _place_of(text: str) -> Place:
    match = _NUMBER.match(text)
    return (*match[1].split("."), *([match[2].lower()] if match[2] else ())) if match else ()


def _squeeze(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _totals(rubric: Rubric) -> set[Fraction]:
    """Return what a total may mean: of all items, or of those that the handout asks for."""
    handout = sum((i.points for i in rubric.items if i.source == "handout"), Fraction(0))
    return {rubric.total, handout}
