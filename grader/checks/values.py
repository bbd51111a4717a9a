"""Whether arrays hold the same numbers: what was expected, or what another array holds.

`agrees` is for what a notebook answered and what the reference answered, and asks in this order:
exactly that shape, floating point, finite, then every value. `equal` tells which of a notebook's
own arrays is which, whatever its shape; each is looked through once, then compared cheaply.
"""

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
    return one.shape == other.shape and equal(values(one), values(other))


def flaw(found: Array, *, shape: tuple[int, ...]) -> str:
    """Why an array can't be what is expected in that shape, whatever its values; '' for nothing."""
    if found.shape != shape:
        return f"of shape {tuple(int(size) for size in found.shape)}"
    if found.dtype.kind != "f":
        return f"of {found.dtype} instead of floating point numbers"
    if not found.size:
        return "empty"
    return "" if np.isfinite(found).all() else "not all finite"


def agrees(found: Array, expected: Array, *, within: float, share: float = 0.0) -> bool:
    """Whether an array holds the expected numbers; nothing is broadcast, NaN equals nothing.

    Args:
        found: what came through the wall.
        expected: what the reference gave, or what we know.
        within: how far a value may be off.
        share: how far it may be off on top, as a share of the expected value.
    """
    if flaw(found, shape=expected.shape) or flaw(expected, shape=expected.shape):
        return False
    ours = numbers(expected)
    with np.errstate(over="ignore"):
        return bool((np.abs(numbers(found) - ours) <= within + share * np.abs(ours)).all())
