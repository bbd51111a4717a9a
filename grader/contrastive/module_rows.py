"""Reads a recording row by row: what went into modules, and the vector that each made of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.memo import memoized
from grader.checks.values import ArrayValues, array_flaw, as_float64, inspect_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.checks.check import Evidence
    from grader.checks.recording import Forward
    from grader.model import Array, Numbers

MAX_DISTINCT = 16
"""Most rows that are remembered for comparison where they begin alike."""
MAX_BATCH_ROWS = 64
"""The most rows of one batch that are read."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModuleRow:
    """One row that went into a module; equal rows share their values."""

    values: ArrayValues
    forward: Forward
    vector: Numbers | None
    """What the module made of it, if that is one vector of finite numbers."""
    gradient: Numbers | None
    """The gradient of the loss at that vector, where it was kept."""


@memoized
def module_rows(evidence: Evidence, shape: tuple[int, ...]) -> tuple[ModuleRow, ...]:
    """Return every row of a shape that went into a module, in order.

    Where none did, those that have as many values in one dimension, brought to the shape.
    """
    return _find_rows(evidence, shape) or _find_rows(evidence, shape, flat=True)


def _find_rows(
    evidence: Evidence, shape: tuple[int, ...], *, flat: bool = False
) -> tuple[ModuleRow, ...]:
    batches: dict[int, list[ArrayValues]] = {}
    row_cache = _RowCache()
    rows = []
    for forward in evidence.recording.forwards:
        for given, output, output_gradient in _encoded_batches(forward, shape):
            batch = _unflatten(given, shape) if flat else given
            if id(given) not in batches:
                parts = _rows_of_shape(batch, shape)
                batches[id(given)] = [row_cache.get_or_inspect(row) for row in parts]
            count, is_single = len(batches[id(given)]), batch.shape == shape
            vectors = _row_vectors(output, count, is_single=is_single)
            gradients = _row_vectors(output_gradient, count, is_single=is_single)
            rows += [
                ModuleRow(values=values, forward=forward, vector=vector, gradient=gradient)
                for values, vector, gradient in zip(
                    batches[id(given)], vectors, gradients, strict=True
                )
            ]
    return tuple(rows)


def _encoded_batches(
    forward: Forward, shape: tuple[int, ...]
) -> list[tuple[Array, Array | None, Array | None]]:
    """Return each input of a call with its output and the loss's gradient there.

    A call of two towers, or three, takes several inputs and gives as many outputs, or one of all.
    """
    inputs = forward.inputs
    if 1 < len(inputs) == len(forward.outputs):
        pairs = zip(inputs, forward.outputs, strict=True)
        return [
            (array, output, forward.gradients.get(index))
            for index, (array, output) in enumerate(pairs)
        ]
    if len({array.shape for array in inputs}) == 1 < len(inputs):
        count = len(_rows_of_shape(inputs[0], shape))
        outputs = _split_rows(forward.output, len(inputs), count)
        gradients = _split_rows(forward.output_gradient, len(inputs), count)
        if outputs[0] is not None:
            return list(zip(inputs, outputs, gradients, strict=True))
    return [(array, forward.output, forward.output_gradient) for array in inputs[:1]]


def _split_rows(joined: Array | None, parts: int, count: int) -> Sequence[Array | None]:
    """Return the rows of each input of a call that gave them as one array, or None for each."""
    if (
        joined is None
        or not (count and joined.ndim)
        or joined.size != parts * count * joined.shape[-1]
    ):
        return [None] * parts
    return list(joined.reshape(parts, count, joined.shape[-1]))


def _rows_of_shape(batch: Array, shape: tuple[int, ...]) -> list[Array]:
    if batch.shape == shape:
        return [batch]
    if batch.size and batch.ndim > len(shape) and batch.shape[-len(shape) :] == shape:
        return list(batch.reshape(-1, *shape)[:MAX_BATCH_ROWS])
    return []


def _unflatten(batch: Array, shape: tuple[int, ...]) -> Array:
    """Return a batch of flat rows with rows of a shape; any other batch as it is."""
    if batch.ndim and batch.shape[-1] == math.prod(shape):
        return batch.reshape(*batch.shape[:-1], *shape)
    return batch


def _row_vectors(output: Array | None, count: int, *, is_single: bool) -> list[Numbers | None]:
    """Return the vector of each row; a feature map is none."""
    if output is None or not output.ndim or not count:
        return [None] * count
    if array_flaw(output, shape=output.shape):
        return [None] * count
    numbers = as_float64(output)
    if is_single or numbers.ndim == 1:
        vector = numbers.ravel() if numbers.size == max(numbers.shape, default=0) else None
        return [vector if count == 1 else None] * count
    rows = numbers.reshape(len(numbers), -1)
    if rows.shape[1] != max(numbers.shape[1:]):
        return [None] * count
    return [rows[i] if i < len(rows) else None for i in range(count)]


class _RowCache:
    """Inspected rows; equal rows are inspected once, since a training loop repeats its inputs."""

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[str, bytes], list[ArrayValues]] = {}

    def get_or_inspect(self, row: Array) -> ArrayValues:
        key = row.dtype.str, row.ravel()[:8].tobytes()
        candidates = self._by_prefix.setdefault(key, [])
        for candidate in candidates:
            if np.array_equal(candidate.array, row):
                return candidate
        inspected = inspect_array(row)
        if len(candidates) < MAX_DISTINCT:
            candidates.append(inspected)
        return inspected
