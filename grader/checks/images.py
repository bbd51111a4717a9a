"""Which row is which: labelled things told by their values, in whatever order they went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.check import ARRAYS, Evidence
from grader.checks.recording import Forward, numbers

if TYPE_CHECKING:
    from grader.model import Array, Numbers

MOST = 16
"""Distinct inputs that are told apart."""
SAME = 1e-5
"""Two vectors are the same when they differ by at most this share of their size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled input and the vector a module made of it."""

    label: str
    vector: Numbers
    forward: Forward


def namespace(evidence: Evidence) -> Mapping[str, Array]:
    """The numeric arrays at the end of the run, by name."""
    return evidence.observed(ARRAYS).arrays


def dtype_of(evidence: Evidence, name: str) -> str:
    """How the notebook stores an array: 'torch.float32', or '' when it is not there."""
    shapes = evidence.observed(ARRAYS).data.get("arrays", {})
    entry = shapes.get(name) if isinstance(shapes, dict) else None
    return str(entry.get("dtype", "")) if isinstance(entry, dict) else ""


def requires_grad(evidence: Evidence, name: str) -> bool:
    """Whether a tensor is still attached to its graph."""
    shapes = evidence.observed(ARRAYS).data.get("arrays", {})
    entry = shapes.get(name) if isinstance(shapes, dict) else None
    return isinstance(entry, dict) and entry.get("grad") is True


def same(one: Array, other: Array) -> bool:
    """Whether two arrays hold the same numbers, up to rounding."""
    if one.size != other.size or not one.size:
        return False
    a, b = numbers(one).ravel(), numbers(other).ravel()
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.abs(a - b).max() <= SAME * max(1e-12, float(np.abs(b).max())))


def inputs_of(evidence: Evidence, shape: tuple[int, ...]) -> tuple[tuple[Array, Forward, int], ...]:
    """Every row of that shape that went into a module, with its forward and its place."""
    rows = []
    for forward in evidence.recording.forwards:
        for batch in forward.inputs[:1]:
            if batch.shape == shape:
                rows.append((batch, forward, 0))
            elif batch.ndim == len(shape) + 1 and batch.shape[1:] == shape:
                rows.extend((batch[i], forward, i) for i in range(min(len(batch), 64)))
    return tuple(rows)


def as_encoded(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> Mapping[str, Array]:
    """The labelled arrays as they went into the encoder; from the namespace where none did."""
    named = {label: array for label, array in namespace(evidence).items() if label in labels}
    distinct: list[Array] = []
    for row, _, _ in inputs_of(evidence, shape):
        if len(distinct) < MOST and not any(same(row, seen) for seen in distinct):
            distinct.append(row)
    if not distinct:
        return named
    found: dict[str, Array] = {}
    free = list(distinct)
    for label in labels:
        match = next((r for r in free if label in named and same(r, named[label])), None)
        if match is not None:
            found[label] = match
            free = [r for r in free if r is not match]
    waiting = [label for label in labels if label not in found]
    ordered = free if found or len(free) != len(labels) else _by_likeness(free)
    found.update(zip(waiting, ordered, strict=False))
    return found if len(found) == len(labels) else {**named, **found}


def _by_likeness(rows: list[Array]) -> list[Array]:
    """Rows nobody named: where one of them is another plus noise, those two come first."""
    if len(rows) != 3:  # noqa: PLR2004 (two that are alike and a third)
        return rows
    pairs = [(abs(correlation(rows[i], rows[j])), i, j) for i in range(3) for j in range(i + 1, 3)]
    strength, i, j = max(pairs)
    if strength < 0.5:  # noqa: PLR2004 (nothing is alike: keep their order)
        return rows
    other = 3 - i - j
    difference = numbers(rows[j]) - numbers(rows[i])
    if abs(correlation(difference, rows[i])) > abs(correlation(difference, rows[j])):
        i, j = j, i
    return [rows[i], rows[j], rows[other]]


def correlation(one: Array, other: Array) -> float:
    """Pearson's correlation; 0 where one of them is constant."""
    a, b = numbers(one).ravel(), numbers(other).ravel()
    if a.size != b.size:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 and np.isfinite(size) else 0.0


def rows_made(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> tuple[Row, ...]:
    """Every vector that a module made of a labelled input, in order."""
    known = as_encoded(evidence, labels=labels, shape=shape)
    made: list[Row] = []
    for row, forward, place in inputs_of(evidence, shape):
        used = {other.label for other in made[-len(labels) :] if other.forward is forward}
        fitting = [name for name in known if same(row, known[name])]
        label = next((n for n in fitting if n not in used), next(iter(fitting), None))
        vector = _vector(forward, place, single=row.shape == forward.inputs[0].shape)
        if label is not None and vector is not None:
            made.append(Row(label=label, vector=vector, forward=forward))
    return tuple(made)


def _vector(forward: Forward, place: int, *, single: bool) -> Numbers | None:
    output = forward.output
    if output is None or not np.isfinite(numbers(output)).all():
        return None
    if single or output.ndim == 1:
        return numbers(output).ravel()
    return numbers(output[place]).ravel() if place < len(output) else None


def nearest(
    vector: Array, rows: Sequence[Row], *, used: frozenset[str] = frozenset()
) -> Row | None:
    """The row that a vector is, up to rounding and a positive factor; None if it is none.

    Of rows that are equal, one whose label is not among `used`.
    """
    value = numbers(vector).ravel()
    size = float(np.linalg.norm(value))
    near: list[tuple[float, Row]] = []
    for row in rows:
        length = float(np.linalg.norm(row.vector))
        if row.vector.size != value.size or not size > 0 or not length > 0:
            continue
        distance = float(np.abs(value / size - row.vector / length).max())
        if distance <= 10 * SAME:
            near.append((distance, row))
    if not near:
        return None
    closest = min(distance for distance, _ in near)
    equal = [row for distance, row in near if distance <= closest + SAME / 100]
    return next((row for row in equal if row.label not in used), equal[0])


def cosine(one: Numbers, other: Numbers) -> float:
    """Cosine similarity; 0 where a vector has no direction, as in PyTorch."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one.ravel() @ other.ravel()) / size if size > 0 else 0.0
