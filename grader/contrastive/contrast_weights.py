"""Tells from the gradients of a loss which vectors it pulled together and which apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grader.contrastive.loss_calls import Pair
from grader.contrastive.vector_index import LabeledVector

NOISE_SHARE = 1e-3
"""A weight of a gradient below this share of the largest one is rounding."""
LARGEST_REST = 0.2
"""The largest share of a gradient that may not be made of the vectors, for pairs to be read."""


def contrast_weights(
    followed: Sequence[LabeledVector], rows: Sequence[LabeledVector], *, ascends: bool
) -> Mapping[Pair, float]:
    """Return the weight of each contrasted pair; below 0 for pairs that are pulled together.

    Empty where the gradients are not made of the vectors: they tell of no pair.
    """
    vectors = [row.vector for row in rows]
    gradients = [row.gradient for row in followed if row.gradient is not None]
    sign = -1 if ascends else 1
    if len({array.shape for array in (*vectors, *gradients)}) != 1:
        return {}
    basis, gradient = np.stack(vectors), sign * np.stack(gradients)
    if basis.shape[1] <= 2 * len({row.label for row in rows}):
        return {}  # of so short ones, logits say, any gradient is made
    weights, *_ = np.linalg.lstsq(basis.T, gradient.T, rcond=None)
    rest = gradient - weights.T @ basis
    if np.linalg.norm(rest) > LARGEST_REST * np.linalg.norm(gradient):
        return {}
    sums: dict[Pair, float] = {}
    for j, at in enumerate(followed):
        for i, row in enumerate(rows):
            if row.label != at.label:
                pair = frozenset((row.label, at.label))
                sums[pair] = sums.get(pair, 0.0) + float(weights[i, j])
    peak = max(float(np.abs(weights).max()), *map(abs, sums.values()))
    return {pair: weight for pair, weight in sums.items() if abs(weight) > NOISE_SHARE * peak}
