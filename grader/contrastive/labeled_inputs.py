"""Recognizes the labeled inputs of a notebook's module by their values, in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from grader.checks.check import ARRAYS_QUESTION, RECORDING_QUESTION, Check, Evidence
from grader.checks.memo import memoized
from grader.checks.values import ArrayValues, all_close, as_float64, equal_values, inspect_array
from grader.contrastive.module_rows import ModuleRow, module_rows
from grader.contrastive.studied_module import find_studied_module
from grader.contrastive.vector_index import LabeledVector, VectorIndex

if TYPE_CHECKING:
    from grader.model import Array, Json, Numbers

MAX_INPUTS = 16
"""The most distinct inputs that are recognized."""
MIN_RESEMBLANCE = 0.5
"""The least absolute correlation at which an unnamed input is taken for another one plus noise."""
MIN_TRACE = 0.3
"""The least correlation at which an input is a changed version of a named array: a batch that is
standardized pixel by pixel keeps 0.5, independent images of 3,072 values come to less than 0.1."""
EQUAL_SPREAD = 1e-3
"""By how much the sorted values of an image differ at most, in standard deviations, where they
were moved (flipped, channels last) and scaled."""


class LabeledInputsCheck(Check):
    """Judges labeled arrays of the notebook, or its module's outputs for them."""

    fixed_questions = (ARRAYS_QUESTION, RECORDING_QUESTION)

    labels: tuple[str, ...]
    """All arrays that go into the model, in the handout's order."""
    shape: tuple[int, ...]
    """The shape of each."""
    things: str = "inputs"
    """The handout's word for them: 'images'."""

    def all_encoded(self, evidence: Evidence) -> bool:
        """Return whether the module under study made a finite vector of every labeled input."""
        rows = studied_vectors(evidence, labels=self.labels, shape=self.shape)
        return {row.label for row in rows} == set(self.labels)


def namespace(evidence: Evidence) -> Mapping[str, Array]:
    """Return the numeric arrays at the end of the run, by name."""
    return evidence.observation(ARRAYS_QUESTION).arrays


def is_defined(evidence: Evidence, name: str) -> bool:
    """Return whether the notebook left a variable of a name, whatever it holds."""
    names = evidence.observation(ARRAYS_QUESTION).data.get("names")
    return isinstance(names, list) and name in names


def array_fields(evidence: Evidence, name: str) -> Mapping[str, Json]:
    """Return the notebook's data about an array: `dtype` ('torch.float32') and `grad`."""
    entries = evidence.observation(ARRAYS_QUESTION).data.get("arrays")
    entry = entries.get(name) if isinstance(entries, dict) else None
    return entry if isinstance(entry, dict) else {}


def encoded_arrays(
    evidence: Evidence, *, labels: tuple[str, ...], shape: tuple[int, ...]
) -> Mapping[str, Array]:
    """Return the labeled arrays that went into the module, else those of the namespace."""
    encoded = encoded_values(evidence, labels=labels, shape=shape)
    return {label: array_values.array for label, array_values in encoded.items()}


@memoized
def encoded_values(
    evidence: Evidence, *, labels: tuple[str, ...], shape: tuple[int, ...]
) -> Mapping[str, ArrayValues]:
    """Return the arrays of `encoded_arrays`, inspected."""
    named_values = {
        name: inspect_array(array) for name, array in namespace(evidence).items() if name in labels
    }
    unmatched = _distinct_values(_by_importance(evidence, shape, len(labels)))
    if not unmatched:
        return named_values
    matched: dict[str, ArrayValues] = {}
    for label in (name for name in labels if name in named_values):
        match = next((r for r in unmatched if equal_values(r, named_values[label])), None)
        if match is not None:
            matched[label] = match
            unmatched = [row for row in unmatched if row is not match]
    sizes = {row.flat.size for row in unmatched}
    comparable = {
        name: values
        for name, values in named_values.items()
        if name not in matched and values.finite and values.flat.size in sizes
    }
    changed = _match_changed(unmatched, comparable)
    matched.update(changed)
    unmatched = [row for row in unmatched if all(row is not match for match in changed.values())]
    if not matched and len(unmatched) == len(labels):
        unmatched = order_by_correlation(unmatched)
    # Where a name holds an array of its own, no other row stands in for it.
    nameless = [label for label in labels if label not in matched and label not in comparable]
    matched.update(zip(nameless, unmatched, strict=False))
    return matched if len(matched) == len(labels) else {**named_values, **matched}


def _match_changed(
    rows: Sequence[ArrayValues], named: Mapping[str, ArrayValues]
) -> Mapping[str, ArrayValues]:
    """Return the rows that are changed versions of named arrays: together the likeliest ones."""
    if not rows or not named:
        return {}
    labels = list(named)
    likeness = np.array([[_resemblance(row, named[label]) for row in rows] for label in labels])
    pairs = zip(*linear_sum_assignment(likeness, maximize=True), strict=True)
    return {labels[i]: rows[j] for i, j in pairs if likeness[i, j] >= MIN_TRACE}


def _resemblance(row: ArrayValues, named: ArrayValues) -> float:
    """Return how surely a row is a named array scaled, shifted, noisy or with its values moved."""
    if not row.finite or named.flat.size != row.flat.size:
        return 0.0
    if np.ptp(named.flat) == 0:
        return float(np.ptp(row.flat) == 0)
    strength = correlation(row.flat, named.flat)
    likeness = max(strength, -strength / 2)  # turned to its negative is the less likely change
    if likeness >= MIN_TRACE:
        return likeness
    if np.ptp(row.flat) == 0:
        return 0.0
    return float(all_close(_sorted_deviations(row), _sorted_deviations(named), atol=EQUAL_SPREAD))


def _sorted_deviations(values: ArrayValues) -> Numbers:
    """Return an array's values in order, as deviations from their mean in standard deviations."""
    deviations: Numbers = np.sort((values.flat - values.flat.mean()) / values.flat.std())
    return deviations


def _by_importance(evidence: Evidence, shape: tuple[int, ...], count: int) -> Sequence[ModuleRow]:
    """Return rows that went into modules: those of the module under study's training first."""
    rows = module_rows(evidence, shape)
    studied = find_studied_module(evidence, shape, count)
    if studied is None:
        return rows

    def rank(row: ModuleRow) -> int:
        is_studied = row.forward.module == studied.index
        return 2 - is_studied - (is_studied and row.forward.pulled)

    return sorted(rows, key=rank)


def _distinct_values(inputs: Sequence[ModuleRow]) -> list[ArrayValues]:
    """Return the distinct inputs in order; one that is not finite differs from every other."""
    distinct: list[ArrayValues] = []
    compared_ids: set[int] = set()
    for row in inputs:
        if len(distinct) == MAX_INPUTS:
            break
        if id(row.values) in compared_ids:
            continue
        if not any(equal_values(row.values, earlier) for earlier in distinct):
            distinct.append(row.values)
        if row.values.finite:
            compared_ids.add(id(row.values))
    return distinct


def order_by_correlation(rows: list[ArrayValues]) -> list[ArrayValues]:
    """Return three unnamed rows as (original, original plus noise, other); other rows as they are.

    The original correlates less with the difference of the two than the noisy one does.
    """
    if len(rows) != 3:  # noqa: PLR2004 (two that resemble each other and a third)
        return rows
    flat = [row.flat for row in rows]
    pairs = [(abs(correlation(flat[i], flat[j])), i, j) for i in range(3) for j in range(i + 1, 3)]
    strength, i, j = max(pairs)
    if strength < MIN_RESEMBLANCE:
        return rows
    other = 3 - i - j
    difference = flat[j] - flat[i]
    if abs(correlation(difference, flat[i])) > abs(correlation(difference, flat[j])):
        i, j = j, i
    return [rows[i], rows[j], rows[other]]


def correlation(left: Array, right: Array) -> float:
    """Return Pearson's correlation; 0 where one array is constant, or not finite."""
    a, b = as_float64(left).ravel(), as_float64(right).ravel()
    if a.size != b.size or not a.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        a, b = a - a.mean(), b - b.mean()
        size = float(np.linalg.norm(a) * np.linalg.norm(b))
        return float(a @ b) / size if size > 0 and np.isfinite(size) else 0.0


def cosine(left: Numbers, right: Numbers) -> float:
    """Return the cosine similarity; 0 where a vector has no direction, as in PyTorch."""
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left.ravel() @ right.ravel()) / size if size > 0 else 0.0


@memoized
def labeled_vectors(
    evidence: Evidence, *, labels: tuple[str, ...], shape: tuple[int, ...]
) -> tuple[LabeledVector, ...]:
    """Return every vector that any module made of a labeled input, in order."""
    encoded = encoded_values(evidence, labels=labels, shape=shape)
    labels_by_values: dict[int, list[str]] = {}
    vectors: list[LabeledVector] = []
    for row in module_rows(evidence, shape):
        if id(row.values) not in labels_by_values:
            equal = [label for label in encoded if equal_values(row.values, encoded[label])]
            labels_by_values[id(row.values)] = equal
        candidates = labels_by_values[id(row.values)]
        used = {other.label for other in vectors[-len(labels) :] if other.forward is row.forward}
        label = next((n for n in candidates if n not in used), next(iter(candidates), None))
        if label is not None and row.vector is not None:
            vectors.append(
                LabeledVector(
                    label=label, vector=row.vector, forward=row.forward, gradient=row.gradient
                )
            )
    return tuple(vectors)


def labels_left_out(
    evidence: Evidence, *, labels: tuple[str, ...], shape: tuple[int, ...]
) -> tuple[str, ...]:
    """Return the labels whose inputs went into no module, where other inputs did."""
    encoded = encoded_values(evidence, labels=labels, shape=shape)
    given = [row.values for row in module_rows(evidence, shape)]
    left_out = [
        label
        for label in labels
        if label in encoded
        and encoded[label].finite
        and not any(equal_values(values, encoded[label]) for values in given)
    ]
    return tuple(left_out) if given else ()


@memoized
def head_vectors(
    evidence: Evidence, *, labels: tuple[str, ...], shape: tuple[int, ...]
) -> tuple[LabeledVector, ...]:
    """Return the vectors that modules made of such vectors, as a projection head does."""
    index = VectorIndex(labeled_vectors(evidence, labels=labels, shape=shape))
    rows = (row for size in sorted(index.sizes) for row in module_rows(evidence, (size,)))
    embeddings = (
        (row, index.nearest(row.values.array, before=row.forward.event_index)) for row in rows
    )
    return tuple(
        LabeledVector(
            label=embedding.label, vector=row.vector, forward=row.forward, gradient=row.gradient
        )
        for row, embedding in embeddings
        if embedding is not None and row.vector is not None
    )


@memoized
def studied_vectors(
    evidence: Evidence,
    *,
    labels: tuple[str, ...],
    shape: tuple[int, ...],
    holders: tuple[str, ...] = (),
) -> tuple[LabeledVector, ...]:
    """Return the vectors that the module under study made of labeled inputs, copies included."""
    studied = find_studied_module(evidence, shape, len(labels), holders)
    if studied is None:
        return ()
    rows = labeled_vectors(evidence, labels=labels, shape=shape)
    return tuple(row for row in rows if studied.is_trained(row.forward) is not None)
