"""PAR: judges which pairs a contrastive loss contrasted in the first step, read from its calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np

from grader.checks.check import CheckOutcome, Evidence, failed, passed
from grader.checks.memo import memoized
from grader.checks.recording import Call, Forward
from grader.checks.values import as_float64, equal_values
from grader.contrastive.embeddings import EmbeddingCheck, EmbeddingNames, trained_module
from grader.contrastive.labeled_inputs import (
    build_vector_index,
    encoded_values,
    labeled_vectors,
    namespace,
)
from grader.contrastive.vector_index import LabeledVector, VectorIndex
from grader.model import Array

Pair = frozenset[str]
"""Two labels; one label if both inputs are the same; '?' for a vector of no known input."""
MAX_ARRAYS, MAX_VECTORS = 16, 64
"""The most arrays of one argument that are read, and the most vectors of these."""
NOISE_SHARE = 1e-3
"""A weight of a gradient below this share of the largest one is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastedPairs:
    """The pairs that a loss contrasted, by role; without roles both sets are the same."""

    positive: frozenset[Pair]
    negative: frozenset[Pair]
    cells: tuple[int, ...] = ()
    has_roles: bool = True


class PairContrasted(EmbeddingCheck):
    """The loss contrasts a pair, in its role, in the first step of training.

    Read from the calls of the loss that the rubric names: which inputs, recognized by their values,
    were anchor with positive, and anchor with negatives. Order within a pair, number of calls and
    style of the arguments don't matter. Where the loss has another name, similarities that
    gradients flow through are read instead; where there are none, the direction of the loss's
    gradient is. The calls decide: a variable that holds another pair gets a note. If no call
    contrasts the pair but a variable holds it, half of the points.
    """

    code = "PAR001"
    subjects = ("variable", "loss")

    loss: str
    """The handout's name of the loss: its calls are recorded."""
    roles: tuple[str, str, str] = ("anchor", "positive", "negatives")
    """Its parameters, in order."""
    role: Literal["positive", "negative"]
    """The role of the pair."""
    pair: tuple[str, str]
    """The two inputs, by label; their order is free."""
    variable: str = ""
    """The handout's variable for the pair; if it holds another pair, it gets a note."""

    def describe(self) -> str:
        return f"{self.role} pair {{{', '.join(self.pair)}}}"

    def judge(self, evidence: Evidence) -> CheckOutcome:
        names = self.embedding_names
        pair_text = format_pair(frozenset(self.pair))
        expected = f"the loss contrasts {pair_text} as a {self.role} pair"
        expected_pair = _canonical_pair(self.pair, _canonical_labels(evidence, names))
        pairs = contrasted_pairs(evidence, names, self.loss, self.roles)
        variables = variable_pairs(evidence, names)
        if pairs is None and not variables:
            outcome = self.missing_embeddings(self.variable or self.loss, expected=expected)
            if not self.all_encoded(evidence):
                return outcome
            return replace(outcome, because="the training loop never ran")
        if not self.all_encoded(evidence):
            return self.incomplete_embeddings(expected=expected)
        variable_pair = variables.get(self.variable)
        if pairs is not None and self._is_right(pairs, variable_pair, expected_pair):
            note = ""
            if variable_pair not in {None, expected_pair}:
                held = format_pair(variable_pair or frozenset())
                note = f"{self.variable} itself holds {held}; how the loss was called counts."
            observed = "it does, in the first step"
            return passed(expected=expected, observed=observed, hint=note, cells=pairs.cells)
        return self._judge_wrong_pair(
            pairs, variables, expected=expected, expected_pair=expected_pair
        )

    def _is_right(
        self, pairs: ContrastedPairs, variable_pair: Pair | None, expected_pair: Pair
    ) -> bool:
        if not pairs.has_roles:
            return expected_pair in pairs.positive and variable_pair in {None, expected_pair}
        if self.role == "positive":
            return pairs.positive == {expected_pair}
        return expected_pair in pairs.negative

    def _judge_wrong_pair(
        self,
        pairs: ContrastedPairs | None,
        variables: Mapping[str, Pair],
        *,
        expected: str,
        expected_pair: Pair,
    ) -> CheckOutcome:
        contrasted = pairs or ContrastedPairs(positive=frozenset(), negative=frozenset())
        role_pairs = contrasted.positive if self.role == "positive" else contrasted.negative
        pair_list = ", ".join(sorted(format_pair(pair) for pair in role_pairs)) or "none"
        in_variable = (
            variables[self.variable] == expected_pair
            if self.variable in variables
            else expected_pair in variables.values()
        )
        if in_variable and expected_pair not in contrasted.positive | contrasted.negative:
            held = "a variable holds the pair, but the loss was called on other pairs"
            return CheckOutcome(
                share=Fraction(1, 2),
                expected=expected,
                observed=f"{held}: {pair_list}",
                hint="The given lines read only the second element of a negative pair.",
                cells=contrasted.cells,
            )
        distance = "close" if self.role == "positive" else "apart"
        return failed(
            expected=expected,
            observed=f"{self.role} pairs in the calls of the loss: {pair_list}",
            hint=f"Which two {self.things} should be {distance}?",
            cells=contrasted.cells,
        )


@memoized
def contrasted_pairs(
    evidence: Evidence, names: EmbeddingNames, loss: str, roles: tuple[str, str, str]
) -> ContrastedPairs | None:
    """Return the pairs that were contrasted in the first step; None where nothing shows it."""
    calls = _first_step_calls(evidence, names, loss)
    pairs = (
        _pairs_from_calls(evidence, names, calls, roles)
        if calls
        else _pairs_from_gradient(evidence, names)
    )
    if pairs is None:
        return None
    canonical = _canonical_labels(evidence, names)
    return replace(
        pairs,
        positive=frozenset(_canonical_pair(pair, canonical) for pair in pairs.positive),
        negative=frozenset(_canonical_pair(pair, canonical) for pair in pairs.negative),
    )


def _first_step_calls(evidence: Evidence, names: EmbeddingNames, loss: str) -> tuple[Call, ...]:
    """Return the calls of the loss, else of similarities, before the trained weights moved."""
    module = trained_module(evidence, names)
    end = _first_weight_change(evidence, module)
    forwards = evidence.recording.forwards

    def concerns_module(call: Call) -> bool:
        earlier = [f for f in forwards if f.event_index < call.event_index]
        return not earlier or module is None or earlier[-1].module == module

    calls = [
        call
        for call in evidence.recording.calls
        if call.event_index < end and concerns_module(call)
    ]
    watched = tuple(call for call in calls if call.name == loss)
    return watched or tuple(call for call in calls if not call.name)


def _first_weight_change(evidence: Evidence, module: int | None) -> int:
    """Return the event in which a module's weights first moved, or one after the last."""
    recording = evidence.recording
    if module is None:
        return recording.event_count + 1
    step = recording.first_step(module)
    start = recording.modules[module].start if module < len(recording.modules) else None
    event_indices = [
        forward.event_index
        for forward in recording.forwards
        if forward.module == module and start is not None and forward.state not in {-1, start.state}
    ]
    if step is not None:
        event_indices.append(step)
    return min(event_indices, default=recording.event_count + 1)


def _pairs_from_calls(
    evidence: Evidence,
    names: EmbeddingNames,
    calls: Sequence[Call],
    roles: tuple[str, str, str],
) -> ContrastedPairs:
    vector_index = build_vector_index(evidence, labels=names.labels, shape=names.shape)
    positive: set[Pair] = set()
    negative: set[Pair] = set()
    for call in calls:
        # By the handout's names of the parameters, or else by their order.
        by_name = all(role in call.args for role in roles)
        ordered = [call.args[role] for role in roles] if by_name else [*call.args.values()]
        first, second, third = [*ordered, (), (), ()][:3]
        positive |= _label_pairs(first, second, vector_index, before=call.event_index)
        others = third if call.name else second
        negative |= _label_pairs(first, others, vector_index, before=call.event_index)
    return ContrastedPairs(
        positive=frozenset(positive),
        negative=frozenset(negative),
        cells=tuple(sorted({call.cell for call in calls})),
        has_roles=bool(calls[0].name),
    )


def _label_pairs(
    left_arrays: Sequence[Array],
    right_arrays: Sequence[Array],
    vector_index: VectorIndex,
    *,
    before: float,
) -> set[Pair]:
    """Return the pairs of labels of two arguments; batches of equal length go row by row."""
    left = _nearest_labels(left_arrays, vector_index, before=before)
    right = _nearest_labels(right_arrays, vector_index, before=before)
    if len(left) > 1 and len(left) == len(right):
        return {frozenset((a or "?", b or "?")) for a, b in zip(left, right, strict=True)}
    return {frozenset((a or "?", b or "?")) for a in left for b in right}


def _nearest_labels(
    arrays: Sequence[Array], vector_index: VectorIndex, *, before: float = np.inf
) -> list[str | None]:
    vectors: list[Array] = []
    for array in arrays[:MAX_ARRAYS]:
        vectors.extend(array if array.ndim == 2 else [array])  # noqa: PLR2004 (a matrix)
    rows = [vector_index.nearest(vector, before=before) for vector in vectors[:MAX_VECTORS]]
    return [row.label if row else None for row in rows]


def _pairs_from_gradient(evidence: Evidence, names: EmbeddingNames) -> ContrastedPairs | None:
    """Return which embeddings the loss pulled together and which apart, from its gradient.

    For a loss of similarities, its gradient at one embedding is a combination of the embeddings
    it is compared with, negative for those it is pulled to.
    """
    module = trained_module(evidence, names)
    forward = next(
        (
            forward
            for forward in evidence.recording.forwards
            if forward.module == module and forward.output_gradient is not None
        ),
        None,
    )
    if forward is None:
        return None
    all_rows = labeled_vectors(evidence, labels=names.labels, shape=names.shape)
    rows = [row for row in all_rows if row.forward is forward]
    if sorted(row.label for row in rows) != sorted(names.labels):
        return None
    weights = _contrast_weights(forward, rows)
    return ContrastedPairs(
        positive=frozenset(pair for pair, weight in weights.items() if weight < 0),
        negative=frozenset(pair for pair, weight in weights.items() if weight >= 0),
        cells=(forward.cell,),
    )


def _contrast_weights(forward: Forward, rows: Sequence[LabeledVector]) -> Mapping[Pair, float]:
    """Return the weight of each contrasted pair; below 0 for pairs that are pulled together."""
    if forward.output_gradient is None or forward.output_gradient.shape[0] != len(rows):
        return {}
    basis = np.stack([row.vector for row in rows])
    gradient = as_float64(forward.output_gradient).reshape(len(rows), -1)
    if gradient.shape != basis.shape or not np.isfinite(gradient).all():
        return {}
    weights, *_ = np.linalg.lstsq(basis.T, gradient.T, rcond=None)
    peak = float(np.abs(weights).max())
    return {
        frozenset((rows[i].label, rows[j].label)): float(weights[i, j] + weights[j, i])
        for i, j in combinations(range(len(rows)), 2)
        if abs(weights[i, j] + weights[j, i]) > NOISE_SHARE * peak
    }


@memoized
def variable_pairs(evidence: Evidence, names: EmbeddingNames) -> Mapping[str, Pair]:
    """Return the variables that hold two embeddings, with the pair of their inputs."""
    vector_index = build_vector_index(evidence, labels=names.labels, shape=names.shape)
    canonical = _canonical_labels(evidence, names)
    arrays = namespace(evidence)
    pairs = {}
    for name in (key.removesuffix("/1") for key in arrays if key.endswith("/1")):
        parts = [arrays.get(f"{name}/{index}") for index in range(3)]
        if parts[0] is None or parts[1] is None or parts[2] is not None:
            continue
        labels = _nearest_labels([parts[0].ravel(), parts[1].ravel()], vector_index)
        if None not in labels:
            pairs[name] = _canonical_pair(filter(None, labels), canonical)
    return pairs


@memoized
def _canonical_labels(evidence: Evidence, names: EmbeddingNames) -> Mapping[str, str]:
    """Map each label to the first one whose input has equal values.

    An input that is not finite equals nothing, not even itself, and keeps its label.
    """
    encoded = encoded_values(evidence, labels=names.labels, shape=names.shape)
    labels = [label for label in names.labels if label in encoded]
    return {
        label: next((o for o in labels if equal_values(encoded[o], encoded[label])), label)
        for label in labels
    }


def _canonical_pair(labels: Iterable[str], canonical: Mapping[str, str]) -> Pair:
    return frozenset(canonical.get(label, label) for label in labels)


def format_pair(pair: Pair) -> str:
    """Return a pair as {A, B}."""
    labels = sorted(pair)
    return "{" + ", ".join(labels * 2 if len(labels) == 1 else labels) + "}"
