"""Which input is which: labeled things told by their values, in whatever order they went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.check import ARRAYS_QUESTION, Evidence
from grader.checks.recording import Forward, as_float64
from grader.checks.values import ArrayValues, array_flaw, equal_values, inspect_array
from grader.checks.vector_index import LabeledVector, VectorIndex

if TYPE_CHECKING:
    from grader.model import Array, Numbers

MAX_INPUTS = 16
"""Distinct inputs that are told apart."""
MAX_BATCH_ROWS = 64
"""Rows of one batch that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModuleInput:
    """One row that went into a module; equal rows share their values."""

    values: ArrayValues
    forward: Forward
    position: int
    """Its place in the batch, or 0 where it went in alone."""


def namespace(evidence: Evidence) -> Mapping[str, Array]:
    """The numeric arrays at the end of the run, by name."""
    return evidence.observation(ARRAYS_QUESTION).arrays


def dtype_of(evidence: Evidence, name: str) -> str:
    """How the notebook stores an array: 'torch.float32', or '' when it is not there."""
    shapes = evidence.observation(ARRAYS_QUESTION).data.get("arrays", {})
    entry = shapes.get(name) if isinstance(shapes, dict) else None
    return str(entry.get("dtype", "")) if isinstance(entry, dict) else ""


def requires_grad(evidence: Evidence, name: str) -> bool:
    """Whether a tensor is still attached to its graph."""
    shapes = evidence.observation(ARRAYS_QUESTION).data.get("arrays", {})
    entry = shapes.get(name) if isinstance(shapes, dict) else None
    return isinstance(entry, dict) and entry.get("grad") is True


def module_inputs(evidence: Evidence, shape: tuple[int, ...]) -> tuple[ModuleInput, ...]:
    """Every row of that shape that went into a module, with its forward and its place."""
    return evidence.memo.get_or_compute(("inputs", shape), lambda: _module_inputs(evidence, shape))


def _module_inputs(evidence: Evidence, shape: tuple[int, ...]) -> tuple[ModuleInput, ...]:
    batches: dict[int, list[ArrayValues]] = {}
    row_cache = _RowCache()
    inputs = []
    for forward in evidence.recording.forwards:
        for batch in forward.inputs[:1]:
            if id(batch) not in batches:
                batches[id(batch)] = [
                    row_cache.get_or_inspect(row) for row in _rows_of_shape(batch, shape)
                ]
            inputs += [
                ModuleInput(values=row, forward=forward, position=position)
                for position, row in enumerate(batches[id(batch)])
            ]
    return tuple(inputs)


class _RowCache:
    """Values of rows, those of equal rows once: a training loop sends the same in again."""

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[str, bytes], list[ArrayValues]] = {}

    def get_or_inspect(self, row: Array) -> ArrayValues:
        """The row, looked through; the same object where an equal row was looked through."""
        key = row.dtype.str, row.ravel()[:8].tobytes()
        candidates = self._by_prefix.setdefault(key, [])
        for candidate in candidates:
            if np.array_equal(candidate.array, row):
                return candidate
        inspected = inspect_array(row)
        if len(candidates) < MAX_INPUTS:
            candidates.append(inspected)
        return inspected


def _rows_of_shape(batch: Array, shape: tuple[int, ...]) -> list[Array]:
    if batch.shape == shape:
        return [batch]
    if batch.ndim == len(shape) + 1 and batch.shape[1:] == shape:
        return list(batch[:MAX_BATCH_ROWS])
    return []


def encoded_arrays(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> Mapping[str, Array]:
    """The labeled arrays as they went into the encoder; from the namespace where none did."""
    encoded = encoded_values(evidence, labels=labels, shape=shape)
    return {label: array_values.array for label, array_values in encoded.items()}


def encoded_values(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> Mapping[str, ArrayValues]:
    """What `as_encoded` gives, looked through."""
    key = ("known", tuple(labels), shape)
    return evidence.memo.get_or_compute(
        key, lambda: _encoded_values(evidence, labels=labels, shape=shape)
    )


def _encoded_values(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> Mapping[str, ArrayValues]:
    named_values = {
        name: inspect_array(array) for name, array in namespace(evidence).items() if name in labels
    }
    distinct = _distinct_values(module_inputs(evidence, shape))
    if not distinct:
        return named_values
    matched: dict[str, ArrayValues] = {}
    unmatched = list(distinct)
    for label in labels:
        match = next(
            (
                r
                for r in unmatched
                if label in named_values and equal_values(r, named_values[label])
            ),
            None,
        )
        if match is not None:
            matched[label] = match
            unmatched = [r for r in unmatched if r is not match]
    unmatched_labels = [label for label in labels if label not in matched]
    ordered = (
        unmatched if matched or len(unmatched) != len(labels) else _order_by_correlation(unmatched)
    )
    matched.update(zip(unmatched_labels, ordered, strict=False))
    return matched if len(matched) == len(labels) else {**named_values, **matched}


def _distinct_values(inputs: Sequence[ModuleInput]) -> list[ArrayValues]:
    """Inputs that differ from all before them; what is not finite differs from everything."""
    distinct: list[ArrayValues] = []
    compared_ids: set[int] = set()
    for row in inputs:
        if len(distinct) == MAX_INPUTS:
            break
        if id(row.values) in compared_ids:
            continue
        if not any(equal_values(row.values, seen) for seen in distinct):
            distinct.append(row.values)
        if row.values.finite:
            compared_ids.add(id(row.values))
    return distinct


def _order_by_correlation(rows: list[ArrayValues]) -> list[ArrayValues]:
    """Rows nobody named: where one of them is another plus noise, those two come first."""
    if len(rows) != 3:  # noqa: PLR2004 (two that are alike and a third)
        return rows
    flat = [row.flat for row in rows]
    pairs = [(abs(correlation(flat[i], flat[j])), i, j) for i in range(3) for j in range(i + 1, 3)]
    strength, i, j = max(pairs)
    if strength < 0.5:  # noqa: PLR2004 (nothing is alike: keep their order)
        return rows
    other = 3 - i - j
    difference = flat[j] - flat[i]
    if abs(correlation(difference, flat[i])) > abs(correlation(difference, flat[j])):
        i, j = j, i
    return [rows[i], rows[j], rows[other]]


def correlation(left: Array, right: Array) -> float:
    """Pearson's correlation; 0 where one of them is constant, or not finite."""
    a, b = as_float64(left).ravel(), as_float64(right).ravel()
    if a.size != b.size or not a.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        a, b = a - a.mean(), b - b.mean()
        size = float(np.linalg.norm(a) * np.linalg.norm(b))
        return float(a @ b) / size if size > 0 and np.isfinite(size) else 0.0


def labeled_vectors(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> tuple[LabeledVector, ...]:
    """Every vector that a module made of a labeled input, in order."""
    key = ("rows", tuple(labels), shape)
    return evidence.memo.get_or_compute(
        key, lambda: _labeled_vectors(evidence, labels=labels, shape=shape)
    )


def build_vector_index(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> VectorIndex:
    """The same, for finding a vector among them."""
    rows = labeled_vectors(evidence, labels=labels, shape=shape)
    return evidence.memo.get_or_compute(
        ("gallery", tuple(labels), shape), lambda: VectorIndex(rows)
    )


def _labeled_vectors(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> tuple[LabeledVector, ...]:
    encoded = encoded_values(evidence, labels=labels, shape=shape)
    labels_by_values: dict[int, list[str]] = {}
    outputs: dict[int, Numbers | None] = {}
    vectors: list[LabeledVector] = []
    for row in module_inputs(evidence, shape):
        forward, position = row.forward, row.position
        if id(row.values) not in labels_by_values:
            labels_by_values[id(row.values)] = [
                n for n in encoded if equal_values(row.values, encoded[n])
            ]
        if id(forward.output) not in outputs:
            outputs[id(forward.output)] = _finite_output(forward.output)
        names = labels_by_values[id(row.values)]
        used = {other.label for other in vectors[-len(labels) :] if other.forward is forward}
        label = next((n for n in names if n not in used), next(iter(names), None))
        is_single = forward.inputs[0].shape == row.values.array.shape
        vector = _output_vector(outputs[id(forward.output)], position, is_single=is_single)
        if label is not None and vector is not None:
            vectors.append(LabeledVector(label=label, vector=vector, forward=forward))
    return tuple(vectors)


def _finite_output(output: Array | None) -> Numbers | None:
    if output is None or array_flaw(output, shape=output.shape):
        return None
    return as_float64(output)


def _output_vector(output: Numbers | None, position: int, *, is_single: bool) -> Numbers | None:
    if output is None or is_single or output.ndim < 2:  # noqa: PLR2004 (no rows)
        return None if output is None else output.ravel()
    return output[position].ravel() if position < len(output) else None


def cosine(left: Numbers, right: Numbers) -> float:
    """Cosine similarity; 0 where a vector has no direction, as in PyTorch."""
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left.ravel() @ right.ravel()) / size if size > 0 else 0.0
