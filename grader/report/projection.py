"""Compute the numbers of an exhibit: cosines, and a projection to two dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from grader.model import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Rows projected on their two principal components."""

    points: Numbers
    """A row each, two columns."""
    shares: tuple[float, float]
    """How much of the variance each component holds, from 0 to 1."""


def principal_plane(rows: Numbers) -> Plane | None:
    """Project rows on their two principal components, or return None where there are fewer.

    Signs follow scikit-learn: the largest loading of each component is positive.
    """
    if rows.ndim != 2 or min(rows.shape) < 2:  # noqa: PLR2004 - a plane has two dimensions
        return None
    with np.errstate(all="ignore"):  # hostile numbers give no plane, and no warning either
        centered = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
        if not np.isfinite(centered).all() or not centered.any():
            return None
        _, sizes, components = np.linalg.svd(centered, full_matrices=False)
        largest = np.abs(components).argmax(axis=1)
        signs = np.sign(components[np.arange(len(components)), largest])
        points = centered @ (components * signs[:, np.newaxis])[:2].T
        shares = sizes**2 / (sizes**2).sum()
    if not (np.isfinite(points).all() and np.isfinite(shares).all()):
        return None
    return Plane(points=points, shares=(float(shares[0]), float(shares[1])))


def cosines(vectors: Numbers) -> list[float | None]:
    """Return the cosine of each pair, in the order of `itertools.combinations`, or None."""
    with np.errstate(all="ignore"):
        rows = vectors.astype(np.float64)
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        products = [float(a @ b) for a, b in combinations(units, 2)]
    return [value if np.isfinite(value) else None for value in products]
