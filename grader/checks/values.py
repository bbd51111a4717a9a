"""Whether arrays hold the same numbers: what was expected, or what another array holds.

`agrees` is for what a notebook answered and what the reference answered, and asks in this order:
exactly that shape, floating point, finite, then every value. `equal` tells which of a notebook's
own arrays is which, whatever its shape; each is looked through once, then compared cheaply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.recording import as_float64

if TYPE_CHECKING:
    from grader.model import Array, Numbers

EQUAL_TOLERANCE = 1e-5
"""Two vectors are the same when they differ by at most this share of their size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayValues:
    """An array, and what comparing it with many others needs of it."""

    array: Array
    flat: Numbers
    finite: bool
    """Whether there are numbers, and all of them are finite."""
    peak: float
    """The largest absolute value, where finite."""


def inspect_array(array: Array) -> ArrayValues:
    """The array, looked through."""
    flat = as_float64(array).ravel()
    finite = bool(flat.size) and bool(np.isfinite(flat).all())
    peak = float(np.abs(flat).max()) if finite else float("nan")
    return ArrayValues(array=array, flat=flat, finite=finite, peak=peak)


def equal_values(left: ArrayValues, right: ArrayValues) -> bool:
    """Whether two arrays hold the same numbers, up to rounding."""
    if not (left.finite and right.finite) or left.flat.size != right.flat.size:
        return False
    if left is right:
        return True
    tolerance = EQUAL_TOLERANCE * max(1e-12, right.peak)
    if abs(left.flat[0] - right.flat[0]) > tolerance:  # tells nearly all apart that differ
        return False
    return bool(np.abs(left.flat - right.flat).max() <= tolerance)


def equal_arrays(left: Array, right: Array) -> bool:
    """Whether two arrays hold the same numbers, up to rounding."""
    return left.shape == right.shape and equal_values(inspect_array(left), inspect_array(right))


def array_flaw(array: Array, *, shape: tuple[int, ...]) -> str:
    """Why an array can't be what is expected in that shape, whatever its values; '' for nothing."""
    if array.shape != shape:
        return f"of shape {tuple(int(size) for size in array.shape)}"
    if array.dtype.kind != "f":
        return f"of {array.dtype} instead of floating point numbers"
    if not array.size:
        return "empty"
    return "" if np.isfinite(array).all() else "not all finite"


def all_close(array: Array, expected: Array, *, atol: float, rtol: float = 0.0) -> bool:
    """Whether an array holds the expected numbers; nothing is broadcast, NaN equals nothing.

    Args:
        array: what came through the wall.
        expected: what the reference gave, or what we know.
        atol: how far a value may be off.
        rtol: how far it may be off on top, as a share of the expected value.
    """
    if array_flaw(array, shape=expected.shape) or array_flaw(expected, shape=expected.shape):
        return False
    expected_numbers = as_float64(expected)
    with np.errstate(over="ignore"):
        return bool(
            (
                np.abs(as_float64(array) - expected_numbers)
                <= atol + rtol * np.abs(expected_numbers)
            ).all()
        )
