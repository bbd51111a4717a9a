"""Finds the recorded output of a module that a vector equals, by its direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.recording import Forward
from grader.checks.values import EQUAL_TOLERANCE, as_float64

if TYPE_CHECKING:
    from grader.model import Array, Numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabeledVector:
    """A module's output vector for a labeled input."""

    label: str
    vector: Numbers
    forward: Forward
    gradient: Numbers | None = None
    """The gradient of the loss at it, where it was kept."""


class VectorIndex:
    """Labeled vectors, stacked so that a vector is compared with all of them at once."""

    def __init__(self, rows: Sequence[LabeledVector]) -> None:
        self._by_size: dict[int, tuple[list[LabeledVector], Numbers]] = {}
        sizes = dict.fromkeys(row.vector.size for row in rows)
        for size in sizes:
            same_size = [row for row in rows if row.vector.size == size]
            lengths = np.array([np.linalg.norm(row.vector) for row in same_size])
            nonzero = [row for row, length in zip(same_size, lengths, strict=True) if length > 0]
            if nonzero:
                stack = np.stack([row.vector for row in nonzero])
                self._by_size[size] = nonzero, stack / lengths[lengths > 0][:, np.newaxis]

    @property
    def sizes(self) -> frozenset[int]:
        """The lengths of the vectors in it."""
        return frozenset(self._by_size)

    def nearest(
        self, vector: Array, *, used: frozenset[str] = frozenset(), before: float = np.inf
    ) -> LabeledVector | None:
        """Return the row that equals a vector up to rounding and a positive factor, or None.

        Args:
            vector: A vector of any length.
            used: Labels to avoid where several rows are equal.
            before: The event before which the row was made.
        """
        near = self._find_near(vector, before=before)
        if not near:
            return None
        closest = min(distance for distance, _ in near)
        ties = [row for distance, row in near if distance <= closest + EQUAL_TOLERANCE / 100]
        return next((row for row in ties if row.label not in used), ties[0])

    def latest(self, vector: Array, *, before: float) -> LabeledVector | None:
        """Return the last row made before an event that equals a vector, or None."""
        rows = [row for _, row in self._find_near(vector, before=before)]
        return max(rows, key=lambda row: row.forward.event_index, default=None)

    def _find_near(self, vector: Array, *, before: float) -> list[tuple[float, LabeledVector]]:
        """Return the rows that equal a vector up to a factor, with their distances from it."""
        value = as_float64(vector).ravel()
        length = float(np.linalg.norm(value))
        rows, units = self._by_size.get(value.size, ((), None))
        if units is None or not length > 0:
            return []
        distances = np.abs(value / length - units).max(axis=1)
        return [
            (float(distances[i]), rows[i])
            for i in np.flatnonzero(distances <= 10 * EQUAL_TOLERANCE + _rounding(value) / length)
            if rows[i].forward.event_index < before
        ]


def _rounding(values: Numbers) -> float:
    """Return by how much values may have been rounded that fit into 16 bits; 0 for others."""
    peak = float(np.abs(values).max())
    single = values.astype(np.float32)
    if np.array_equal(single, values) and not (single.view(np.uint32) & 0xFFFF).any():
        return peak * 2**-8  # bfloat16
    is_half = np.array_equal(values.astype(np.float16), values)
    return peak * float(np.finfo(np.float16).eps) if is_half else 0.0
