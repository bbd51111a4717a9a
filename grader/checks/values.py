"""Compares arrays with expected ones, and with each other.

`all_close` is for what a notebook answered and what the reference answered; it requires exactly
that shape, floating point and finite numbers before it looks at values. `equal_values` tells which
of a notebook's own arrays is which, whatever its shape; each is inspected once, then compared
cheaply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

if TYPE_CHECKING:
    from grader.model import Array, Numbers

Size = Annotated[int, Field(ge=1)]
"""The length of one axis of an array."""
EQUAL_TOLERANCE = 1e-5
"""Two arrays are the same when they differ by at most this share of their largest value."""
ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE = 1e-5, 1e-4
"""Largest difference between an output and the reference's; the relative one is added to it."""


def as_float64(array: Array) -> Numbers:
    """Return an array as float64."""
    return np.asarray(array, dtype=np.float64)


def format_shape(shape: tuple[int, ...]) -> str:
    """Return a shape as students write it: (3, 32, 32)."""
    return str(tuple(int(size) for size in shape))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayValues:
    """An array with the values by which it is compared with many others."""

    array: Array
    flat: Numbers
    finite: bool
    """Whether there are numbers, and all of them are finite."""
    peak: float
    """The largest absolute value, where finite."""


def inspect_array(array: Array) -> ArrayValues:
    """Prepare an array for comparisons."""
    flat = as_float64(array).ravel()
    finite = bool(flat.size) and bool(np.isfinite(flat).all())
    peak = float(np.abs(flat).max()) if finite else float("nan")
    return ArrayValues(array=array, flat=flat, finite=finite, peak=peak)


def equal_values(left: ArrayValues, right: ArrayValues) -> bool:
    """Return whether two arrays hold the same numbers, up to rounding."""
    if not (left.finite and right.finite) or left.flat.size != right.flat.size:
        return False
    if left is right:
        return True
    tolerance = EQUAL_TOLERANCE * max(1e-12, right.peak)
    if abs(left.flat[0] - right.flat[0]) > tolerance:  # nearly all pairs that differ end here
        return False
    return bool(np.abs(left.flat - right.flat).max() <= tolerance)


def equal_arrays(left: Array, right: Array) -> bool:
    """Return whether two arrays have one shape and hold the same numbers, up to rounding."""
    return left.shape == right.shape and equal_values(inspect_array(left), inspect_array(right))


def array_flaw(array: Array, *, shape: tuple[int, ...]) -> str:
    """Return what is wrong with an array whatever its values: shape, type, not finite; or ''."""
    if array.shape != shape:
        return f"came with shape {format_shape(array.shape)}"
    if array.dtype.kind != "f":
        return f"came as {array.dtype} instead of floating point numbers"
    if not array.size:
        return "came empty"
    return "" if np.isfinite(array).all() else "came with values that are not finite"


def all_close(array: Array, expected: Array, *, atol: float, rtol: float = 0.0) -> bool:
    """Return whether an array holds the expected numbers; nothing is broadcast, NaN equals nothing.

    Args:
        array: An array of the notebook, which is untrusted.
        expected: The reference's array, or a known one.
        atol: The largest absolute difference.
        rtol: A further difference, as a share of the expected value.
    """
    if array_flaw(array, shape=expected.shape) or array_flaw(expected, shape=expected.shape):
        return False
    expected_numbers = as_float64(expected)
    with np.errstate(over="ignore"):
        differences = np.abs(as_float64(array) - expected_numbers)
        return bool((differences <= atol + rtol * np.abs(expected_numbers)).all())


def equals_reference(array: Array, expected: Array) -> bool:
    """Return whether an output is the reference's, within the tolerances for outputs."""
    return all_close(array, expected, atol=ABSOLUTE_TOLERANCE, rtol=RELATIVE_TOLERANCE)
