"""Finds which of the handout's code cells a student's cell was made from.

Lines, words and pairs of words are compared, those that few of the handout's cells have counting
most. So a cell is found where it was split, merged with others, moved, copied, or retyped with
other names, in time that is linear in the length of the code.
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

MIN_SIMILARITY = 0.55
"""The least share of one cell, by weight, that must be in the other."""
_MIN_SHARED = 6
"""The least number of features that cells must share: two lines are no evidence."""
_MAX_LINES, _MAX_LINE = 400, 200
_CACHE_SIZE = 512
_WORD = re.compile(r"[^\W\d]\w*|\d[\d.]*")
_COMMON_PREFIXES = ("import ", "from ", "!", "%")
"""Beginnings of lines that stand in any cell."""

Features = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoutCode:
    """The code that a handout gives, as features with weights."""

    cells: tuple[tuple[str | None, Features], ...] = ()
    """For each cell, the item it belongs to, if any, and its features."""
    weights: Mapping[str, float] = field(default_factory=dict)
    unknown_weight: float = 1.0
    """The weight of a feature that no cell of the handout has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMatch:
    """A code cell that was made from the code given for an item."""

    cell: int
    item: str
    similarity: float
    """The share of one that is in the other, from 0 to 1."""


def build_handout_code(cells: Sequence[tuple[str | None, str]]) -> HandoutCode:
    """Build a HandoutCode from each cell's item, if it has one, and source."""
    cell_features = tuple((item, features(source)) for item, source in cells)
    cell_features = tuple((item, feature_set) for item, feature_set in cell_features if feature_set)
    common = Counter(feature for _, feature_set in cell_features for feature in feature_set)
    weights = {
        feature: log((1 + len(cell_features)) / (1 + count)) + 1
        for feature, count in common.items()
    }
    return HandoutCode(
        cells=cell_features, weights=weights, unknown_weight=log(1 + len(cell_features)) + 1
    )


def match_code(cells: Iterable[Cell], *, code: HandoutCode) -> tuple[CodeMatch, ...]:
    """Return a match for each code cell and item whose given code it holds, in the cells' order."""
    return tuple(
        CodeMatch(cell=cell.index, item=item, similarity=round(share, 3))
        for cell in cells
        for item, share in sorted(_matching_items(features(cell.source), code=code).items())
    )


def _matching_items(feature_set: Features, *, code: HandoutCode) -> Mapping[str, float]:
    """Return the items whose code a cell holds, or is a piece of, with their similarity."""
    total = sum(code.weights.get(feature, code.unknown_weight) for feature in feature_set)
    best_shares: dict[str, float] = {}
    best_piece: tuple[float, str | None] = (0.0, None)
    for item, handout_features in code.cells:
        shared = feature_set & handout_features
        if len(shared) < _MIN_SHARED:
            continue
        weight = sum(code.weights[feature] for feature in shared)
        held_share = weight / sum(code.weights[feature] for feature in handout_features)
        best_piece = max(best_piece, (weight / total, item), key=lambda piece: piece[0])
        if item is not None and held_share >= MIN_SIMILARITY:
            best_shares[item] = max(best_shares.get(item, 0.0), held_share)
    share, item = best_piece
    if item is not None and share >= MIN_SIMILARITY:
        best_shares[item] = max(best_shares.get(item, 0.0), share)
    return best_shares


def _features(source: str) -> Features:
    parts: set[str] = set()
    for line in source.splitlines()[:_MAX_LINES]:
        code = line[:_MAX_LINE].partition("#")[0].strip()
        if not code or code.startswith(_COMMON_PREFIXES):
            continue
        words = _WORD.findall(code)
        parts.update(words)
        parts.update(f"{word} {next_word}" for word, next_word in pairwise(words))
        parts.add(f"= {code}")
    return frozenset(parts)


features = lru_cache(maxsize=_CACHE_SIZE)(_features)
"""Return the lines, words and word pairs of a source; cached, as most cells are the handout's."""
