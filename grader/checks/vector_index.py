"""Which vector is which: those a module made, to be found again by their direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.recording import Forward, numbers
from grader.checks.values import SAME

if TYPE_CHECKING:
    from grader.model import Array, Numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One labelled input and the vector a module made of it."""

    label: str
    vector: Numbers
    forward: Forward


class Gallery:
    """Rows, laid out so that a vector is compared with all of them at once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._by_size: dict[int, tuple[list[Row], Numbers]] = {}
        sizes = dict.fromkeys(row.vector.size for row in rows)
        for size in sizes:
            alike = [row for row in rows if row.vector.size == size]
            lengths = np.array([np.linalg.norm(row.vector) for row in alike])
            kept = [row for row, length in zip(alike, lengths, strict=True) if length > 0]
            if kept:
                stack = np.stack([row.vector for row in kept])
                self._by_size[size] = kept, stack / lengths[lengths > 0][:, np.newaxis]

    def nearest(
        self, vector: Array, *, used: frozenset[str] = frozenset(), before: float = np.inf
    ) -> Row | None:
        """The row that a vector is, up to rounding and a positive factor; None if it is none.

        Args:
            vector: the vector; of another length than every row, it is none of them.
            used: labels to avoid where several rows are equal.
            before: only rows of forwards that came before this event are looked at.
        """
        value = numbers(vector).ravel()
        length = float(np.linalg.norm(value))
        rows, units = self._by_size.get(value.size, ((), None))
        if units is None or not length > 0:
            return None
        distances = np.abs(value / length - units).max(axis=1)
        near = [i for i in np.flatnonzero(distances <= 10 * SAME) if rows[i].forward.n < before]
        if not near:
            return None
        closest = min(distances[i] for i in near)
        alike = [rows[i] for i in near if distances[i] <= closest + SAME / 100]
        return next((row for row in alike if row.label not in used), alike[0])


def nearest(
    vector: Array, rows: Sequence[Row], *, used: frozenset[str] = frozenset()
) -> Row | None:
    """The row that a vector is, up to rounding and a positive factor; None if it is none.

    Of rows that are equal, one whose label is not among `used`.
    """
    return Gallery(rows).nearest(vector, used=used)
