"""PAR: which pairs a contrastive loss contrasted in the first step, told by how it was called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np

from grader.checks.check import (
    ARRAYS_QUESTION,
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    RandomDraws,
    failed,
    passed,
)
from grader.checks.embeddings import (
    EmbeddingParams,
    all_encoded,
    incomplete_embeddings,
    missing_embeddings,
    trained_module,
)
from grader.checks.labeled_inputs import (
    build_vector_index,
    encoded_values,
    labeled_vectors,
    namespace,
)
from grader.checks.recording import Call, Forward, as_float64
from grader.checks.values import equal_values
from grader.checks.vector_index import LabeledVector, VectorIndex
from grader.model import Array, Question

Pair = frozenset[str]


class PairContrastedParams(EmbeddingParams):
    """A pair that the loss must contrast."""

    loss: str
    """The handout's name of the loss: its calls are recorded."""
    roles: tuple[str, str, str] = ("anchor", "positive", "negatives")
    """Its parameters, in order."""
    role: Literal["positive", "negative"]
    """In which role."""
    pair: tuple[str, str]
    """The two inputs, by label; their order is free."""
    variable: str = ""
    """What the handout calls the pair; a variable that says otherwise gets a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastedPairs:
    """The pairs that were contrasted, by role; the same set for both where calls have no roles."""

    positive: frozenset[Pair]
    negative: frozenset[Pair]
    cells: tuple[int, ...] = ()
    has_roles: bool = True


def first_weight_change(params: EmbeddingParams, evidence: Evidence) -> tuple[int, int | None]:
    """When the trained module's weights first moved, and the module's number."""
    module = trained_module(params, evidence)
    recording = evidence.recording
    event_indices = []
    if module is not None:
        step = recording.first_step(module)
        event_indices += [step] if step is not None else []
        start = recording.modules[module].start if module < len(recording.modules) else None
        event_indices += [
            f.event_index
            for f in recording.forwards
            if f.module == module and start is not None and f.state not in {-1, start.state}
        ]
    return min(event_indices, default=recording.event_count + 1), module


def first_step_calls(params: PairContrastedParams, evidence: Evidence) -> tuple[Call, ...]:
    """Calls of the loss before the trained module's weights moved; else bare similarities."""
    end, module = first_weight_change(params, evidence)
    recording = evidence.recording

    def concerns_module(call: Call) -> bool:
        earlier_forwards = [
            forward for forward in recording.forwards if forward.event_index < call.event_index
        ]
        return not earlier_forwards or module is None or earlier_forwards[-1].module == module

    calls = [call for call in recording.calls if call.event_index < end and concerns_module(call)]
    watched = tuple(call for call in calls if call.name == params.loss)
    return watched or tuple(call for call in calls if not call.name)


def contrasted_pairs(params: PairContrastedParams, evidence: Evidence) -> ContrastedPairs | None:
    """What was contrasted in the first step; None when nothing tells."""
    stages = (params.labels, params.shape, params.before, params.after)
    key = ("contrasted", *stages, params.loss, params.roles)

    def find_pairs() -> ContrastedPairs | None:
        pairs = _contrasted_pairs(params, evidence)
        if pairs is None:
            return None
        canonical = _canonical_labels(params, evidence)
        return replace(
            pairs,
            positive=frozenset(_canonical_pair(pair, canonical) for pair in pairs.positive),
            negative=frozenset(_canonical_pair(pair, canonical) for pair in pairs.negative),
        )

    return evidence.memo.get_or_compute(key, find_pairs)


def _contrasted_pairs(params: PairContrastedParams, evidence: Evidence) -> ContrastedPairs | None:
    vector_index = build_vector_index(evidence, labels=params.labels, shape=params.shape)
    calls = first_step_calls(params, evidence)
    if not calls:
        return _pairs_from_gradient(params, evidence)
    positive: set[Pair] = set()
    negative: set[Pair] = set()
    for call in calls:
        first, second, third = _arguments(params, call)
        positive |= _label_pairs(first, second, vector_index, before=call.event_index)
        others = third if call.name else second
        negative |= _label_pairs(first, others, vector_index, before=call.event_index)
    return ContrastedPairs(
        positive=frozenset(positive),
        negative=frozenset(negative),
        cells=tuple(sorted({call.cell for call in calls})),
        has_roles=bool(calls[0].name),
    )


def _arguments(
    params: PairContrastedParams, call: Call
) -> tuple[Sequence[Array], Sequence[Array], Sequence[Array]]:
    """Anchor, positive and negatives, by the handout's names or else by their order."""
    args = call.args
    if all(role in args for role in params.roles):
        anchor, positive, negatives = (args[role] for role in params.roles)
        return anchor, positive, negatives
    ordered = [*args.values(), (), (), ()]
    return ordered[0], ordered[1], ordered[2]


def _split_vectors(arrays: Sequence[Array]) -> list[Array]:
    """Single vectors: rows of matrices one by one."""
    vectors: list[Array] = []
    for array in arrays[:16]:
        vectors.extend(array if array.ndim == 2 else [array])  # noqa: PLR2004 (a matrix)
    return vectors[:64]


def _nearest_labels(
    arrays: Sequence[Array], vector_index: VectorIndex, *, before: float = np.inf
) -> list[str | None]:
    nearest_rows = [
        vector_index.nearest(vector, before=before) for vector in _split_vectors(arrays)
    ]
    return [row.label if row else None for row in nearest_rows]


def _label_pairs(
    left_arrays: Sequence[Array],
    right_arrays: Sequence[Array],
    vector_index: VectorIndex,
    *,
    before: float,
) -> set[Pair]:
    """Unordered pairs of labels; what is none of the inputs is '?'. Rows of batches go together."""
    left, right = (
        _nearest_labels(left_arrays, vector_index, before=before),
        _nearest_labels(right_arrays, vector_index, before=before),
    )
    if len(left) > 1 and len(left) == len(right):
        return {frozenset((a or "?", b or "?")) for a, b in zip(left, right, strict=True)}
    return {frozenset((a or "?", b or "?")) for a in left for b in right}


def _pairs_from_gradient(
    params: PairContrastedParams, evidence: Evidence
) -> ContrastedPairs | None:
    """Without a call to read: which embeddings the loss pulled together and which apart.

    For a loss of similarities, its gradient at one embedding is a combination of the embeddings
    it is compared with, negative for those it is pulled to.
    """
    _, module = first_weight_change(params, evidence)
    rows = labeled_vectors(evidence, labels=params.labels, shape=params.shape)
    forwards = [
        f
        for f in evidence.recording.forwards
        if f.module == module and f.output_gradient is not None
    ]
    if not forwards:
        return None
    forward = forwards[0]
    forward_rows = [row for row in rows if row.forward is forward]
    if {row.label for row in forward_rows} != set(params.labels) or len(forward_rows) != len(
        params.labels
    ):
        return None
    positive: set[Pair] = set()
    negative: set[Pair] = set()
    for (a, b), weight in _contrast_weights(forward, forward_rows).items():
        (positive if weight < 0 else negative).add(frozenset((a, b)))
    cells = (forward.cell,)
    return ContrastedPairs(positive=frozenset(positive), negative=frozenset(negative), cells=cells)


def _contrast_weights(
    forward: Forward, rows: Sequence[LabeledVector]
) -> Mapping[tuple[str, str], float]:
    """How strongly each pair is contrasted, where it is at all; negative is together."""
    if forward.output_gradient is None or forward.output_gradient.shape[0] != len(rows):
        return {}
    basis = np.stack([row.vector for row in rows])
    gradient = as_float64(forward.output_gradient).reshape(len(rows), -1)
    if gradient.shape != basis.shape or not np.isfinite(gradient).all():
        return {}
    weights, *_ = np.linalg.lstsq(basis.T, gradient.T, rcond=None)
    peak = float(np.abs(weights).max())
    return {
        (rows[i].label, rows[j].label): float(weights[i, j] + weights[j, i])
        for i, j in combinations(range(len(rows)), 2)
        if abs(weights[i, j] + weights[j, i]) > 1e-3 * peak  # rounding
    }


def variable_pairs(params: PairContrastedParams, evidence: Evidence) -> Mapping[str, Pair]:
    """Variables that hold two embeddings, and of which inputs."""
    key = ("pairs", params.labels, params.shape)

    def find_pairs() -> Mapping[str, Pair]:
        canonical = _canonical_labels(params, evidence)
        pairs = _variable_pairs(params, evidence)
        return {name: _canonical_pair(pair, canonical) for name, pair in pairs.items()}

    return evidence.memo.get_or_compute(key, find_pairs)


def _variable_pairs(params: PairContrastedParams, evidence: Evidence) -> Mapping[str, Pair]:
    vector_index = build_vector_index(evidence, labels=params.labels, shape=params.shape)
    arrays = namespace(evidence)
    names = {name.rpartition("/")[0] for name in arrays if name.endswith("/1")}
    pairs = {}
    for name in names:
        parts = [arrays.get(f"{name}/{index}") for index in range(3)]
        if parts[0] is None or parts[1] is None or parts[2] is not None:
            continue
        labels = _nearest_labels([parts[0].ravel(), parts[1].ravel()], vector_index)
        if None not in labels:
            pairs[name] = frozenset(label for label in labels if label)
    return pairs


def _canonical_labels(params: PairContrastedParams, evidence: Evidence) -> Mapping[str, str]:
    """Of inputs with equal values only the first can be told: that one, for each label.

    What is not finite equals nothing, itself included, and stands for itself.
    """
    encoded = encoded_values(evidence, labels=params.labels, shape=params.shape)
    labels = [label for label in params.labels if label in encoded]
    return {
        label: next(
            (earlier for earlier in labels if equal_values(encoded[earlier], encoded[label])), label
        )
        for label in labels
    }


def _canonical_pair(labels: Iterable[str], canonical: Mapping[str, str]) -> Pair:
    return frozenset(canonical.get(label, label) for label in labels)


class PairContrasted(Check[PairContrastedParams]):
    """The loss contrasts a pair, in its role, in the first step of training.

    Read from the calls of the loss that the rubric names: which inputs, told by value, were anchor
    with positive, and anchor with negatives. Order within a pair, number of calls and style of the
    arguments don't matter. Where the loss has another name, similarities that gradients flow
    through stand in for it; where there are none, the direction of the loss's gradient does. The
    calls decide: a variable that says otherwise gets a note. If no call contrasts the pair but a
    variable holds it, half of the points.
    """

    code = "PAR001"
    params = PairContrastedParams

    def title(self, params: PairContrastedParams) -> str:
        """What it checks."""
        return f"{params.role} pair {{{', '.join(params.pair)}}}"

    def questions(self, params: PairContrastedParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: PairContrastedParams) -> tuple[str, ...]:
        """The loss and the pair's variable."""
        return tuple(name for name in (params.variable, params.loss) if name)

    def judge(self, params: PairContrastedParams, evidence: Evidence) -> CheckOutcome:
        """Reads the calls, then the variables."""
        expected = (
            f"the loss contrasts {format_pair(frozenset(params.pair))} as a {params.role} pair"
        )
        expected_pair = _canonical_pair(params.pair, _canonical_labels(params, evidence))
        pairs = contrasted_pairs(params, evidence)
        variables = variable_pairs(params, evidence)
        if pairs is None and not variables:
            return self._judge_uncalled_loss(params, evidence, expected=expected)
        if not all_encoded(params, evidence):
            return incomplete_embeddings(params, expected=expected)
        if pairs is not None and self._is_right(
            params, pairs, variables, expected_pair=expected_pair
        ):
            hint = self._variable_note(params, variables, expected_pair)
            return passed(
                expected=expected,
                observed="it does, in the first step",
                hint=hint,
                cells=pairs.cells,
            )
        return self._judge_wrong_pair(
            params, pairs, variables, expected=expected, expected_pair=expected_pair
        )

    def _judge_uncalled_loss(
        self, params: PairContrastedParams, evidence: Evidence, *, expected: str
    ) -> CheckOutcome:
        outcome = missing_embeddings(params.variable or params.loss, expected=expected)
        if not all_encoded(params, evidence):
            return outcome
        return replace(outcome, because="the training loop never ran")

    def _is_right(
        self,
        params: PairContrastedParams,
        pairs: ContrastedPairs,
        variables: Mapping[str, Pair],
        *,
        expected_pair: Pair,
    ) -> bool:
        if not pairs.has_roles:
            variable_pair = variables.get(params.variable)
            return expected_pair in pairs.positive and variable_pair in {None, expected_pair}
        if params.role == "positive":
            return pairs.positive == {expected_pair}
        return expected_pair in pairs.negative

    def _judge_wrong_pair(
        self,
        params: PairContrastedParams,
        pairs: ContrastedPairs | None,
        variables: Mapping[str, Pair],
        *,
        expected: str,
        expected_pair: Pair,
    ) -> CheckOutcome:
        role_pairs = frozenset() if pairs is None else pairs.positive
        if pairs is not None and params.role == "negative":
            role_pairs = pairs.negative
        pair_list = ", ".join(sorted(format_pair(pair) for pair in role_pairs)) or "none"
        cells = pairs.cells if pairs else ()
        contrasts = pairs is not None and expected_pair in pairs.positive | pairs.negative
        variable_holds_pair = (
            variables.get(params.variable) == expected_pair
            if params.variable in variables
            else (expected_pair in variables.values())
        )
        if variable_holds_pair and not contrasts:
            return CheckOutcome(
                share=Fraction(1, 2),
                expected=expected,
                observed=f"a variable holds the pair, but the loss was called on other pairs: {pair_list}",
                hint="The given lines read only the second element of a negative pair.",
                cells=cells,
            )
        where = "close" if params.role == "positive" else "apart"
        return failed(
            expected=expected,
            observed=f"{params.role} pairs in the calls of the loss: {pair_list}",
            hint=f"Which two {params.things} should be {where}?",
            cells=cells,
        )

    def _variable_note(
        self, params: PairContrastedParams, variables: Mapping[str, Pair], expected_pair: Pair
    ) -> str:
        variable_pair = variables.get(params.variable)
        if variable_pair is None or variable_pair == expected_pair:
            return ""
        return f"{params.variable} itself holds {format_pair(variable_pair)}; how the loss was called counts."


def format_pair(pair: Pair) -> str:
    """A pair as {A, B}."""
    labels = sorted(pair)
    return "{" + ", ".join(labels * 2 if len(labels) == 1 else labels) + "}"
