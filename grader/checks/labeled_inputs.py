"""Which input is which: labelled things told by their values, in whatever order they went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.check import ARRAYS, Evidence
from grader.checks.recording import Forward, numbers
from grader.checks.values import Values, equal, flaw, values
from grader.checks.vector_index import Gallery, Row

if TYPE_CHECKING:
    from grader.model import Array, Numbers

MOST = 16
"""Distinct inputs that are told apart."""
MOST_OF_BATCH = 64
"""Rows of one batch that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Input:
    """One row that went into a module; equal rows share their values."""

    values: Values
    forward: Forward
    place: int
    """Its place in the batch, or 0 where it went in alone."""


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


def inputs_of(evidence: Evidence, shape: tuple[int, ...]) -> tuple[Input, ...]:
    """Every row of that shape that went into a module, with its forward and its place."""
    return evidence.memo.once(("inputs", shape), lambda: _inputs_of(evidence, shape))


def _inputs_of(evidence: Evidence, shape: tuple[int, ...]) -> tuple[Input, ...]:
    batches: dict[int, list[Values]] = {}
    shelf = _Shelf()
    found = []
    for forward in evidence.recording.forwards:
        for batch in forward.inputs[:1]:
            if id(batch) not in batches:
                batches[id(batch)] = [shelf.values(row) for row in _rows_of(batch, shape)]
            found += [
                Input(values=row, forward=forward, place=place)
                for place, row in enumerate(batches[id(batch)])
            ]
    return tuple(found)


class _Shelf:
    """Values of rows, those of equal rows once: a training loop sends the same in again."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, bytes], list[Values]] = {}

    def values(self, row: Array) -> Values:
        """The row, looked through; the same object where an equal row was looked through."""
        key = row.dtype.str, row.ravel()[:8].tobytes()
        alike = self._alike.setdefault(key, [])
        for known in alike:
            if np.array_equal(known.array, row):
                return known
        found = values(row)
        if len(alike) < MOST:
            alike.append(found)
        return found


def _rows_of(batch: Array, shape: tuple[int, ...]) -> list[Array]:
    if batch.shape == shape:
        return [batch]
    if batch.ndim == len(shape) + 1 and batch.shape[1:] == shape:
        return list(batch[:MOST_OF_BATCH])
    return []


def as_encoded(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> Mapping[str, Array]:
    """The labelled arrays as they went into the encoder; from the namespace where none did."""
    known = known_values(evidence, labels=labels, shape=shape)
    return {label: found.array for label, found in known.items()}


def known_values(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> Mapping[str, Values]:
    """What `as_encoded` gives, looked through."""
    key = ("known", tuple(labels), shape)
    return evidence.memo.once(key, lambda: _known_values(evidence, labels=labels, shape=shape))


def _known_values(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> Mapping[str, Values]:
    named = {name: values(array) for name, array in namespace(evidence).items() if name in labels}
    distinct = _distinct(inputs_of(evidence, shape))
    if not distinct:
        return named
    found: dict[str, Values] = {}
    free = list(distinct)
    for label in labels:
        match = next((r for r in free if label in named and equal(r, named[label])), None)
        if match is not None:
            found[label] = match
            free = [r for r in free if r is not match]
    waiting = [label for label in labels if label not in found]
    ordered = free if found or len(free) != len(labels) else _by_likeness(free)
    found.update(zip(waiting, ordered, strict=False))
    return found if len(found) == len(labels) else {**named, **found}


def _distinct(inputs: Sequence[Input]) -> list[Values]:
    """Inputs that differ from all before them; what is not finite differs from everything."""
    distinct: list[Values] = []
    decided: set[int] = set()
    for row in inputs:
        if len(distinct) == MOST:
            break
        if id(row.values) in decided:
            continue
        if not any(equal(row.values, seen) for seen in distinct):
            distinct.append(row.values)
        if row.values.finite:
            decided.add(id(row.values))
    return distinct


def _by_likeness(rows: list[Values]) -> list[Values]:
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


def correlation(one: Array, other: Array) -> float:
    """Pearson's correlation; 0 where one of them is constant, or not finite."""
    a, b = numbers(one).ravel(), numbers(other).ravel()
    if a.size != b.size or not a.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        a, b = a - a.mean(), b - b.mean()
        size = float(np.linalg.norm(a) * np.linalg.norm(b))
        return float(a @ b) / size if size > 0 and np.isfinite(size) else 0.0


def rows_made(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> tuple[Row, ...]:
    """Every vector that a module made of a labelled input, in order."""
    key = ("rows", tuple(labels), shape)
    return evidence.memo.once(key, lambda: _rows_made(evidence, labels=labels, shape=shape))


def gallery(evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]) -> Gallery:
    """The same, for finding a vector among them."""
    rows = rows_made(evidence, labels=labels, shape=shape)
    return evidence.memo.once(("gallery", tuple(labels), shape), lambda: Gallery(rows))


def _rows_made(
    evidence: Evidence, *, labels: Sequence[str], shape: tuple[int, ...]
) -> tuple[Row, ...]:
    known = known_values(evidence, labels=labels, shape=shape)
    fitting: dict[int, list[str]] = {}
    outputs: dict[int, Numbers | None] = {}
    made: list[Row] = []
    for row in inputs_of(evidence, shape):
        forward, place = row.forward, row.place
        if id(row.values) not in fitting:
            fitting[id(row.values)] = [n for n in known if equal(row.values, known[n])]
        if id(forward.output) not in outputs:
            outputs[id(forward.output)] = _finite(forward.output)
        names = fitting[id(row.values)]
        used = {other.label for other in made[-len(labels) :] if other.forward is forward}
        label = next((n for n in names if n not in used), next(iter(names), None))
        alone = forward.inputs[0].shape == row.values.array.shape
        vector = _vector(outputs[id(forward.output)], place, alone=alone)
        if label is not None and vector is not None:
            made.append(Row(label=label, vector=vector, forward=forward))
    return tuple(made)


def _finite(output: Array | None) -> Numbers | None:
    if output is None or flaw(output, shape=output.shape):
        return None
    return numbers(output)


def _vector(output: Numbers | None, place: int, *, alone: bool) -> Numbers | None:
    if output is None or alone or output.ndim < 2:  # noqa: PLR2004 (no rows)
        return None if output is None else output.ravel()
    return output[place].ravel() if place < len(output) else None


def cosine(one: Numbers, other: Numbers) -> float:
    """Cosine similarity; 0 where a vector has no direction, as in PyTorch."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one.ravel() @ other.ravel()) / size if size > 0 else 0.0
