"""Tells which of the handout's cells of code a student's cell was made from, by what they share.

Lines, words and pairs of words are compared, those that few of the handout's cells have counting
most. So a cell is found where it was split, merged with others, moved, copied, or retyped with
other names; the work grows with the length of the code and no faster.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import log

from grader.model import Cell

ALIKE = 0.55
"""How much of the one must be in the other, by weight."""
_LEAST = 6
"""Things that a cell must share with the handout's: two lines are no evidence."""
_MAX_LINES, _MAX_LINE = 400, 200
_KEPT = 512
_WORD = re.compile(r"[^\W\d]\w*|\d[\d.]*")
_APART = ("import ", "from ", "!", "%")
"""How lines begin that stand in any cell."""

Features = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The code that a handout gives, laid out for comparing."""

    cells: tuple[tuple[str | None, Features], ...] = ()
    """The item that each cell belongs to, if any, and what it is made of."""
    weights: Mapping[str, float] = field(default_factory=dict)
    unknown: float = 1.0
    """What a thing weighs that no cell of the handout has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """A cell of code that was made from the code given for an item."""

    cell: int
    item: str
    likeness: float
    """From 0 to 1: how much of the one is in the other."""


def given(cells: Sequence[tuple[str | None, str]]) -> Given:
    """The code of a handout.

    Args:
        cells: For each cell, the item it belongs to, if any, and its source.
    """
    made = tuple((item, features(source)) for item, source in cells)
    made = tuple((item, own) for item, own in made if own)
    common = Counter(one for _, own in made for one in own)
    weights = {one: log((1 + len(made)) / (1 + count)) + 1 for one, count in common.items()}
    return Given(cells=made, weights=weights, unknown=log(1 + len(made)) + 1)


def alike(cells: Iterable[Cell], *, code: Given) -> tuple[Like, ...]:
    """The cells that were made from code given for an item.

    Args:
        cells: Cells of code.
        code: What the handout gives.

    Returns:
        Each pair of a cell and an item, in the order of the cells; a cell that holds the code of
        several items is there once for each.
    """
    return tuple(
        Like(cell=cell.index, item=item, likeness=round(share, 3))
        for cell in cells
        for item, share in sorted(_items_of(features(cell.source), code=code).items())
    )


def _items_of(own: Features, *, code: Given) -> Mapping[str, float]:
    """The items whose code a cell holds, or is a piece of."""
    total = sum(code.weights.get(one, code.unknown) for one in own)
    found: dict[str, float] = {}
    piece: tuple[float, str | None] = (0.0, None)
    for item, other in code.cells:
        shared = own & other
        if len(shared) < _LEAST:
            continue
        weight = sum(code.weights[one] for one in shared)
        held = weight / sum(code.weights[one] for one in other)
        piece = max(piece, (weight / total, item), key=lambda one: one[0])
        if item is not None and held >= ALIKE:
            found[item] = max(found.get(item, 0.0), held)
    share, item = piece
    if item is not None and share >= ALIKE:
        found[item] = max(found.get(item, 0.0), share)
    return found


def _features(source: str) -> Features:
    made: set[str] = set()
    for line in source.splitlines()[:_MAX_LINES]:
        said = line[:_MAX_LINE].partition("#")[0].strip()
        if not said or said.startswith(_APART):
            continue
        words = _WORD.findall(said)
        made.update(words)
        made.update(f"{one} {other}" for one, other in pairwise(words))
        made.add(f"= {said}")
    return frozenset(made)


features = lru_cache(maxsize=_KEPT)(_features)
"""What a source is made of; most cells of a class are the handout's, word for word."""
