"""Whether arrays hold the same numbers: each looked through once, then compared cheaply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.recording import numbers

if TYPE_CHECKING:
    from grader.model import Array, Numbers

SAME = 1e-5
"""Two vectors are the same when they differ by at most this share of their size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """An array, and what comparing it with many others needs of it."""

    array: Array
    flat: Numbers
    finite: bool
    """Whether there are numbers, and all of them are finite."""
    peak: float
    """The largest absolute value, where finite."""


def values(array: Array) -> Values:
    """The array, looked through."""
    flat = numbers(array).ravel()
    finite = bool(flat.size) and bool(np.isfinite(flat).all())
    peak = float(np.abs(flat).max()) if finite else float("nan")
    return Values(array=array, flat=flat, finite=finite, peak=peak)


def equal(one: Values, other: Values) -> bool:
    """Whether two arrays hold the same numbers, up to rounding."""
    if not (one.finite and other.finite) or one.flat.size != other.flat.size:
        return False
    if one is other:
        return True
    within = SAME * max(1e-12, other.peak)
    if abs(one.flat[0] - other.flat[0]) > within:  # tells nearly all apart that differ
        return False
    return bool(np.abs(one.flat - other.flat).max() <= within)


def same(one: Array, other: Array) -> bool:
    """Whether two arrays hold the same numbers, up to rounding."""
    return one.size == other.size and equal(values(one), values(other))
